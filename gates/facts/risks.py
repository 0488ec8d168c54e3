"""The risk classification and the register."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from governance.models import RiskClassification, RiskItem
from kernel.prepared import Question

CLASSIFICATION = (
    "id",
    "tier",
    "override_tier",
    "score",
    "provisional",
    "legal_hold",
    "unknown_count",
    "prohibited_hits",
    "classified_at",
    "classified_by_id",
    "confirmed_at",
    "confirmed_role",
)
RISK = ("id", "title", "inherent", "residual", "state", "owner_id", "accepted_by_id", "accepted_role", "raised_at")


_CLASSIFIED = Question(
    lambda ids, at: (
        within(RiskClassification.objects.filter(classified_at__lte=at), ids)
        .order_by("classified_at", "pk")
        .values("use_case_id", *CLASSIFICATION)
    )
)
_REGISTER = Question(
    lambda ids, at: (
        within(RiskItem.objects.filter(raised_at__lte=at), ids).order_by("raised_at", "pk").values("use_case_id", *RISK)
    )
)


@fact_loaders.register
class Risks(FactLoader):
    key = "risks"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for row in _CLASSIFIED.of(use_case_ids, at):
            found.setdefault(row.pop("use_case_id"), self.empty())["classification"] = row
        for row in _REGISTER.of(use_case_ids, at):
            found.setdefault(row.pop("use_case_id"), self.empty())["register"].append(row)
        return found

    def empty(self) -> Any:
        return {"classification": None, "register": []}
