"""People, their roles and their tokens over REST."""

from __future__ import annotations

from typing import Any, ClassVar, cast
from uuid import UUID

import django_filters as filters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.access import VIEW, for_user, scopes
from accounts.api.idempotency import IdempotentMixin
from accounts.api.serializers import (
    ConfirmWrite,
    ManagerWrite,
    MeSerializer,
    NewTokenSerializer,
    PersonSerializer,
    ReasonWrite,
    RoleAssignmentSerializer,
    RoleAssignmentWrite,
    TokenSerializer,
    TokenWrite,
)
from accounts.confirming import ConfirmForm
from accounts.models import ApiToken, RoleAssignment, User
from accounts.selectors import visible_assignments, visible_people, visible_tokens, with_scope_names
from kernel.errors import Invalid
from kernel.viewsets import ReadOnlyViewSet, ViewSet

PEOPLE, ROLES, TOKENS = ["people"], ["roles"], ["tokens"]


def user_of(request: Request) -> User:
    return cast(User, request.user)


class MeView(APIView):
    @extend_schema(summary="Who am I?", responses=MeSerializer, tags=PEOPLE)
    def get(self, request: Request) -> Response:
        user = user_of(request)
        held = with_scope_names(user.role_assignments.filter(ended_at__isnull=True)).order_by("role")
        limit = user.token_scopes
        me = {
            "id": user.pk,
            "full_name": user.full_name,
            "email": user.email,
            "kind": user.kind,
            "roles": list(held),
            "scopes": None if limit is None else sorted(limit),
        }
        return Response(MeSerializer(cast(Any, me)).data)


class ConfirmView(APIView):
    """Prove once more who is signed in, in the same session: signing and deciding want it fresh."""

    @extend_schema(
        summary="Confirm that it is you",
        description="With the password or a code of the second factor. Holds for five minutes in this session. Tokens"
        " sign nothing, so they have nothing to confirm.",
        request=ConfirmWrite,
        responses={204: None},
        tags=PEOPLE,
    )
    def post(self, request: Request) -> Response:
        given = _validated(ConfirmWrite, request)
        if user_of(request).token_scopes is not None:
            raise PermissionDenied(_("A token confirms nothing: sign in and do it yourself."))
        form = ConfirmForm(given, request=request._request)
        form.request.user = request.user
        if not form.is_valid():
            raise Invalid(_("This does not confirm that it is you."), errors={"password": [*_said(form)]})
        if not form.is_confirmed:
            raise Invalid(
                _("You have neither a password nor codes to confirm with here."),
                hint=_("Confirm with your passkey or at your identity provider, in the browser."),
            )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _said(form: ConfirmForm) -> list[str]:
    return [str(line) for lines in form.errors.values() for line in lines]


class PersonFilter(filters.FilterSet):
    q = filters.CharFilter(field_name="full_name", lookup_expr="icontains", help_text="Part of the name.")

    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["kind", "is_active"]


@extend_schema_view(
    list=extend_schema(summary="List people and service accounts", tags=PEOPLE),
    retrieve=extend_schema(summary="Read a person", tags=PEOPLE),
)
class PersonViewSet(ReadOnlyViewSet):
    """Accounts that the caller may know of: those with roles where the caller sees anything."""

    queryset = User.objects.none()
    serializer_class = PersonSerializer
    filterset_class = PersonFilter
    ordering = ("full_name", "pk")

    def get_queryset(self) -> QuerySet[User]:
        return visible_people(user_of(self.request)).select_related("manager")

    @extend_schema(
        summary="Say whom a person reports to",
        description="By those who manage accounts. Separation of duties asks it of independent validators.",
        request=ManagerWrite,
        responses=PersonSerializer,
        tags=PEOPLE,
    )
    @action(detail=True, methods=["post"], url_path="set-manager")
    def set_manager(self, request: Request, pk: str) -> Response:
        given, by = _validated(ManagerWrite, request), user_of(request)
        person = self.get_object()
        manager = get_object_or_404(visible_people(by), pk=given["manager"]) if given["manager"] else None
        services.set_manager(user=person, manager=manager, by=by)
        return Response(PersonSerializer(self.get_queryset().get(pk=person.pk)).data)


