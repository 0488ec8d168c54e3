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
from kernel.prepared import Question
from portfolio.models import Phase

POINT = ("id", "name", "critical", "requirement", "constraint", "failure_mode", "feasible")
TEST = ("point_id", "version_id", "cases_run", "cases_passed", "performed_at")
ACCESS = ("id", "state", "decided_role", "decided_at", "valid_until", "purpose")


_POINTS = Question(
    lambda ids, at: within(IntegrationPoint.objects.order_by("name", "pk"), ids).values("use_case_id", *POINT)
)
_TESTS = Question(
    lambda ids, at: (
        within(IntegrationTest.objects.filter(performed_at__lte=at), ids, "point__use_case")
        .order_by("performed_at", "pk")
        .values(*TEST)
    )
)
_LISTS = {
    "training": Question(
        lambda ids, at: (
            within(TrainingRecord.objects.filter(assigned_at__lte=at), ids)
            .order_by("pk")
            .values("use_case_id", "course", "completed_at", "valid_until")
        )
    ),
    "data_access": Question(
        lambda ids, at: (
            within(DataAccessRequest.objects.filter(requested_at__lte=at), ids)
            .order_by("requested_at", "pk")
            .values("use_case_id", *ACCESS)
        )
    ),
    "specialist_reviews": Question(
        lambda ids, at: (
            within(SpecialistReview.objects.filter(opened_at__lte=at), ids)
            .order_by("opened_at", "pk")
            .values("use_case_id", "area", "opened_at", "closed_at")
        )
    ),
    "access_reviews": Question(
        lambda ids, at: (
            within(AccessReview.objects.filter(reviewed_at__lte=at), ids)
            .order_by("reviewed_at", "pk")
            .values("use_case_id", "reviewed_at")
        )
    ),
    "decision_types": Question(
        lambda ids, at: within(DecisionType.objects.order_by("name", "pk"), ids).values(
            "use_case_id", "name", "oversight_tier"
        )
    ),
    "waves": Question(
        lambda ids, at: (
            within(Phase.objects.filter(kind=Phase.Kind.WAVE), ids)
            .order_by("order", "pk")
            .values("use_case_id", "name", "state")
        )
    ),
}
_PLANS = Question(
    lambda ids, at: within(OversightPlan.objects.all(), ids).values(
        "use_case_id", "reviewers", "override_path", "stop_control", "updated_at"
    )
)


@fact_loaders.register
class Controls(FactLoader):
    key = "controls"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        ids = use_case_ids
        _gather(found, "integrations", _POINTS.of(ids, at))
        points = {p["id"]: p for facts in found.values() for p in facts["integrations"]}
        for row in _TESTS.of(ids, at):
            if row["point_id"] in points:  # the newest test of a point is the last one written here
                points[row.pop("point_id")]["test"] = row
        for name, question in _LISTS.items():
            _gather(found, name, question.of(ids, at))
        for plan in _PLANS.of(ids, at):
            found.setdefault(plan.pop("use_case_id"), empty())["oversight"] = plan
        return found

    def empty(self) -> Any:
        return empty()


def empty() -> dict[str, Any]:
    return {**{name: [] for name in ("integrations", *_LISTS)}, "oversight": {}}


def _gather(found: dict[UUID, Any], name: str, rows: Any) -> None:
    for row in rows:
        found.setdefault(row.pop("use_case_id"), empty())[name].append(row)
