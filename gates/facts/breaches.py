"""Decisions after breaches: owed, proposed, decided; as of a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from gates.models import BreachDecision
from kernel.prepared import Question

NAMES = (
    "number",
    "alert_id",
    "alert__message",
    "alert__resolved_at",
    "cause",
    "state",
    "opened_at",
    "due_at",
    "outcome",
    "accepted_until",
    "decided_at",
    "decided_by__full_name",
    "owed_by__full_name",
)
LAPSED = BreachDecision.State.LAPSED


_OPENED = Question(
    lambda ids, at: (
        within(BreachDecision.objects.filter(opened_at__lte=at).exclude(state=LAPSED), ids)
        .order_by("opened_at", "occasion", "number")
        .values("use_case_id", *NAMES)
    )
)


@fact_loaders.register
class Breaches(FactLoader):
    """``[{label, alert, message, over, cause, owed, opened_at, due_at, outcome, accepted_until, decided_at, by,
    owes}]``, the oldest first. What has lapsed is left out. One query."""

    key = "breaches"
    volatile = True

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for row in _OPENED.of(use_case_ids, at):
            decided = row["decided_at"] is not None and row["decided_at"] <= at
            over = row["alert__resolved_at"] is not None and row["alert__resolved_at"] <= at
            found.setdefault(row["use_case_id"], []).append(
                {
                    "label": f"B-{row['number']}",
                    "alert": row["alert_id"],
                    "message": row["alert__message"],
                    "over": over,
                    "cause": row["cause"],
                    "owed": not decided,
                    "opened_at": row["opened_at"],
                    "due_at": row["due_at"],
                    "outcome": row["outcome"] if decided else "",
                    "accepted_until": row["accepted_until"] if decided else None,
                    "decided_at": row["decided_at"] if decided else None,
                    "by": (row["decided_by__full_name"] or "") if decided else "",
                    "owes": row["owed_by__full_name"] or "",
                }
            )
        return found

    def empty(self) -> Any:
        return []
