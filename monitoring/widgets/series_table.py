"""Series as a table: newest value, baseline, state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.models import Alert
from monitoring.selectors.overview import cards
from monitoring.widget import Look, Params, Widget, jsonable, widgets
from monitoring.wording import series_name

MOST, USUAL = 50, 12


class TableParams(Params):
    most = forms.IntegerField(
        label=gettext_lazy("Rows at most"), required=False, min_value=1, max_value=MOST, initial=USUAL
    )
    trouble = forms.BooleanField(label=gettext_lazy("Only what has an open alert"), required=False)


@widgets.register
class SeriesTable(Widget):
    key: ClassVar[str] = "series_table"
    title: ClassVar[Any] = gettext_lazy("Series")
    description: ClassVar[Any] = gettext_lazy("What is watched, with newest value, baseline and state; trouble first.")
    icon: ClassVar[str] = "table"
    order: ClassVar[int] = 80
    template: ClassVar[str] = "monitoring/widgets/series_table.html"
    width: ClassVar[int] = 12
    Params = TableParams

    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        alerts = Alert.objects.filter(series=OuterRef("pk")).exclude(state=Alert.AlertState.RESOLVED)
        rows = (
            look.scope.series(look.user)
            .filter(enabled=True)
            .annotate(breached=Exists(alerts.filter(level=Alert.Level.ACT)), alerted=Exists(alerts))
        )
        if params.get("trouble"):
            rows = rows.filter(alerted=True)
        shown = rows.order_by("-breached", "-alerted", "use_case__key", "metric", "pk")[: params.get("most") or USUAL]
        return {
            "series": [
                {
                    "name": series_name(card.series),
                    "use_case": card.series.use_case.key,
                    "version": card.series.version.label if card.series.version else "",
                    "value": card.series.last_value,
                    "unit": card.series.unit,
                    "baseline": card.series.baseline,
                    "change": card.change,
                    "state": card.state,
                    "at": jsonable(card.series.last_time),
                    "points": list(card.points),
                    "url": reverse("monitoring:series", args=[card.series.pk]),
                }
                for card in cards(list(shown))
            ]
        }

    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        heads = [
            _("Use case"),
            _("Series"),
            _("Version"),
            _("Value"),
            _("Unit"),
            _("Baseline"),
            _("State"),
            _("Measured"),
        ]
        names = ("use_case", "name", "version", "value", "unit", "baseline", "state", "at")
        return heads, [[row[name] for name in names] for row in data["series"]]
