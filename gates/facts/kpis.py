"""Success measures with what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from kernel.prepared import Question
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


_CURRENT = Question(
    lambda ids, at: within(Kpi.objects.filter(is_current=True, created_at__lte=at).order_by("key", "pk"), ids).values(
        *FIELDS
    )
)
_MEASURED = Question(
    lambda ids, at: (
        within(KpiMeasurement.objects.filter(kpi__is_current=True, recorded_at__lte=at), ids, "kpi__use_case")
        .order_by("window_end", "pk")
        .values("kpi_id", "window_start", "window_end", "value", "sample_size", "source")
    )
)


@fact_loaders.register
class Kpis(FactLoader):
    key = "kpis"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        by_kpi: dict[UUID, Any] = {}
        found: dict[UUID, Any] = {}
        for kpi in _CURRENT.of(use_case_ids, at):
            kpi["measurements"] = []
            by_kpi[kpi["id"]] = kpi
            found.setdefault(kpi.pop("use_case_id"), []).append(kpi)
        for row in _MEASURED.of(use_case_ids, at):
            kpi = by_kpi.get(row.pop("kpi_id"))
            if kpi is not None:
                kpi["measurements"].append(row)
        return found

    def empty(self) -> Any:
        return []
