"""What the engine finds, over REST: stored findings of all use cases, and one gate judged live."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import to_act_on
from gates.api.filters import FindingFilter
from gates.api.serializers import FindingSerializer, GateJudgement
from gates.engine import GateResult, Judged, remedy
from gates.models import CriterionFinding
from gates.moments import read_moment
from gates.presenting import in_order
from gates.standing import judge_now
from kernel.viewsets import ReadOnlyViewSet
from portfolio.api.use_cases import user_of
from portfolio.models import UseCase

TAG = ["findings"]


@extend_schema_view(
    list=extend_schema(summary="List findings", tags=TAG), retrieve=extend_schema(summary="Read a finding", tags=TAG)
)
class FindingViewSet(ReadOnlyViewSet):
    """What was last found of every criterion of the next gates, and of the gates under assurance."""

    queryset = CriterionFinding.objects.none()
    ordering = "pk"
    serializer_class = FindingSerializer
    filterset_class = FindingFilter

    def get_queryset(self) -> QuerySet[CriterionFinding]:
        rows = CriterionFinding.objects.select_related("use_case", "policy", "policy_version")
        return to_act_on(rows, user_of(self.request), "gate.read_verdict")


class GateView(APIView):
    @extend_schema(
        summary="Judge a gate",
        description="Judges one gate of one use case now, or as of a date, from the facts on record by then.",
        parameters=[
            OpenApiParameter("at", str, description="A date or a moment (ISO 8601); without a zone it is UTC."),
            OpenApiParameter("policy", str, description="Key of a policy; the one that decides stages comes first."),
        ],
        responses=GateJudgement,
        tags=TAG,
    )
    def get(self, request: Request, key: str, gate: str) -> Response:
        rows = to_act_on(UseCase.objects.select_related("unit"), user_of(request), "gate.read_verdict")
        use_case = rows.filter(key=key).first()
        if use_case is None:
            raise Http404
        at = read_moment(request.query_params.get("at"))
        policy = request.query_params.get("policy")
        found = [r for r in judge_now(use_case, gate, at=at) if policy in (None, r.policy.key)]
        if not found:
            raise Http404
        return Response(GateJudgement(judgement(use_case, found[0], at)).data)


def judgement(use_case: UseCase, result: GateResult, at: datetime) -> dict[str, Any]:
    """One judged gate as plain data."""
    body = result.policy
    return {
        "use_case": use_case.key,
        "stage": use_case.stage,
        "tier": result.tier,
        "policy": {"key": body.key, "version": body.version, "digest": body.digest},
        "gate": result.gate.key,
        "title": result.gate.title,
        "from_stages": result.gate.from_stages,
        "to_stage": result.gate.to_stage,
        "at": at,
        "ready": result.ready,
        "met": result.met,
        "required": result.required,
        "blockers": result.blockers,
        "findings": [_judged(j, result) for j in in_order(result)],
    }


def _judged(judged: Judged, result: GateResult) -> dict[str, Any]:
    criterion, finding = judged.criterion, judged.finding
    return {
        "criterion": criterion.id,
        "title": criterion.title,
        "question": criterion.question,
        "mandatory": judged.mandatory,
        "outcome": str(finding.outcome),
        "blocks": judged.blocks,
        "observed": finding.observed,
        "required": finding.required,
        "reason": finding.reason,
        "todo": "" if finding.outcome.passes else remedy(criterion, result.gate.key, result.tier),
        "owner": criterion.owner,
        "standards": criterion.standards,
        "evidence": [ref.plain() for ref in finding.evidence],
        "valid_until": finding.valid_until,
    }
