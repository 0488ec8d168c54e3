"""Champion and challenger over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters as filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from governance.models import ModelVersion
from kernel.errors import Invalid
from kernel.viewsets import ViewSet
from monitoring import services
from monitoring.addressing import version_of
from monitoring.models import Comparison
from monitoring.selectors.comparing import compare
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated
from portfolio.models import UseCase

TAG = ["comparisons"]


class ComparisonSerializer(serializers.ModelSerializer[Comparison]):
    use_case = serializers.CharField(source="use_case.key")
    champion = serializers.CharField(source="champion.label")
    challenger = serializers.CharField(source="challenger.label")
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    decided_by = serializers.UUIDField(source="decided_by_id", allow_null=True)
    run = serializers.UUIDField(source="run_id", allow_null=True, help_text="The validation run of the challenger.")
    guardrails = serializers.ListField(child=serializers.CharField())
    result = serializers.DictField(help_text="The figures of the verdict, sealed; empty until then.")

    class Meta:
        model = Comparison
        fields = (
            *("id", "use_case", "champion", "challenger", "kind", "basis", "metric", "unit", "direction", "margin"),
            *("guardrails", "traffic_percent", "min_sample", "min_days", "starts_at", "ends_at", "note", "created_by"),
            *("created_at", "verdict", "reason", "decided_by", "decided_at", "result", "sha256", "run"),
        )
        read_only_fields = fields


class ComparisonWrite(serializers.Serializer[Any]):
    """The rule is stated before the start and is not edited afterwards."""

    use_case = serializers.CharField(help_text="Key of the use case.")
    champion = serializers.CharField(help_text="Label of a version.")
    challenger = serializers.CharField(help_text="Label of another version.")
    kind = serializers.ChoiceField(choices=Comparison.Kind.choices)
    basis = serializers.ChoiceField(choices=Comparison.Basis.choices, default="points")
    metric = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=60, help_text="Needed with points."
    )
    margin = serializers.FloatField(default=0.0, help_text="The challenger has to be better by more than this.")
    guardrails = serializers.ListField(child=serializers.CharField(max_length=60), default=list)
    traffic_percent = serializers.FloatField(default=100.0, min_value=0, max_value=100)
    min_sample = serializers.IntegerField(default=30, min_value=2, max_value=10_000_000)
    min_days = serializers.IntegerField(default=7, min_value=0, max_value=3650)
    starts_at = serializers.DateTimeField(required=False, help_text="Now, unless given; not in the past.")
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, default="")


class VerdictWrite(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=Comparison.Verdict.choices)
    reason = serializers.CharField()


class IntervalShape(serializers.Serializer[Any]):
    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class SideShape(serializers.Serializer[Any]):
    n = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True)


class GuardrailShape(serializers.Serializer[Any]):
    metric = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    champion = SideShape()
    challenger = SideShape()
    difference = IntervalShape(allow_null=True)
    state = serializers.ChoiceField(choices=["ok", "worse", "unknown"])


class FiguresShape(serializers.Serializer[Any]):
    """``difference`` is challenger minus champion; ``gain`` is the same, turned so that more is better."""

    at = serializers.DateTimeField()
    champion = SideShape()
    challenger = SideShape()
    difference = IntervalShape(allow_null=True)
    gain = IntervalShape(allow_null=True)
    guardrails = GuardrailShape(many=True)
    days = serializers.FloatField()
    finding = serializers.ChoiceField(choices=["not_enough", "promote", "keep", "inconclusive"])
    missing = serializers.ListField(child=serializers.CharField())


class ComparisonFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    open = filters.BooleanFilter(field_name="decided_at", lookup_expr="isnull", help_text="Without a verdict, or with.")

    class Meta:
        model = Comparison
        fields: ClassVar[list[str]] = ["kind", "basis", "metric", "verdict"]


@extend_schema_view(
    list=extend_schema(summary="List comparisons", tags=TAG),
    retrieve=extend_schema(summary="Read a comparison", tags=TAG),
)
class ComparisonViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Two versions beside each other, the newest first."""

    queryset = Comparison.objects.none()
    ordering = ("-starts_at", "-pk")
    serializer_class = ComparisonSerializer
    filterset_class = ComparisonFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": ComparisonWrite, "decide": VerdictWrite}

    def get_queryset(self) -> QuerySet[Comparison]:
        rows = Comparison.objects.select_related("use_case", "champion", "challenger")
        return for_user(rows, user_of(self.request), "use_case.view")

    @extend_schema(
        summary="Define a comparison", request=ComparisonWrite, responses={201: ComparisonSerializer}, tags=TAG
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given.pop("use_case"))
        for name in ("champion", "challenger"):
            given[name] = _version(use_case, given[name], name)
        comparison = services.define_comparison(use_case=use_case, by=user_of(request), **given)
        return Response(ComparisonSerializer(comparison).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Read the figures as they stand", responses=FiguresShape, filters=False, tags=TAG)
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def figures(self, request: Request, pk: str) -> Response:
        return Response(FiguresShape(compare(self.get_object())).data)

    @extend_schema(
        summary="Give the verdict",
        description="By a person with `validation.record`. It becomes a validation run of the challenger.",
        request=VerdictWrite,
        responses=ComparisonSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        comparison = self.get_object()
        given = validated(self, request)
        decided = services.decide_comparison(comparison=comparison, by=user_of(request), **given)
        return Response(ComparisonSerializer(decided).data)


def _version(use_case: UseCase, label: str, name: str) -> ModelVersion:
    try:
        version = version_of(use_case, label)
    except Invalid as error:
        raise Invalid(error.message, errors={name: [error.message]}) from None
    if version is None:
        said = _("Name a version.")
        raise Invalid(said, errors={name: [said]})
    return version
