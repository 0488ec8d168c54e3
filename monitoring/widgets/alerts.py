"""Alerts that are not over, by how bad they are, and the newest of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.models import Alert
from monitoring.widget import Look, Widget, jsonable, widgets

NEWEST = 6


@widgets.register
class Alerts(Widget):
    key: ClassVar[str] = "alerts"
    title: ClassVar[Any] = gettext_lazy("Open alerts")
    description: ClassVar[Any] = gettext_lazy("How many breaches and warnings are not over, and the newest of them.")
    icon: ClassVar[str] = "alert"
    order: ClassVar[int] = 40
    template: ClassVar[str] = "monitoring/widgets/alerts.html"

    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        rows = look.scope.alerts(look.user)
        counts = dict(rows.order_by().values_list("level").annotate(found=Count("pk")))
        inbox = reverse("monitoring:alerts")
        words = {"use_case": look.scope.use_case.key} if look.scope.use_case is not None else {}
        return {
            "levels": [
                {
                    "level": level.value,
                    "label": str(level.label),
                    "count": counts.get(level.value, 0),
                    "url": f"{inbox}?{urlencode({'level': level.value, **words})}",
                }
                for level in (Alert.Level.ACT, Alert.Level.WARN)
            ],
            "newest": [
                {
                    "level": alert.level,
                    "message": alert.message,
                    "use_case": alert.series.use_case.key,
                    "opened_at": jsonable(alert.opened_at),
                    "url": reverse("monitoring:alert", args=[alert.pk]),
                }
                for alert in rows.select_related("series__use_case").order_by("level", "-opened_at")[:NEWEST]
            ],
        }

    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        counted = [[each["label"], each["count"], "", ""] for each in data["levels"]]
        newest = [[each["level"], 1, each["use_case"], each["message"]] for each in data["newest"]]
        return [_("Level"), _("Alerts"), _("Use case"), _("What happened")], [*counted, *newest]
