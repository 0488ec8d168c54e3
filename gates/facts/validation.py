"""Validation runs, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from governance.models import ValidationRun
from kernel.prepared import Question

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


_RUNS = Question(
    lambda ids, at: (
        within(ValidationRun.objects.filter(recorded_at__lte=at), ids)
        .order_by("-performed_at", "pk")
        .values("use_case_id", *FIELDS)
    )
)


@fact_loaders.register
class ValidationRuns(FactLoader):
    key = "validation"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for row in _RUNS.of(use_case_ids, at):
            found.setdefault(row.pop("use_case_id"), []).append(row)
        return found

    def empty(self) -> Any:
        return []
