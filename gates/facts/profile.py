"""The use case itself: intake, profile, commitments, stage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from kernel.prepared import Question
from portfolio.models import OperatingPlan, StageChange, UseCase

USE_CASE_FIELDS = (
    "key",
    "name",
    "stage",
    "stage_since",
    "tier",
    "legal_hold",
    "problem_statement",
    "target_users",
    "non_ai_alternative",
    "objective",
    "strategic_goal",
    "decision_name",
    "third_party",
    "personal_data",
    "affects_people",
    "generative_or_agentic",
    "jurisdictions",
    "regulations",
    "eu_role",
    "oversight_tier",
    "primary_metric",
)
PLAN_FIELDS = tuple(
    f.attname for f in OperatingPlan._meta.concrete_fields if f.name not in {"use_case", "updated_at", "currency"}
)


_ROWS = Question(lambda ids, at: within(UseCase.objects.all(), ids, "pk").values("pk", *USE_CASE_FIELDS))
_PLANS = Question(lambda ids, at: within(OperatingPlan.objects.all(), ids).values("use_case_id", *PLAN_FIELDS))
_STAGES = Question(
    lambda ids, at: (
        within(StageChange.objects.filter(at__lte=at), ids)
        .order_by("at", "pk")
        .values_list("use_case_id", "to_stage", "at")
    )
)


@fact_loaders.register
class Profile(FactLoader):
    key = "profile"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for row in _ROWS.of(use_case_ids, at):
            pk = row.pop("pk")
            found[pk] = row
            row["plan"] = {}
        for plan in _PLANS.of(use_case_ids, at):
            owner = plan.pop("use_case_id")
            if owner in found:
                found[owner]["plan"] = plan
        self._stage_at(found, use_case_ids, at)
        return found

    def _stage_at(self, found: dict[UUID, Any], use_case_ids: Sequence[UUID] | None, at: datetime) -> None:
        """The stage as of ``at``; a use case without stage history keeps what its row says."""
        for pk, stage, since in _STAGES.of(use_case_ids, at):
            if pk in found and found[pk]["stage_since"] > at:
                found[pk]["stage_then"] = (stage, since)
        for row in found.values():
            if "stage_then" in row:
                row["stage"], row["stage_since"] = row.pop("stage_then")
