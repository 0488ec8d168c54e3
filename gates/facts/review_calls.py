"""Reviews that are owed: called for and not yet held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from gates.models import ReviewCall


@fact_loaders.register
class ReviewCalls(FactLoader):
    """``[{gate, cause, text, due_at}]`` of what was owed at that moment, the earliest due first."""

    key = "review_calls"
    volatile = True

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        rows = within(ReviewCall.objects.filter(called_at__lte=at).exclude(settled_at__lte=at), use_case_ids)
        found: dict[UUID, Any] = {}
        names = ("gate", "cause", "text", "due_at")
        for use_case, *values in rows.order_by("due_at", "pk").values_list("use_case_id", *names):
            found.setdefault(use_case, []).append(dict(zip(names, values, strict=True)))
        return found

    def empty(self) -> Any:
        return []
