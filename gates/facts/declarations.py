"""What the organisation declares about practices of a framework."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from governance.models import PracticeDeclaration
from kernel.prepared import Question

_DECLARED = Question(
    lambda ids, at: (
        within(PracticeDeclaration.objects.filter(declared_at__lte=at), ids)
        .order_by("practice")
        .values("use_case_id", "id", "practice", "answer", "detail", "source", "declared_at")
    )
)


@fact_loaders.register
class Declarations(FactLoader):
    key = "declarations"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for row in _DECLARED.of(use_case_ids, at):
            found.setdefault(row.pop("use_case_id"), {})[row["practice"]] = row
        return found
