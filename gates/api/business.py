"""The business view of a use case over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gates.business import business_report
from portfolio.api.kpis import visible_use_case


class BehindSerializer(serializers.Serializer[Any]):
    """A metric of the model that stands behind a KPI."""

    link = serializers.IntegerField()
    series = serializers.IntegerField()
    name = serializers.CharField()
    why = serializers.CharField()
    value = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    breached = serializers.BooleanField()
    url = serializers.CharField()


class PromisedSerializer(serializers.Serializer[Any]):
    """A KPI: what was promised, and what was measured."""

    key = serializers.CharField()
    name = serializers.CharField()
    primary = serializers.BooleanField()
    unit = serializers.CharField()
    direction = serializers.CharField()
    formula = serializers.CharField()
    baseline = serializers.DecimalField(max_digits=20, decimal_places=6, allow_null=True)
    baseline_date = serializers.DateField(allow_null=True)
    promised = serializers.DecimalField(max_digits=20, decimal_places=6, allow_null=True)
    promised_by = serializers.DateField(allow_null=True)
    measured = serializers.DecimalField(max_digits=20, decimal_places=6, allow_null=True)
    measured_at = serializers.DateField(allow_null=True)
    share = serializers.IntegerField(allow_null=True, help_text="Per cent of the way from the baseline to the promise.")
    measured_from = serializers.CharField(source="source")
    verdict = serializers.CharField()
    chart = serializers.CharField()
    metrics = BehindSerializer(many=True)


class CostSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    budget = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
    spent = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
    share = serializers.IntegerField(allow_null=True)
    over = serializers.BooleanField()
    as_of = serializers.DateTimeField()
    budget_ends = serializers.DateField(allow_null=True)


class UsedSerializer(serializers.Serializer[Any]):
    """Volume, adoption, overrides, running cost. ``measured`` is false where nobody measures it."""

    metric = serializers.CharField()
    about = serializers.CharField()
    name = serializers.CharField()
    measured = serializers.BooleanField()
    value = serializers.CharField(required=False)
    at = serializers.DateTimeField(required=False)
    month_before = serializers.CharField(required=False)
    breached = serializers.BooleanField(required=False)
    url = serializers.CharField(required=False)


class HappenedSerializer(serializers.Serializer[Any]):
    action = serializers.CharField()
    text = serializers.CharField()
    note = serializers.CharField()
    at = serializers.DateTimeField()
    url = serializers.CharField()


class SinceSerializer(serializers.Serializer[Any]):
    lines = HappenedSerializer(many=True)
    others = serializers.IntegerField(help_text="Entries of the record that are not among these.")


class OwedSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    text = serializers.CharField()
    who = serializers.CharField()
    due = serializers.DateTimeField()
    late = serializers.BooleanField()
    url = serializers.CharField()


class NextSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    gate = serializers.CharField()
    day = serializers.CharField()


class BusinessSerializer(serializers.Serializer[Any]):
    """One use case in words of the business."""

    use_case = serializers.CharField(source="use_case.key")
    use_case_name = serializers.CharField(source="use_case.name")
    stage = serializers.CharField()
    tier = serializers.CharField()
    assurance = serializers.CharField(source="assurance.state")
    at = serializers.DateTimeField()
    kpis = PromisedSerializer(many=True)
    cost = CostSerializer(allow_null=True)
    use = UsedSerializer(many=True)
    since = SinceSerializer()
    owed = OwedSerializer(many=True)
    next_reviews = NextSerializer(many=True)


class BusinessView(APIView):
    """Promised and measured, cost, use, what happened in the last month, what is owed."""

    @extend_schema(summary="Read the business view of a use case", responses=BusinessSerializer, tags=["use cases"])
    def get(self, request: Request, key: str) -> Response:
        report = business_report(visible_use_case(request, key))
        return Response(BusinessSerializer(report).data)
