"""What was owed after conditional decisions, as of a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from gates.models import Condition
from gates.owed import OWED
from kernel.prepared import Question

NAMES = {
    "id": "id",
    "review": "decision__review__number",
    "gate": "decision__review__gate",
    "text": "text",
    "scope": "scope",
    "owner": "owner_id",
    "due_on": "due_on",
    "decided_at": "decision__decided_at",
}


_DECIDED = Question(
    lambda ids, at: (
        within(Condition.objects.filter(decision__decided_at__lte=at), ids)
        .order_by("decision__decided_at", "position")
        .values("use_case_id", "state", "closed_at", *NAMES.values())
    )
)


@fact_loaders.register
class Conditions(FactLoader):
    """Rows with ``owed``, the oldest first. A snapshot keeps them; a report alone voids no signature, but falling
    overdue does, because it closes the gate."""

    key = "conditions"
    volatile = True

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for row in _DECIDED.of(use_case_ids, at):
            owed = row["state"] in OWED or (row["closed_at"] is not None and row["closed_at"] > at)
            kept = {name: row[column] for name, column in NAMES.items()}
            found.setdefault(row["use_case_id"], []).append({**kept, "owed": owed})
        return found

    def empty(self) -> Any:
        return []