class RoleAssignmentFilter(filters.FilterSet):
    current = filters.BooleanFilter(field_name="ended_at", lookup_expr="isnull", help_text="Only those in force.")
    use_case = filters.CharFilter(method="of_use_case", help_text="Key of a use case.")
    unit = filters.CharFilter(method="of_unit", help_text="Code of a unit.")

    class Meta:
        model = RoleAssignment
        fields: ClassVar[list[str]] = ["user", "role"]

    def of_use_case(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(scope_kind=RoleAssignment.Scope.USE_CASE, scope_key=value)

    def of_unit(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(scope_kind=RoleAssignment.Scope.UNIT, scope_key=value)


@extend_schema_view(
    list=extend_schema(summary="List role assignments", tags=ROLES),
    retrieve=extend_schema(summary="Read a role assignment", tags=ROLES),
)
class RoleAssignmentViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Who holds or held which role where, newest first."""

    queryset = RoleAssignment.objects.none()
    serializer_class = RoleAssignmentSerializer
    filterset_class = RoleAssignmentFilter
    ordering = ("-starts_at", "-pk")

    def get_queryset(self) -> QuerySet[RoleAssignment]:
        rows = visible_assignments(user_of(self.request)).select_related("user", "granted_by", "ended_by")
        return with_scope_names(rows)

    @extend_schema(
        summary="Assign a role",
        request=RoleAssignmentWrite,
        responses={201: RoleAssignmentSerializer},
        tags=ROLES,
    )
    def create(self, request: Request) -> Response:
        given = _validated(RoleAssignmentWrite, request)
        by = user_of(request)
        assignment = services.assign_role(
            user=get_object_or_404(visible_people(by), pk=given["user"]),
            role=given["role"],
            on=_scope(given, by),
            by=by,
            reason=given["reason"],
        )
        return self._shown(assignment.pk, status.HTTP_201_CREATED)

    @extend_schema(summary="End a role", request=ReasonWrite, responses=RoleAssignmentSerializer, tags=ROLES)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        given = _validated(ReasonWrite, request)
        row = services.end_role(assignment=self.get_object(), by=user_of(request), reason=given["reason"])
        return self._shown(row.pk, status.HTTP_200_OK)

    def _shown(self, key: UUID, code: int) -> Response:
        row = with_scope_names(RoleAssignment.objects.select_related("user", "granted_by", "ended_by")).get(pk=key)
        return Response(RoleAssignmentSerializer(row).data, status=code)


@extend_schema_view(list=extend_schema(summary="List your tokens and those of your service accounts", tags=TOKENS))
class TokenViewSet(mixins.ListModelMixin, ViewSet):
    """API tokens. Their keys are shown once, when they are made.

    No ``Idempotency-Key`` here: the answer with the key would have to be kept, and keys are kept nowhere.
    """

    queryset = ApiToken.objects.none()
    serializer_class = TokenSerializer
    ordering = ("-created_at", "-pk")
    filterset_fields: ClassVar[list[str]] = ["user"]

    def get_queryset(self) -> QuerySet[ApiToken]:
        return visible_tokens(user_of(self.request))

    @extend_schema(
        summary="Make a token",
        description="A request made with a token needs the scope `token.manage`, and gives no scope that it lacks."
        " `Idempotency-Key` is not honoured: the key is kept nowhere, so a repeat could not be answered with it.",
        request=TokenWrite,
        responses={201: NewTokenSerializer},
        tags=TOKENS,
    )
    def create(self, request: Request) -> Response:
        given = _validated(TokenWrite, request)
        by = user_of(request)
        account = by
        if "user" in given:
            account = get_object_or_404(visible_people(by), pk=given.pop("user"))
        token, key = services.issue_token(user=account, by=by, **given)
        token.key = key  # type: ignore[attr-defined]  # for this one answer
        return Response(NewTokenSerializer(token).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Revoke a token", request=None, responses=TokenSerializer, tags=TOKENS)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        return Response(TokenSerializer(services.revoke_token(token=self.get_object(), by=user_of(request))).data)


def _validated(serializer: Any, request: Request) -> dict[str, Any]:
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _scope(given: dict[str, Any], by: User) -> Any:
    """The unit or use case that the caller named and may see."""
    named = [field for field in ("use_case", "unit") if given.get(field)]
    if len(named) != 1:
        said = _("Name either a use case or a unit.")
        raise Invalid(said, errors={"use_case": [said], "unit": [said]})
    if named == ["use_case"]:
        cases: Any = scopes().use_case._default_manager.select_related("unit")
        found = for_user(cases, by, VIEW).filter(key=given["use_case"]).first()
    else:
        units: Any = scopes().unit._default_manager.all()
        found = for_user(units, by, VIEW).filter(code=given["unit"]).first()
    if found is None:
        raise Http404
    return found
