"""Integrations, training, data access, specialist and access reviews, oversight, rollout waves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from governance.models import (
    AccessReview,
    DataAccessRequest,
    DecisionType,
    IntegrationPoint,
    IntegrationTest,
    OversightPlan,
    SpecialistReview,
    TrainingRecord,
)
from portfolio.models import Phase

POINT = ("id", "name", "critical", "requirement", "constraint", "failure_mode", "feasible")
TEST = ("point_id", "version_id", "cases_run", "cases_passed", "performed_at")
ACCESS = ("id", "state", "decided_role", "decided_at", "valid_until", "purpose")


@fact_loaders.register
class Controls(FactLoader):
    key = "controls"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        ids = use_case_ids
        _gather(
            found,
            "integrations",
            within(IntegrationPoint.objects.order_by("name", "pk"), ids).values("use_case_id", *POINT),
        )
        points = {p["id"]: p for facts in found.values() for p in facts["integrations"]}
        tests = within(IntegrationTest.objects.filter(performed_at__lte=at), ids, "point__use_case")
        for row in tests.order_by("performed_at", "pk").values(*TEST):
            if row["point_id"] in points:  # the newest test of a point is the last one written here
                points[row.pop("point_id")]["test"] = row
        training = within(TrainingRecord.objects.filter(assigned_at__lte=at), ids).order_by("pk")
        _gather(found, "training", training.values("use_case_id", "course", "completed_at", "valid_until"))
        access = within(DataAccessRequest.objects.filter(requested_at__lte=at), ids).order_by("requested_at", "pk")
        _gather(found, "data_access", access.values("use_case_id", *ACCESS))
        special = within(SpecialistReview.objects.filter(opened_at__lte=at), ids).order_by("opened_at", "pk")
        _gather(found, "specialist_reviews", special.values("use_case_id", "area", "opened_at", "closed_at"))
        reviewed = within(AccessReview.objects.filter(reviewed_at__lte=at), ids).order_by("reviewed_at", "pk")
        _gather(found, "access_reviews", reviewed.values("use_case_id", "reviewed_at"))
        decisions = within(DecisionType.objects.order_by("name", "pk"), ids)
        _gather(found, "decision_types", decisions.values("use_case_id", "name", "oversight_tier"))
        waves = within(Phase.objects.filter(kind=Phase.Kind.WAVE), ids).order_by("order", "pk")
        _gather(found, "waves", waves.values("use_case_id", "name", "state"))
        plan: Any
        plans = within(OversightPlan.objects.all(), ids)
        for plan in plans.values("use_case_id", "reviewers", "override_path", "stop_control", "updated_at"):
            found.setdefault(plan.pop("use_case_id"), empty())["oversight"] = plan
        return found

    def empty(self) -> Any:
        return empty()


def empty() -> dict[str, Any]:
    names = (
        "integrations",
        "training",
        "data_access",
        "specialist_reviews",
        "access_reviews",
        "decision_types",
        "waves",
    )
    return {**{name: [] for name in names}, "oversight": {}}


def _gather(found: dict[UUID, Any], name: str, rows: Any) -> None:
    for row in rows:
        found.setdefault(row.pop("use_case_id"), empty())[name].append(row)
