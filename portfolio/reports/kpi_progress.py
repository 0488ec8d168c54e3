"""Whether the use cases do what they promised: current KPIs with baseline, target and what was measured last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from kernel.tables import Column
from portfolio.forms.kpis import plain
from portfolio.models import Kpi, KpiMeasurement, UseCase
from portfolio.report import Report, reports
from portfolio.selectors.kpis import verdict


@reports.register
class KpiProgress(Report):
    key: ClassVar[str] = "kpi-progress"
    title: ClassVar[Any] = _("KPI progress")
    description: ClassVar[Any] = _("Baseline, target and last measurement of every current KPI.")
    order: ClassVar[int] = 40
    icon: ClassVar[str] = "target"

    def columns(self) -> Sequence[Column]:
        return (
            Column("key", _("Key")),
            Column("name", _("Use case")),
            Column("kpi", _("KPI")),
            Column("unit", _("Unit")),
            Column("direction", _("Direction")),
            Column("baseline", _("Baseline"), numeric=True),
            Column("target", _("Target"), numeric=True),
            Column("last", _("Last measured"), numeric=True),
            Column("measured_until", _("Measured until")),
            Column("verdict", _("Verdict")),
            Column("locked", _("Locked on")),
        )

    def rows(self, request: HttpRequest, use_cases: QuerySet[UseCase]) -> Iterator[dict[str, Any]]:
        last = KpiMeasurement.objects.filter(kpi=OuterRef("pk")).order_by("-window_end", "-pk")
        kpis = (
            Kpi.objects.filter(is_current=True, use_case__in=use_cases.order_by())
            .select_related("use_case")
            .annotate(last=Subquery(last.values("value")[:1]), until=Subquery(last.values("window_end")[:1]))
            .order_by("use_case__key", "-is_primary", "name")
        )
        for kpi in kpis.iterator(chunk_size=500):
            yield {
                "key": kpi.use_case.key,
                "name": kpi.use_case.name,
                "kpi": kpi.name,
                "unit": kpi.unit,
                "direction": kpi.get_direction_display(),
                "baseline": _short(kpi.baseline),
                "target": _short(kpi.target),
                "last": _short(kpi.last),
                "measured_until": kpi.until,
                "verdict": str(verdict(kpi, kpi.last).label),
                "locked": kpi.locked_at,
            }


def _short(value: Decimal | None) -> Decimal | None:
    """Without the zeros that the column adds."""
    return None if value is None else Decimal(plain(value))
