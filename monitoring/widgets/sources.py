"""Where values come from, and whether they still do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.models import Source
from monitoring.widget import PORTFOLIO, UNIT, USE_CASE, Look, Widget, jsonable, widgets

MOST = 8
TONES = {Source.Health.OK: "met", Source.Health.FAILING: "attention", Source.Health.BROKEN: "blocked"}


@widgets.register
class Sources(Widget):
    key: ClassVar[str] = "sources"
    title: ClassVar[Any] = gettext_lazy("Health of sources")
    description: ClassVar[Any] = gettext_lazy("How many sources work, and those that do not.")
    icon: ClassVar[str] = "data"
    order: ClassVar[int] = 70
    template: ClassVar[str] = "monitoring/widgets/sources.html"
    scopes: ClassVar[frozenset[str]] = frozenset({PORTFOLIO, UNIT, USE_CASE})

    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        rows = look.scope.rows(Source.objects.filter(enabled=True), look.user)
        counts = dict(rows.order_by().values_list("health").annotate(found=Count("pk")))
        trouble = rows.exclude(health=Source.Health.OK).select_related("use_case").order_by("health", "name")
        return {
            "count": sum(counts.values()),
            "health": [
                {
                    "health": health.value,
                    "label": str(health.label),
                    "count": counts.get(health.value, 0),
                    "tone": TONES.get(health, "neutral"),
                }
                for health in Source.Health
            ],
            "trouble": [
                {
                    "name": source.name,
                    "use_case": source.use_case.key,
                    "label": str(source.get_health_display()),
                    "tone": TONES.get(Source.Health(source.health), "neutral"),
                    "last_success": jsonable(source.last_success_at),
                    "url": reverse("monitoring:source", args=[source.pk]),
                }
                for source in trouble[:MOST]
            ],
        }

    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        counted = [[each["label"], each["count"], "", ""] for each in data["health"]]
        named = [[each["label"], 1, each["use_case"], each["name"]] for each in data["trouble"]]
        return [_("Health"), _("Sources"), _("Use case"), _("Source")], [*counted, *named]
