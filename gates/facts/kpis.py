"""Success measures with what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from portfolio.models import Kpi, KpiMeasurement

FIELDS = (
    "id",
    "use_case_id",
    "key",
    "version",
    "name",
    "unit",
    "direction",
    "formula",
    "baseline",
    "baseline_date",
    "baseline_source",
    "target",
    "window_days",
    "is_primary",
    "locked_at",
    "locked_by_id",
)


@fact_loaders.register
class Kpis(FactLoader):
    key = "kpis"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        current = Kpi.objects.filter(is_current=True, created_at__lte=at).order_by("key", "pk")
        kpis = within(current, use_case_ids).values(*FIELDS)
        by_kpi: dict[UUID, Any] = {}
        found: dict[UUID, Any] = {}
        for kpi in kpis:
            kpi["measurements"] = []
            by_kpi[kpi["id"]] = kpi
            found.setdefault(kpi.pop("use_case_id"), []).append(kpi)
        rows = KpiMeasurement.objects.filter(kpi__is_current=True, recorded_at__lte=at)
        measured = within(rows, use_case_ids, "kpi__use_case").order_by("window_end", "pk")
        names = ("kpi_id", "window_start", "window_end", "value", "sample_size", "source")
        for row in measured.values(*names):
            kpi = by_kpi.get(row.pop("kpi_id"))
            if kpi is not None:
                kpi["measurements"].append(row)
        return found

    def empty(self) -> Any:
        return []
