"""Gate decisions: what was decided while the system was watched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gates.models import Decision
from monitoring.marker import Mark, MarkerSource, markers
from monitoring.models import Series

TONES = {
    Decision.Outcome.GO: "met",
    Decision.Outcome.GO_WITH_CONDITIONS: "attention",
    Decision.Outcome.RETURN: "attention",
    Decision.Outcome.PIVOT: "attention",
}


@markers.register
class Decisions(MarkerSource):
    key: ClassVar[str] = "decisions"
    title: ClassVar[Any] = gettext_lazy("Gate decisions")
    icon: ClassVar[str] = "sign"
    order: ClassVar[int] = 30

    def marks(self, series: Sequence[Series], start: datetime, end: datetime) -> Iterator[Mark]:
        rows = Decision.objects.filter(
            review__use_case__in={one.use_case_id for one in series}, decided_at__range=(start, end)
        )
        for decision in rows.select_related("review", "decided_by"):
            outcome = str(decision.get_outcome_display())
            said = _("%(outcome)s on %(review)s, decided by %(person)s.")
            yield Mark(
                at=decision.decided_at,
                label=outcome,
                tone=TONES.get(Decision.Outcome(decision.outcome), "blocked"),
                detail=said % {"outcome": outcome, "review": decision.review, "person": decision.decided_by.full_name},
                url=reverse("gates:review", args=[decision.review.number]),
            )
