"""Success measures and measurements over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import for_user, to_act_on
from accounts.api.idempotency import IdempotentMixin
from kernel.errors import Invalid
from kernel.viewsets import SerializerPerAction
from portfolio import services
from portfolio.api.filters import KpiFilter, MeasurementFilter
from portfolio.api.serializers import KpiChange, KpiSerializer, KpiWrite, MeasurementSerializer, MeasurementWrite
from portfolio.api.use_cases import user_of, validated
from portfolio.models import Kpi, KpiMeasurement, UseCase

TAG = ["KPIs"]


def visible_use_case(request: Request, key: str, action: str = "use_case.view") -> UseCase:
    """The use case of that key, if the caller may see it or do ``action`` on it: machines act without reading."""
    use_case = to_act_on(UseCase.objects.select_related("unit"), user_of(request), action).filter(key=key).first()
    if use_case is None:
        raise Http404
    return use_case


@extend_schema_view(
    list=extend_schema(summary="List KPIs", tags=TAG), retrieve=extend_schema(summary="Read a KPI", tags=TAG)
)
class KpiViewSet(
    IdempotentMixin, SerializerPerAction, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """Every version of the success measures of use cases that the caller may see."""

    queryset = Kpi.objects.none()
    ordering = ("use_case__key", "key", "version")
    serializer_class = KpiSerializer
    filterset_class = KpiFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": KpiWrite, "partial_update": KpiChange}

    def get_queryset(self) -> QuerySet[Kpi]:
        return for_user(Kpi.objects.select_related("use_case"), user_of(self.request), "use_case.view")

    @extend_schema(summary="Define a KPI", request=KpiWrite, responses={201: KpiSerializer}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given.pop("use_case"))
        kpi = services.define_kpi(use_case=use_case, by=user_of(request), **given)
        return Response(KpiSerializer(kpi).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a KPI",
        description="A locked KPI stays as it is: the answer is then its next version, which has another id.",
        request=KpiChange,
        responses=KpiSerializer,
        tags=TAG,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        kpi = self.get_object()
        changed = services.edit_kpi(kpi=kpi, changes=validated(self, request, partial=True), by=user_of(request))
        return Response(KpiSerializer(changed).data)

    @extend_schema(summary="Lock a KPI", request=None, responses=KpiSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def lock(self, request: Request, pk: str) -> Response:
        return Response(KpiSerializer(services.lock_kpi(kpi=self.get_object(), by=user_of(request))).data)


@extend_schema_view(
    list=extend_schema(summary="List measurements", tags=TAG),
    retrieve=extend_schema(summary="Read a measurement", tags=TAG),
)
class MeasurementViewSet(
    IdempotentMixin, SerializerPerAction, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """What was measured, newest window first. Appended, never changed."""

    queryset = KpiMeasurement.objects.none()
    ordering = ("-window_end", "-pk")
    serializer_class = MeasurementSerializer
    filterset_class = MeasurementFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": MeasurementWrite}

    def get_queryset(self) -> QuerySet[KpiMeasurement]:
        rows = KpiMeasurement.objects.select_related("kpi__use_case")
        return for_user(rows, user_of(self.request), "use_case.view")

    @extend_schema(
        summary="Record a measurement", request=MeasurementWrite, responses={201: MeasurementSerializer}, tags=TAG
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given.pop("use_case"), "kpi.record")
        key = given.pop("kpi")
        kpi = Kpi.objects.select_related("use_case").filter(use_case=use_case, key=key, is_current=True).first()
        if kpi is None:
            said = _("%(use_case)s has no KPI with the key %(key)s.") % {"use_case": use_case.key, "key": key}
            raise Invalid(said, errors={"kpi": [said]})
        measurement = services.record_measurement(kpi=kpi, by=user_of(request), **given)
        return Response(MeasurementSerializer(measurement).data, status=status.HTTP_201_CREATED)
