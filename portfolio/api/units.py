"""Business units over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import IdempotentMixin
from kernel.viewsets import SerializerPerAction
from portfolio import services
from portfolio.api.serializers import UnitChange, UnitSerializer, UnitWrite
from portfolio.api.use_cases import unit_by_code, user_of, validated
from portfolio.models import BusinessUnit

TAG = ["units"]


@extend_schema_view(
    list=extend_schema(summary="List business units", tags=TAG),
    retrieve=extend_schema(summary="Read a business unit", tags=TAG),
)
class UnitViewSet(
    IdempotentMixin, SerializerPerAction, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """The tree of the organisation, in its order. Everybody who may sign in knows how the organisation is divided."""

    queryset = BusinessUnit.objects.select_related("parent")
    lookup_field = "code"
    lookup_value_regex = "[-A-Za-z0-9_]+"
    ordering = "path"
    serializer_class = UnitSerializer
    serializers: ClassVar[Mapping[str, Any]] = {"create": UnitWrite, "partial_update": UnitChange}
    filterset_fields: ClassVar[list[str]] = []

    def get_queryset(self) -> QuerySet[BusinessUnit]:
        return BusinessUnit.objects.select_related("parent")

    @extend_schema(summary="Add a unit", request=UnitWrite, responses={201: UnitSerializer}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        parent = unit_by_code(given.pop("parent"), "parent")
        unit = services.create_unit(parent=parent, by=user_of(request), **given)
        return Response(UnitSerializer(unit).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Rename a unit", request=UnitChange, responses=UnitSerializer, tags=TAG)
    def partial_update(self, request: Request, code: str) -> Response:
        changes = validated(self, request, partial=True)
        unit = services.edit_unit(unit=self.get_object(), changes=changes, by=user_of(request))
        return Response(UnitSerializer(unit).data)
