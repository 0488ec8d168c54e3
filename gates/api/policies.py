"""Policies over REST: anybody who may call may read the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from gates.api.serializers import PolicyDetail, PolicyRow
from gates.in_force import body_of
from gates.models import PolicyVersion
from gates.policy import Criterion, Gate, PolicyBody
from kernel.viewsets import ReadOnlyViewSet

TAG = ["policies"]


@extend_schema_view(list=extend_schema(summary="List policies in force", tags=TAG))
class PolicyViewSet(ReadOnlyViewSet):
    """The published version of every policy; the primary one decides stages."""

    queryset = PolicyVersion.objects.none()
    ordering = ("policy__key", "pk")
    lookup_field = "policy__key"
    lookup_url_kwarg = "key"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    serializer_class = PolicyRow
    serializers: ClassVar[Mapping[str, Any]] = {"retrieve": PolicyDetail}

    def get_queryset(self) -> QuerySet[PolicyVersion]:
        rows = PolicyVersion.objects.select_related("policy")
        return rows.filter(state="published") if self.action == "list" else rows.exclude(state="draft")

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
