"""Controls: issues and incidents, integrations, training, access, specialist reviews, oversight, declarations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import actions_on
from governance.catalogue import courses
from governance.models import (
    AccessReview,
    DataAccessRequest,
    DecisionType,
    Incident,
    IntegrationPoint,
    IntegrationTest,
    Issue,
    OversightPlan,
    PracticeDeclaration,
    SpecialistReview,
    TrainingRecord,
)
from governance.views.common import Act, acts, offers, panel_url
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of

SHOWN = 50
ADD = (
    "issue",
    "incident",
    "integration",
    "training",
    "data-access",
    "specialist-review",
    "access-review",
    "oversight",
    "declaration",
)


@panels.register
class ControlsPanel(Panel):
    key: ClassVar[str] = "controls"
    title: ClassVar[Any] = _("Controls")
    order: ClassVar[int] = 85
    template: ClassVar[str] = "governance/panels/controls.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        user, back = person_of(request), panel_url(use_case, self.key)
        allowed = actions_on(user, use_case)

        def with_acts(rows: Iterable[Model], *keys: str) -> list[dict[str, Any]]:
            return [{"row": row, "acts": acts(user, use_case, row, keys, allowed, next=back)} for row in rows]

        add: dict[str, Act] = {act.key.replace("-", "_"): act for act in offers(user, use_case, ADD, next=back)}
        tests = IntegrationTest.objects.select_related("version").order_by("-performed_at")
        requests = DataAccessRequest.objects.filter(use_case=use_case).select_related(
            "dataset__unit", "requested_by", "decided_by"
        )
        return {
            "add": add,
            "today": timezone.localdate(),
            "now": timezone.now(),
            "issues": Issue.objects.filter(use_case=use_case).select_related("owner")[:SHOWN],
            "incidents": Incident.objects.filter(use_case=use_case)[:SHOWN],
            "points": with_acts(
                IntegrationPoint.objects.filter(use_case=use_case).prefetch_related(Prefetch("tests", queryset=tests)),
                "test-integration",
                "edit-integration",
                "remove-integration",
            ),
            "training": [
                {**line, "course": courses().get(line["row"].course, line["row"].course)}
                for line in with_acts(
                    TrainingRecord.objects.filter(use_case=use_case).select_related("person"), "complete-training"
                )
            ],
            "requests": [
                {"row": row, "acts": acts(user, use_case, row, ("decide-data-access",), allowed, next=back)}
                if row.state == "open" and "data_access.approve" in allowed
                else {"row": row, "acts": []}
                for row in requests
            ],
            "reviews": [
                line if line["row"].closed_at is None else {**line, "acts": []}
                for line in with_acts(
                    SpecialistReview.objects.filter(use_case=use_case).select_related("opened_by", "closed_by"),
                    "close-specialist-review",
                )
            ],
            "access_reviews": AccessReview.objects.filter(use_case=use_case).select_related("reviewed_by")[:5],
            "oversight": OversightPlan.objects.filter(use_case=use_case).select_related("updated_by").first(),
            "decision_types": DecisionType.objects.filter(use_case=use_case),
            "declarations": with_acts(PracticeDeclaration.objects.filter(use_case=use_case), "edit-declaration"),
        }

    def rows(self, use_case: UseCase) -> QuerySet[Any]:
        return Issue.objects.filter(use_case=use_case, state=Issue.IssueState.OPEN)
