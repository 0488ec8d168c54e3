"""Response times over REST: what holds in the organisation or a unit, set and reset."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.idempotency import IdempotentMixin
from monitoring import services
from monitoring.models import Alert
from monitoring.responses import Target, targets
from portfolio.api.use_cases import unit_by_code, user_of
from portfolio.models import BusinessUnit

TAG = ["alerts"]
UNIT = OpenApiParameter("unit", OpenApiTypes.STR, description="Code of a unit; the whole organisation without one.")


class ResponseTimeShape(serializers.Serializer[Any]):
    """How soon alerts of one level are seen and over on one tier, how bad they are, who is told otherwise."""

    tier = serializers.CharField(read_only=True, help_text="high, limited or minimal")
    level = serializers.ChoiceField(choices=Alert.Level.choices, read_only=True)
    severity = serializers.ChoiceField(choices=Alert.Severity.choices)
    acknowledge_minutes = serializers.IntegerField(help_text="From when it opens to when somebody has seen it.")
    resolve_minutes = serializers.IntegerField(help_text="From when it opens to when it is over.")
    told_first = serializers.ListField(child=serializers.CharField(), help_text="Roles told when the time is over.")
    told_next = serializers.ListField(child=serializers.CharField(), help_text="Roles told when twice that is over.")
    set_by = serializers.ChoiceField(choices=Alert.ResponseBy.choices, read_only=True)
    unit = serializers.CharField(read_only=True, allow_null=True, help_text="The unit that tightened it last.")


class ResponseTimesView(APIView):
    """`GET /api/v1/response-times/`."""

    @extend_schema(
        operation_id="response_times_list",
        summary="List response times",
        description="What holds in the whole organisation, or in a unit: each tier and level once.",
        parameters=[UNIT],
        responses=ResponseTimeShape(many=True),
        tags=TAG,
    )
    def get(self, request: Request) -> Response:
        return Response([_told(target) for target in targets(_unit(request)).values()])


class ResponseTimeView(IdempotentMixin, APIView):
    """`PUT` and `DELETE /api/v1/response-times/{tier}/{level}/`."""

    @extend_schema(
        operation_id="response_times_set",
        summary="Set a response time",
        description=(
            "Of the whole organisation it needs `settings.edit`. Of a unit it needs `monitor.configure` there and "
            "only tightens: graver, sooner, more roles told than above the unit. It holds for alerts that open or "
            "rise from now on."
        ),
        parameters=[UNIT],
        request=ResponseTimeShape,
        responses=ResponseTimeShape,
        tags=TAG,
    )
    def put(self, request: Request, tier: str, level: str) -> Response:
        unit = _unit(request)
        _known(tier, level)
        shape = ResponseTimeShape(data=request.data)
        shape.is_valid(raise_exception=True)
        found = services.set_response(tier=tier, level=level, unit=unit, by=user_of(request), **shape.validated_data)
        return Response(_told(found))

    @extend_schema(
        operation_id="response_times_reset",
        summary="Go back to what holds above",
        description="In a unit to what its parent has, otherwise to what the product ships with.",
        parameters=[UNIT],
        request=None,
        responses={204: None},
        tags=TAG,
    )
    def delete(self, request: Request, tier: str, level: str) -> Response:
        _known(tier, level)
        services.reset_response(tier=tier, level=level, unit=_unit(request), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _unit(request: Request) -> BusinessUnit | None:
    code = request.query_params.get("unit", "")
    return unit_by_code(code) if code else None


def _known(tier: str, level: str) -> None:
    if (tier, level) not in targets():
        raise Http404


def _told(target: Target) -> dict[str, Any]:
    return {
        "tier": target.tier,
        "level": target.level,
        "severity": target.severity,
        "acknowledge_minutes": int(target.acknowledge.total_seconds() // 60),
        "resolve_minutes": int(target.resolve.total_seconds() // 60),
        "told_first": list(target.told_first),
        "told_next": list(target.told_next),
        "set_by": target.set_by,
        "unit": target.unit.code if target.unit else None,
    }
