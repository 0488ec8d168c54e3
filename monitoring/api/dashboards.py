"""Dashboards over REST: list, read, make, change, delete, have back, and the numbers of their widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters as filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from kernel.errors import Invalid
from kernel.viewsets import ViewSet
from monitoring.addressing import version_of
from monitoring.boards import cells, stored
from monitoring.forms.spans import SpanForm
from monitoring.models import Dashboard
from monitoring.selectors.dashboards import dashboards_for, deleted_by
from monitoring.services import dashboards as services
from monitoring.spans import RANGES
from monitoring.widget import VIEW, Scope
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated
from portfolio.models import BusinessUnit

TAG = ["dashboards"]


class DashboardFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    unit = filters.CharFilter(field_name="unit__code", help_text="Code of a unit.")

    class Meta:
        model = Dashboard
        fields: ClassVar[list[str]] = ["sharing", "owner"]


class DashboardSerializer(serializers.ModelSerializer[Dashboard]):
    use_case = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    version = serializers.SlugRelatedField[Any](slug_field="label", read_only=True)
    unit = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    roles = serializers.SlugRelatedField[Any](slug_field="role", source="shares", many=True, read_only=True)
    widgets = serializers.ListField(source="layout", child=serializers.DictField(), read_only=True)

    class Meta:
        model = Dashboard
        fields = (
            "id",
            "name",
            "description",
            "use_case",
            "version",
            "unit",
            "owner",
            "sharing",
            "roles",
            "range",
            "widgets",
            "revision",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class _Shape(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, max_length=500)
    range = serializers.ChoiceField(required=False, choices=list(RANGES))
    sharing = serializers.ChoiceField(required=False, choices=Dashboard.Sharing.choices)
    roles = serializers.ListField(
        required=False,
        child=serializers.CharField(max_length=40),
        help_text="With sharing `roles`: whose holders see it.",
    )
    widgets = serializers.ListField(
        required=False,
        child=serializers.DictField(),
        help_text="widget, title, width (3, 4, 6, 8, 12 of 12), height (short, normal, tall), params. "
        "Left out when making one: the ready-made ones.",
    )


class DashboardWrite(_Shape):
    use_case = serializers.CharField(required=False, help_text="Key; left out, the unit or the portfolio.")
    version = serializers.CharField(required=False, help_text="Label of a version of the use case's model.")
    unit = serializers.CharField(required=False, help_text="Code of a unit.")


class DashboardChange(_Shape):
    revision = serializers.IntegerField(help_text="The one you read; 409 when somebody changed it since.")


@extend_schema_view(
    list=extend_schema(summary="List dashboards", tags=TAG),
    retrieve=extend_schema(summary="Read a dashboard", tags=TAG),
)
class DashboardViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Your own and those that others share with you. Machines read them; people make them."""

    queryset = Dashboard.objects.none()
    ordering = ("name", "pk")
    serializer_class = DashboardSerializer
    filterset_class = DashboardFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": DashboardWrite, "partial_update": DashboardChange}

    def get_queryset(self) -> QuerySet[Dashboard]:
        return dashboards_for(user_of(self.request)).prefetch_related("shares")

    @extend_schema(summary="Make a dashboard", request=DashboardWrite, responses={201: DashboardSerializer}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        scope = _scope(request, given)
        made = services.create_dashboard(scope=scope, by=user_of(request), layout=given.pop("widgets", None), **given)
        return Response(DashboardSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Change a dashboard", request=DashboardChange, responses=DashboardSerializer, tags=TAG)
    def partial_update(self, request: Request, pk: str) -> Response:
        dashboard = self.get_object()
        changes = validated(self, request, partial=True)
        revision = changes.pop("revision", None)
        if revision is None:
            said = _("Say which revision you read.")
            raise Invalid(said, errors={"revision": [said]})
        if "widgets" in changes:
            changes["layout"] = changes.pop("widgets")
        saved = services.edit_dashboard(dashboard=dashboard, revision=revision, changes=changes, by=user_of(request))
        return Response(DashboardSerializer(saved).data)

    @extend_schema(summary="Delete a dashboard", responses={204: None}, tags=TAG)
    def destroy(self, request: Request, pk: str) -> Response:
        services.delete_dashboard(dashboard=self.get_object(), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Have a deleted dashboard back", request=None, responses=DashboardSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        dashboard = get_object_or_404(deleted_by(user_of(request)), pk=pk)
        return Response(DashboardSerializer(services.restore_dashboard(dashboard=dashboard, by=user_of(request))).data)

    @extend_schema(
        summary="Read the numbers of a dashboard",
        description="The data of every widget by its id, as its page draws it; `error` where there is none.",
        parameters=[
            OpenApiParameter("range", str, description=", ".join(RANGES)),
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="UTC; instead of a range."),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="UTC; else until now."),
        ],
        responses=OpenApiTypes.OBJECT,
        filters=False,
        tags=TAG,
    )
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def data(self, request: Request, pk: str) -> Response:
        board = stored(self.get_object())
        form = SpanForm(request.query_params, usual=board.range)
        if not form.is_valid():
            raise Invalid(_("This is no range."), errors={name: list(said) for name, said in form.errors.items()})
        found = cells(board, user_of(request), form.span, all_data=True)
        return Response({cell.id: {"error": cell.error} if cell.data is None else cell.data for cell in found})


def _scope(request: Request, given: dict[str, Any]) -> Scope:
    key, label, code = given.pop("use_case", ""), given.pop("version", ""), given.pop("unit", "")
    if key and code:
        said = _("Name a use case or a unit, not both.")
        raise Invalid(said, errors={"unit": [said]})
    if key:
        use_case = visible_use_case(request, key)
        return Scope(use_case=use_case, version=version_of(use_case, label))
    if label:
        said = _("Say whose version that is.")
        raise Invalid(said, errors={"use_case": [said]})
    if not code:
        return Scope()
    unit = for_user(BusinessUnit.objects.all(), user_of(request), VIEW).filter(code=code).first()
    if unit is None:
        said = _("There is no unit with the code %(code)s.") % {"code": code}
        raise Invalid(said, errors={"unit": [said]})
    return Scope(unit=unit)
