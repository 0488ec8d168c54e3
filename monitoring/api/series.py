"""Series, their points and their rules over REST."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from kernel.errors import Invalid
from kernel.viewsets import ViewSet
from monitoring import services
from monitoring.addressing import version_of
from monitoring.api.filters import RuleFilter, SeriesFilter
from monitoring.api.serializers import (
    BaselineWrite,
    PointsAnswer,
    RuleChange,
    RuleSerializer,
    RuleWrite,
    SeriesChange,
    SeriesSerializer,
    SeriesWrite,
    TrialAnswer,
    TrialWrite,
)
from monitoring.models import Rule, Series
from monitoring.selectors import buckets, first_time, points_of
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

TAG = ["metrics"]
DEFAULT_BUCKETS, MOST_BUCKETS, MOST_POINTS = 500, 5000, 10_000


@extend_schema_view(
    list=extend_schema(summary="List series", tags=TAG), retrieve=extend_schema(summary="Read a series", tags=TAG)
)
class SeriesViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Metrics that are watched, with their newest value."""

    queryset = Series.objects.none()
    ordering = ("use_case__key", "metric", "pk")
    serializer_class = SeriesSerializer
    filterset_class = SeriesFilter
    serializers: ClassVar[Mapping[str, Any]] = {
        "create": SeriesWrite,
        "partial_update": SeriesChange,
        "baseline": BaselineWrite,
        "try_rule": TrialWrite,
    }

    def get_queryset(self) -> QuerySet[Series]:
        return for_user(
            Series.objects.select_related("use_case__unit", "version"), user_of(self.request), "use_case.view"
        )

    @extend_schema(summary="Define a series", request=SeriesWrite, responses={201: SeriesSerializer}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given.pop("use_case"))
        version = version_of(use_case, given.pop("version", ""))
        series = services.define_series(use_case=use_case, version=version, by=user_of(request), **given)
        return Response(SeriesSerializer(series).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Change a series", request=SeriesChange, responses=SeriesSerializer, tags=TAG)
    def partial_update(self, request: Request, pk: str) -> Response:
        series = self.get_object()
        changes = validated(self, request, partial=True)
        return Response(
            SeriesSerializer(services.edit_series(series=series, changes=changes, by=user_of(request))).data
        )

    @extend_schema(summary="Set the baseline", request=BaselineWrite, responses=SeriesSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def baseline(self, request: Request, pk: str) -> Response:
        series = self.get_object()
        value = validated(self, request)["value"]
        return Response(SeriesSerializer(services.set_baseline(series=series, value=value, by=user_of(request))).data)

    @extend_schema(
        summary="Try a rule on the last 90 days",
        description="The alerts that such a rule would have opened. Nothing is stored.",
        request=TrialWrite,
        responses=TrialAnswer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"], url_path="try-rule")
    def try_rule(self, request: Request, pk: str) -> Response:
        series = self.get_object()
        trial = services.try_rule(series=series, by=user_of(request), **validated(self, request))
        return Response(TrialAnswer(trial).data)

    @extend_schema(
        summary="Read points",
        description="Least, greatest, mean and last value per bucket; with `buckets=0` the points themselves.",
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="From this time on; else from the first."),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="Before this time; else until now."),
            OpenApiParameter("buckets", int, description=f"0 to {MOST_BUCKETS}; {DEFAULT_BUCKETS} unless given."),
        ],
        responses=PointsAnswer,
        filters=False,
        tags=TAG,
    )
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def points(self, request: Request, pk: str) -> Response:
        series = self.get_object()
        end = _time(request, "to") or timezone.now() + timedelta(minutes=5)
        start = _time(request, "from") or first_time(series) or end - timedelta(days=1)
        count = _count(request)
        answer: dict[str, Any] = {"series": series.pk, "metric": series.metric, "unit": series.unit}
        answer |= {"start": start, "end": end, "truncated": False}
        if start >= end:
            raise Invalid(_("“from” must be before “to”."), errors={"from": [_("It is not before “to”.")]})
        if count:
            answer["buckets"] = buckets(series, start=start, end=end, count=count)
        else:
            found = list(points_of(series, start=start, end=end, limit=MOST_POINTS + 1))
            answer["points"], answer["truncated"] = found[:MOST_POINTS], len(found) > MOST_POINTS
        return Response(answer)


@extend_schema_view(
    list=extend_schema(summary="List rules", tags=TAG), retrieve=extend_schema(summary="Read a rule", tags=TAG)
)
class RuleViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Thresholds on series."""

    queryset = Rule.objects.none()
    ordering = ("-created_at",)
    serializer_class = RuleSerializer
    filterset_class = RuleFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": RuleWrite, "partial_update": RuleChange}

    def get_queryset(self) -> QuerySet[Rule]:
        return for_user(Rule.objects.all(), user_of(self.request), "use_case.view")

    @extend_schema(summary="Define a rule", request=RuleWrite, responses={201: RuleSerializer}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        visible = for_user(Series.objects.select_related("use_case__unit"), user_of(request), "use_case.view")
        pk = given.pop("series")
        series = visible.filter(pk=pk).first()
        if series is None:
            said = _("There is no series %(pk)d.") % {"pk": pk}
            raise Invalid(said, errors={"series": [said]})
        rule = services.define_rule(series=series, by=user_of(request), **given)
        return Response(RuleSerializer(rule).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Change a rule", request=RuleChange, responses=RuleSerializer, tags=TAG)
    def partial_update(self, request: Request, pk: str) -> Response:
        rule = self.get_object()
        changes = validated(self, request, partial=True)
        enabled = changes.pop("enabled", None)
        if changes:
            rule = services.edit_rule(rule=rule, changes=changes, by=user_of(request))
        if enabled is not None:
            rule = services.switch_rule(rule=rule, enabled=enabled, by=user_of(request))
        return Response(RuleSerializer(rule).data)


def _time(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        said = _("Give ISO 8601 with a zone, such as 2026-11-21T10:00:00Z.")
        raise Invalid(f"{name}: {said}", errors={name: [said]})
    return moment


def _count(request: Request) -> int:
    text = request.query_params.get("buckets", str(DEFAULT_BUCKETS))
    if not text.isdigit() or int(text) > MOST_BUCKETS:
        said = _("Give a whole number from 0 to %(most)d.") % {"most": MOST_BUCKETS}
        raise Invalid(f"buckets: {said}", errors={"buckets": [said]})
    return int(text)
