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
from portfolio.report import Choice, Report, reports
from portfolio.selectors.kpis import UNMEASURED, VERDICTS, promised, verdict


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

    def choices(self) -> Sequence[Choice]:
        said = ((key, each.label) for key, each in VERDICTS.items())
        return (
            Choice(
                "which",
                _("KPIs"),
                _("All KPIs"),
                (("promise", _("Promises: primary, with a target, beyond the idea")),),
            ),
            Choice("verdict", _("Verdict"), _("Any verdict"), (*said, ("measured", _("Measured at all")))),
        )

    def rows(self, request: HttpRequest, use_cases: QuerySet[UseCase]) -> Iterator[dict[str, Any]]:
        wanted = self.chosen(request, "verdict")
        for kpi in self._kpis(use_cases, promises=self.chosen(request, "which") == "promise").iterator(chunk_size=500):
            said = verdict(kpi, kpi.last)
            if (wanted == "measured" and said == UNMEASURED) or (wanted in VERDICTS and said != VERDICTS[wanted]):
                continue
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
                "verdict": str(said.label),
                "locked": kpi.locked_at,
            }

    def _kpis(self, use_cases: QuerySet[UseCase], *, promises: bool) -> Any:
        """Each with what was measured last of it, under whichever version: a KPI that was amended is the same one."""
        last = KpiMeasurement.objects.filter(kpi__use_case=OuterRef("use_case"), kpi__key=OuterRef("key"))
        last = last.order_by("-window_end", "-pk")
        kpis = (
            Kpi.objects.filter(is_current=True, use_case__in=use_cases.order_by())
            .select_related("use_case")
            .annotate(last=Subquery(last.values("value")[:1]), until=Subquery(last.values("window_end")[:1]))
            .order_by("use_case__key", "-is_primary", "name")
        )
        return promised(kpis) if promises else kpis


def _short(value: Decimal | None) -> Decimal | None:
    """Without the zeros that the column adds."""
    return None if value is None else Decimal(plain(value))
