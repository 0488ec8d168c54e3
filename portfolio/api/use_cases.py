"""Use cases over REST: list, read, open, change, hold, resume; their plan and their moves between stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from accounts.models import User
from kernel.errors import Invalid
from kernel.viewsets import ReadOnlyViewSet, SerializerPerAction
from portfolio import services
from portfolio.api.filters import StageChangeFilter
from portfolio.api.serializers import (
    NOT_LISTED,
    PlanSerializer,
    ReasonSerializer,
    StageChangeSerializer,
    UseCaseChange,
    UseCaseDetail,
    UseCaseRow,
    UseCaseWrite,
)
from portfolio.forms.filters import UseCaseFilter
from portfolio.models import BusinessUnit, OperatingPlan, StageChange, UseCase
from portfolio.selectors.listing import visible

TAG = ["use cases"]


def user_of(request: Request) -> User:
    return cast(User, request.user)


def unit_by_code(code: str, field: str = "unit") -> BusinessUnit:
    unit = BusinessUnit.objects.filter(code=code).first()
    if unit is None:
        said = _("There is no unit with the code %(code)s.") % {"code": code}
        raise Invalid(said, errors={field: [said]})
    return unit


def refuse_strangers(serializer: Any, given: Any) -> None:
    """A field that is not ours is an error: a misspelt name must not be lost in silence."""
    if isinstance(given, Mapping):
        unknown = sorted(set(given) - set(serializer.fields))
        if unknown:
            said = _("There is no such field.")
            raise Invalid(_("Some fields are unknown."), errors={name: [said] for name in unknown})


def validated(view: Any, request: Request, **kwargs: Any) -> dict[str, Any]:
    """The body in the shape of the view's serializer, or ``Invalid``."""
    serializer = view.get_serializer(data=request.data, **kwargs)
    refuse_strangers(serializer, request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


@extend_schema_view(
    list=extend_schema(summary="List use cases", tags=TAG),
    retrieve=extend_schema(summary="Read a use case", tags=TAG),
)
class UseCaseViewSet(
    IdempotentMixin, SerializerPerAction, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """Those that the caller may see."""

    queryset = UseCase.objects.none()
    lookup_field = "key"
    lookup_value_regex = "[-A-Za-z0-9_]+"
    ordering = "key"
    filterset_class = UseCaseFilter
    serializer_class = UseCaseDetail
    serializers: ClassVar[Mapping[str, Any]] = {
        "list": UseCaseRow,
        "create": UseCaseWrite,
        "partial_update": UseCaseChange,
        "hold": ReasonSerializer,
        "resume": ReasonSerializer,
    }

    def get_queryset(self) -> QuerySet[UseCase]:
        rows = visible(user_of(self.request)).select_related("unit")
        return rows.defer(*NOT_LISTED) if self.action == "list" else rows

    @extend_schema(summary="Open a use case", request=UseCaseWrite, responses={201: UseCaseDetail}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        unit = unit_by_code(given.pop("unit"))
        use_case = services.create_use_case(unit=unit, by=user_of(request), **given)
        return self._answer(use_case, status.HTTP_201_CREATED)

    @extend_schema(summary="Change a use case", request=UseCaseChange, responses=UseCaseDetail, tags=TAG)
    def partial_update(self, request: Request, key: str) -> Response:
        use_case = self.get_object()
        changes = validated(self, request, partial=True)
        if "unit" in changes:
            changes["unit"] = unit_by_code(changes["unit"])
        return self._answer(services.edit_use_case(use_case=use_case, changes=changes, by=user_of(request)))

    @extend_schema(summary="Put a use case on hold", request=ReasonSerializer, responses=UseCaseDetail, tags=TAG)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, key: str) -> Response:
        use_case = self.get_object()
        return self._answer(services.hold(use_case=use_case, by=user_of(request), **validated(self, request)))

    @extend_schema(summary="Resume a use case", request=ReasonSerializer, responses=UseCaseDetail, tags=TAG)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, key: str) -> Response:
        use_case = self.get_object()
        return self._answer(services.resume(use_case=use_case, by=user_of(request), **validated(self, request)))

    @extend_schema(summary="Read the plan", responses=PlanSerializer, tags=TAG)
    @action(detail=True, methods=["get"])
    def plan(self, request: Request, key: str) -> Response:
        use_case = self.get_object()
        plan = OperatingPlan.objects.filter(use_case=use_case).first() or OperatingPlan(use_case=use_case)
        return Response(PlanSerializer(plan).data)

    @extend_schema(summary="Change the plan", request=PlanSerializer, responses=PlanSerializer, tags=TAG)
    @plan.mapping.patch
    def edit_plan(self, request: Request, key: str) -> Response:
        use_case = self.get_object()
        serializer = PlanSerializer(data=request.data, partial=True)
        refuse_strangers(serializer, request.data)
        serializer.is_valid(raise_exception=True)
        plan = services.edit_plan(use_case=use_case, changes=serializer.validated_data, by=user_of(request))
        return Response(PlanSerializer(plan).data)

    def _answer(self, use_case: UseCase, code: int = status.HTTP_200_OK) -> Response:
        headers = {"Location": f"/api/v1/use-cases/{use_case.key}/"} if code == status.HTTP_201_CREATED else None
        return Response(UseCaseDetail(use_case).data, status=code, headers=headers)


@extend_schema_view(
    list=extend_schema(summary="List moves between stages", tags=TAG),
    retrieve=extend_schema(summary="Read a move", tags=TAG),
)
class StageChangeViewSet(ReadOnlyViewSet):
    """How use cases moved, newest first. They move by gate decisions: there is nothing to write here."""

    queryset = StageChange.objects.none()
    ordering = ("-at", "-pk")
    serializer_class = StageChangeSerializer
    filterset_class = StageChangeFilter

    def get_queryset(self) -> QuerySet[StageChange]:
        rows = StageChange.objects.select_related("use_case")
        return for_user(rows, user_of(self.request), "use_case.view")
