"""Validation runs, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from governance.models import ValidationRun

FIELDS = (
    "id",
    "version_id",
    "kind",
    "verdict",
    "metrics",
    "sample_size",
    "reviewers",
    "independent",
    "open_major_findings",
    "performed_at",
    "recorded_by_id",
    "source",
)


@fact_loaders.register
class ValidationRuns(FactLoader):
    key = "validation"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        rows = within(ValidationRun.objects.filter(recorded_at__lte=at), use_case_ids)
        found: dict[UUID, Any] = {}
        for row in rows.order_by("-performed_at", "pk").values("use_case_id", *FIELDS):
            found.setdefault(row.pop("use_case_id"), []).append(row)
        return found

    def empty(self) -> Any:
        return []
