"""What is open: assumptions, security and audit issues, conditions, corrective actions; and incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from gates.fact import FactLoader, fact_loaders, within
from governance.models import Incident, Issue
from kernel.prepared import Question

FIELDS = ("id", "kind", "severity", "title", "blocking", "due_gate", "due_on", "first_seen", "raised_at")


_OPEN = Question(
    lambda ids, at: (
        within(Issue.objects.filter(raised_at__lte=at).filter(Q(closed_at__isnull=True) | Q(closed_at__gt=at)), ids)
        .order_by("raised_at", "pk")
        .values("use_case_id", *FIELDS)
    )
)
_PAST = Question(
    lambda ids, at: (
        within(Incident.objects.filter(occurred_at__lte=at), ids)
        .order_by("occurred_at", "pk")
        .values("use_case_id", "id", "severity", "title", "occurred_at", "closed_at")
    )
)


@fact_loaders.register
class Issues(FactLoader):
    key = "issues"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for row in _OPEN.of(use_case_ids, at):
            found.setdefault(row.pop("use_case_id"), self.empty())["open"].append(row)
        for row in _PAST.of(use_case_ids, at):
            found.setdefault(row.pop("use_case_id"), self.empty())["incidents"].append(row)
        return found

    def empty(self) -> Any:
        return {"open": [], "incidents": []}
