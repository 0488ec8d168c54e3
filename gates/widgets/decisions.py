"""What was decided at the gates in the time that the dashboard shows, and what waits for a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gates.markers.decisions import TONES
from gates.models import Decision, Review
from monitoring.widget import PORTFOLIO, UNIT, USE_CASE, Look, Widget, jsonable, widgets

MOST = 8


@widgets.register
class Decisions(Widget):
    key: ClassVar[str] = "decisions"
    title: ClassVar[Any] = gettext_lazy("Gate decisions")
    description: ClassVar[Any] = gettext_lazy("What was decided in this time, and what waits.")
    icon: ClassVar[str] = "gate"
    order: ClassVar[int] = 55
    template: ClassVar[str] = "gates/widgets/decisions.html"
    scopes: ClassVar[frozenset[str]] = frozenset({PORTFOLIO, UNIT, USE_CASE})

    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        made = look.scope.rows(Decision.objects.filter(decided_at__lt=look.span.end), look.user)
        if look.span.start is not None:
            made = made.filter(decided_at__gte=look.span.start)
        waiting = look.scope.rows(Review.objects.filter(state=Review.State.OPEN), look.user)
        return {
            "waiting": waiting.count(),
            "late": waiting.filter(due_at__lt=timezone.now()).count(),
            "waiting_url": f"{reverse('gates:reviews')}?state=open",
            "decisions": [
                {
                    "outcome": str(row.get_outcome_display()),
                    "tone": TONES.get(Decision.Outcome(row.outcome), "blocked"),
                    "review": str(row.review),
                    "use_case": row.review.use_case.key,
                    "name": row.review.use_case.name,
                    "at": jsonable(row.decided_at),
                    "url": reverse("gates:review", args=[row.review.number]),
                }
                for row in made.select_related("review__use_case").order_by("-decided_at")[:MOST]
            ],
        }

    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        heads = [_("Decided"), _("Use case"), _("Review"), _("Outcome")]
        return heads, [[row[name] for name in ("at", "use_case", "review", "outcome")] for row in data["decisions"]]
