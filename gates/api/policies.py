"""Policies over REST: anybody who may call may read the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import IdempotentMixin
from gates.api.policy_drafts import PolicyDiffSerializer, PolicyReasonWrite, difference
from gates.api.serializers import PolicyDetail, PolicyRow
from gates.in_force import body_of
from gates.models import Policy, PolicyVersion
from gates.policy import Criterion, Gate, PolicyBody
from gates.services.policies import withdraw_policy
from kernel.viewsets import ReadOnlyViewSet
from portfolio.api.use_cases import user_of, validated

TAG = ["policies"]
READABLE = ("published", "superseded")


@extend_schema_view(list=extend_schema(summary="List policies in force", tags=TAG))
class PolicyViewSet(IdempotentMixin, ReadOnlyViewSet):
    """The published version of every policy; the primary one decides stages."""

    queryset = PolicyVersion.objects.none()
    ordering = ("policy__key", "pk")
    lookup_field = "policy__key"
    lookup_url_kwarg = "key"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    serializer_class = PolicyRow
    serializers: ClassVar[Mapping[str, Any]] = {"retrieve": PolicyDetail, "withdraw": PolicyReasonWrite}

    def get_queryset(self) -> QuerySet[PolicyVersion]:
        rows = PolicyVersion.objects.select_related("policy")
        return rows.filter(state="published") if self.action == "list" else rows.filter(state__in=READABLE)

    @extend_schema(
        summary="Read a policy",
        parameters=[OpenApiParameter("version", str, description="An older version; without it, the one in force.")],
        responses=PolicyDetail,
        tags=TAG,
    )
    def retrieve(self, request: Request, key: str) -> Response:
        label = request.query_params.get("version")
        wanted = {"label": label} if label else {"state": "published"}
        version = self.get_queryset().filter(policy__key=key, **wanted).first()
        if version is None:
            raise Http404
        version.gates = _gates(body_of(version))  # type: ignore[attr-defined]  # read by the serializer
        return Response(PolicyDetail(version).data)

    @extend_schema(
        summary="What changed between two versions",
        parameters=[
            OpenApiParameter("from", str, required=True, description="The version before."),
            OpenApiParameter("to", str, description="The version after; without it, the one in force."),
        ],
        responses=PolicyDiffSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["get"])
    def diff(self, request: Request, key: str) -> Response:
        rows = self.get_queryset().filter(policy__key=key)
        label = request.query_params.get("to")
        after = rows.filter(label=label).first() if label else rows.filter(state="published").first()
        before = rows.filter(label=request.query_params.get("from", "")).first()
        if before is None or after is None:
            raise Http404
        return Response(difference(before, after))

    @extend_schema(
        summary="Take a policy out of force",
        description="Not the primary one, and not while reviews are open under it (409). Nothing is deleted.",
        request=PolicyReasonWrite,
        responses={204: None},
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, key: str) -> Response:
        policy = Policy.objects.select_related("unit").filter(key=key).first()
        if policy is None:
            raise Http404
        given = validated(self, request)
        withdraw_policy(policy=policy, by=user_of(request), reason=given["reason"])
        return Response(status=status.HTTP_204_NO_CONTENT)


def _gates(body: PolicyBody) -> list[dict[str, Any]]:
    return [_gate(body, gate) for gate in body.gates.values()]


def _gate(body: PolicyBody, gate: Gate) -> dict[str, Any]:
    return {
        "key": gate.key,
        "title": gate.title,
        "from_stages": gate.from_stages,
        "to_stage": gate.to_stage,
        "criteria": [_criterion(c) for c in gate.criteria],
        "matrix": [
            {"tier": tier, "signers": slots.signers, "decision_sla_days": slots.decision_sla_days}
            for tier, slots in body.matrix.get(gate.key, {}).items()
        ],
    }


def _criterion(criterion: Criterion) -> dict[str, Any]:
    limit = criterion.threshold
    threshold = None
    if limit is not None:
        by_tier = {tier: str(value) for tier, value in limit.by_tier.items()}
        threshold = {"measure": limit.measure, "op": limit.op, "unit": limit.unit, "by_tier": by_tier}
    return {
        "id": criterion.id,
        "title": criterion.title,
        "question": criterion.question,
        "type": criterion.type,
        "params": criterion.raw_params,
        "applies": criterion.applies,
        "applies_if": criterion.applies_if,
        "threshold": threshold,
        "owner": criterion.owner,
        "standards": criterion.standards,
        "validity_days": criterion.validity_days,
        "invalidated_by": criterion.invalidated_by,
        "waivable": criterion.waivable,
        "once": criterion.once,
    }
