"""What was promised and what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import F, OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.widget import PORTFOLIO, UNIT, USE_CASE, Look, Widget, jsonable, widgets
from portfolio.models import Kpi, KpiMeasurement
from portfolio.selectors.kpis import verdict

MOST = 8
ORDER = {"blocked": 0, "attention": 1, "neutral": 2, "info": 3, "met": 4}


@widgets.register
class Kpis(Widget):
    """KPIs with a target; the ones in trouble first. Over many use cases the primary ones alone."""

    key: ClassVar[str] = "kpis"
    title: ClassVar[Any] = gettext_lazy("Promised and measured")
    description: ClassVar[Any] = gettext_lazy("KPIs with baseline, target and what was measured last.")
    icon: ClassVar[str] = "target"
    order: ClassVar[int] = 30
    template: ClassVar[str] = "monitoring/widgets/kpis.html"
    scopes: ClassVar[frozenset[str]] = frozenset({PORTFOLIO, UNIT, USE_CASE})
    width: ClassVar[int] = 6

    def data(self, params: Mapping[str, Any], look: Look) -> dict[str, Any]:
        last = KpiMeasurement.objects.filter(kpi__use_case=OuterRef("use_case"), kpi__key=OuterRef("key"))
        last = last.order_by("-window_end", "-pk")
        rows = look.scope.rows(Kpi.objects.filter(is_current=True, target__isnull=False), look.user)
        if look.scope.use_case is None:
            rows = rows.filter(is_primary=True)
        annotated = rows.select_related("use_case").annotate(
            last=Subquery(last.values("value")[:1]), until=Subquery(last.values("window_end")[:1])
        )
        found = [_row(kpi) for kpi in annotated.order_by(F("is_primary").desc(), "use_case__key", "name")]
        counts = Counter(row["tone"] for row in found)
        labels = {row["tone"]: row["verdict"] for row in found}
        return {
            "parts": [{"tone": tone, "count": counts[tone], "label": labels[tone]} for tone in ORDER if counts[tone]],
            "count": len(found),
            "measured": sum(1 for row in found if row["measured"] is not None),
            "kpis": sorted(found, key=lambda row: ORDER[row["tone"]])[:MOST],
        }

    def table(self, data: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        heads = [
            _("Use case"),
            _("KPI"),
            _("Unit"),
            _("Baseline"),
            _("Target"),
            _("Measured"),
            _("Until"),
            _("Verdict"),
        ]
        names = ("use_case", "name", "unit", "baseline", "target", "measured", "until", "verdict")
        return heads, [[row[name] for name in names] for row in data["kpis"]]


def _row(kpi: Any) -> dict[str, Any]:
    said = verdict(kpi, kpi.last)
    return {
        "use_case": kpi.use_case.key,
        "name": kpi.name,
        "unit": kpi.unit,
        "baseline": jsonable(kpi.baseline),
        "target": jsonable(kpi.target),
        "measured": jsonable(kpi.last),
        "until": jsonable(kpi.until),
        "tone": said.state,
        "verdict": str(said.label),
        "url": reverse("portfolio:use_case_panel", args=[kpi.use_case.key, "kpis"]),
    }
