"""How much of what is watched for drift has drifted: systems, or the series of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.selectors.drift_share import drifting_series, watched_for_drift
from monitoring.widget import Look, Widget, widgets
from monitoring.wording import series_name

MOST = 8


@widgets.register
class DriftShare(Widget):
    key: ClassVar[str] = "drift"
    title: ClassVar[Any] = gettext_lazy("Drift share")
    description: ClassVar[Any] = gettext_lazy("How much of what is watched for drift is beyond its limits now.")
    icon: ClassVar[str] = "drift"
    order: ClassVar[int] = 60
    template: ClassVar[str] = "monitoring/widgets/drift.html"

    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        series = watched_for_drift(look.scope.series(look.user))
        drifting = drifting_series(series)
        one = look.scope.use_case is not None
        count = "pk" if one else "use_case"
        of = series.order_by().values(count).distinct().count()
        beyond = drifting.order_by().values(count).distinct().count()
        return {
            "unit": "series" if one else "systems",
            "words": _("series") if one else _("systems"),
            "watched": of,
            "drifting": beyond,
            "share": beyond / of if of else None,
            "series": [
                {
                    "name": series_name(row),
                    "use_case": row.use_case.key,
                    "value": row.last_value,
                    "unit": row.unit,
                    "url": reverse("monitoring:series", args=[row.pk]),
                }
                for row in drifting.order_by("use_case__key", "metric", "pk")[:MOST]
            ],
        }

    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        heads = [_("Watched for drift"), _("Beyond limits"), _("Share")]
        return heads, [[data["watched"], data["drifting"], data["share"]]]
