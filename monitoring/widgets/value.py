"""The newest value of a series, large, with its goal and the way it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.catalogue import LOWER
from monitoring.selectors.buckets import buckets
from monitoring.selectors.charts import bounds
from monitoring.selectors.overview import cards
from monitoring.series_refs import SeriesParams, demand
from monitoring.widget import Look, Widget, jsonable, widgets
from monitoring.wording import series_name

SPARK = 40


class ValueParams(SeriesParams):
    goal = forms.FloatField(
        label=gettext_lazy("Goal"), required=False, help_text=gettext_lazy("Left empty, the baseline is shown instead.")
    )


@widgets.register
class Value(Widget):
    key: ClassVar[str] = "value"
    title: ClassVar[Any] = gettext_lazy("Newest value")
    description: ClassVar[Any] = gettext_lazy("One number with its goal and a small line of how it went.")
    icon: ClassVar[str] = "target"
    order: ClassVar[int] = 20
    template: ClassVar[str] = "monitoring/widgets/value.html"
    width: ClassVar[int] = 3
    height: ClassVar[str] = "short"
    Params = ValueParams

    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        (series,) = demand(params["series"], look.scope, look.user)
        start, end = bounds(series, look.span)
        goal, value = params.get("goal"), series.last_value
        met = None
        if goal is not None and value is not None:
            met = value <= goal if series.direction == LOWER else value >= goal
        return {
            "name": series_name(series),
            "value": value,
            "unit": series.unit,
            "at": jsonable(series.last_time),
            "state": cards([series])[0].state,
            "baseline": series.baseline,
            "goal": goal,
            "met": met,
            "points": [bucket.mean for bucket in buckets(series, start=start, end=end, count=SPARK)],
            "url": reverse("monitoring:series", args=[series.pk]),
        }

    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        heads = [_("Series"), _("Value"), _("Unit"), _("Measured"), _("Baseline"), _("Goal")]
        return heads, [[data[name] for name in ("name", "value", "unit", "at", "baseline", "goal")]]
