"""Series as lines over time, with baseline, limits and what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.selectors.charts import BUCKETS, Asked, chart_of
from monitoring.series_refs import SeriesParams, demand
from monitoring.widget import Look, Widget, chart_table, widgets


class LineParams(SeriesParams):
    most = 6
    compare = forms.BooleanField(label=gettext_lazy("With the period before"), required=False)


@widgets.register
class Line(Widget):
    key: ClassVar[str] = "line"
    title: ClassVar[Any] = gettext_lazy("Series over time")
    description: ClassVar[Any] = gettext_lazy(
        "Up to six lines with baseline, limits, alerts, deployments and decisions."
    )
    icon: ClassVar[str] = "pulse"
    order: ClassVar[int] = 10
    template: ClassVar[str] = "monitoring/widgets/line.html"
    width: ClassVar[int] = 6
    lazy: ClassVar[bool] = True
    Params = LineParams

    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        first, *others = demand(params["series"], look.scope, look.user)
        asked = Asked(look.span, BUCKETS, bool(params.get("compare")), others)
        return {**chart_of(first, asked), "zoom": False}

    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        return chart_table(data, _("Time (UTC)"))
