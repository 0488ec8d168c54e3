"""The executive report over REST: the numbers of its page."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import for_user, require
from gates.executive import ACTION, VIEW, executive_report
from portfolio.api.use_cases import user_of
from portfolio.models import BusinessUnit


class ExecutiveLine(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not the label of this one
    now = serializers.FloatField(allow_null=True)
    before = serializers.FloatField(allow_null=True, help_text="A month ago; null where nobody records it with a time.")
    unit = serializers.CharField()
    tone = serializers.CharField(help_text="met, attention, blocked or empty.")
    url = serializers.CharField(help_text="The list behind the number.")


class ExecutiveSection(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    words = serializers.CharField()
    icon = serializers.CharField()
    lines = ExecutiveLine(many=True)


class ExecutiveSerializer(serializers.Serializer[Any]):
    scope = serializers.CharField()
    at = serializers.DateTimeField()
    compared_with = serializers.DateTimeField()
    use_cases = serializers.IntegerField()
    sections = ExecutiveSection(many=True)


class ExecutiveView(APIView):
    @extend_schema(
        summary="Read the executive report",
        description="What the caller may see, now and a month ago.",
        parameters=[OpenApiParameter("unit", str, description="Code of a unit; those below it count.")],
        responses=ExecutiveSerializer,
        tags=["reports"],
    )
    def get(self, request: Request) -> Response:
        user = user_of(request)
        require(user, ACTION)
        unit = None
        if code := request.query_params.get("unit"):
            unit = for_user(BusinessUnit.objects.all(), user, VIEW).filter(code=code).first()
            if unit is None:
                raise Http404
        return Response(executive_report(user, unit).plain())
