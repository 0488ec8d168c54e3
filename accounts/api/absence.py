"""Delegations and absences over REST. There is no state to write, only verbs."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters as filters
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.access import can_everywhere
from accounts.api.idempotency import IdempotentMixin
from accounts.api.serializers import PersonRef
from accounts.api.views import user_of
from accounts.models import Absence, Delegation, User
from accounts.roles import role_choices
from accounts.selectors import visible_people
from kernel.viewsets import ViewSet

DELEGATIONS, ABSENCES = ["delegations"], ["absences"]


class DelegationSerializer(serializers.ModelSerializer[Delegation]):
    """One person signs in one role of another. ``in_force`` says whether it holds now."""

    giver = PersonRef(read_only=True)
    stand_in = PersonRef(read_only=True)
    role_name = serializers.CharField(read_only=True)
    in_force = serializers.SerializerMethodField()

    class Meta:
        model = Delegation
        fields = (
            "id",
            "giver",
            "stand_in",
            "role",
            "role_name",
            "reason",
            "starts_at",
            "ends_at",
            "ended_at",
            "in_force",
        )
        read_only_fields = fields

    def get_in_force(self, row: Delegation) -> bool:
        return row.holds(timezone.now())


class DelegationWrite(serializers.Serializer[Any]):
    """A role of one's own, for at most 30 days, to somebody who holds the same role."""

    stand_in = serializers.UUIDField()
    role = serializers.ChoiceField(choices=role_choices())
    starts_at = serializers.DateTimeField(required=False, help_text="Now, when left out.")
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(max_length=300)


class AbsenceSerializer(serializers.ModelSerializer[Absence]):
    person = PersonRef(read_only=True)
    stand_in = PersonRef(read_only=True, allow_null=True)

    class Meta:
        model = Absence
        fields = ("id", "person", "starts_on", "ends_on", "stand_in", "note", "cancelled_at")
        read_only_fields = fields


class AbsenceWrite(serializers.Serializer[Any]):
    """``delegate`` gives the stand-in every signing role that both hold, for these days (30 at most)."""

    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    stand_in = serializers.UUIDField(required=False)
    delegate = serializers.BooleanField(required=False, default=False)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


class DelegationFilter(filters.FilterSet):
    in_force = filters.BooleanFilter(method="holding", help_text="Only those that hold now.")

    class Meta:
        model = Delegation
        fields: ClassVar[list[str]] = ["role", "giver", "stand_in"]

    def holding(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        now = timezone.now()
        held = Q(starts_at__lte=now, ends_at__gt=now, ended_at__isnull=True)
        return rows.filter(held) if value else rows.exclude(held)


class AbsenceFilter(filters.FilterSet):
    on = filters.DateFilter(method="of_day", help_text="Only those who are away on this day.")

    class Meta:
        model = Absence
        fields: ClassVar[list[str]] = ["person"]

    def of_day(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return rows.filter(starts_on__lte=value, ends_on__gte=value, cancelled_at__isnull=True)


@extend_schema_view(
    list=extend_schema(summary="List delegations", tags=DELEGATIONS),
    retrieve=extend_schema(summary="Read a delegation", tags=DELEGATIONS),
)
class DelegationViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """One's own, given and taken; all of them for who manages accounts."""

    queryset = Delegation.objects.none()
    serializer_class = DelegationSerializer
    filterset_class = DelegationFilter
    ordering = ("-starts_at", "-pk")

    def get_queryset(self) -> QuerySet[Delegation]:
        user = user_of(self.request)
        rows = Delegation.objects.select_related("giver", "stand_in")
        return rows if can_everywhere(user, "user.manage") else rows.filter(Q(giver=user) | Q(stand_in=user))

    @extend_schema(
        summary="Delegate a role",
        description="One's own signing role, by a person who is signed in; tokens delegate nothing.",
        request=DelegationWrite,
        responses={201: DelegationSerializer},
        tags=DELEGATIONS,
    )
    def create(self, request: Request) -> Response:
        given, by = _validated(DelegationWrite, request), user_of(request)
        stand_in = _peer(given.pop("stand_in"))
        made = services.delegate(giver=by, stand_in=stand_in, by=by, **given)
        return Response(DelegationSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Take a delegation back, or hand it back",
        request=None,
        responses=DelegationSerializer,
        tags=DELEGATIONS,
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        row = services.end_delegation(delegation=self.get_object(), by=user_of(request))
        return Response(DelegationSerializer(row).data)


@extend_schema_view(
    list=extend_schema(summary="List absences", tags=ABSENCES),
    retrieve=extend_schema(summary="Read an absence", tags=ABSENCES),
)
class AbsenceViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Of everybody whom the caller may know of."""

    queryset = Absence.objects.none()
    serializer_class = AbsenceSerializer
    filterset_class = AbsenceFilter
    ordering = ("-starts_on", "-pk")

    def get_queryset(self) -> QuerySet[Absence]:
        people = visible_people(user_of(self.request)).order_by().values("pk")
        return Absence.objects.select_related("person", "stand_in").filter(person__in=people)

    @extend_schema(
        summary="Say when you are away", request=AbsenceWrite, responses={201: AbsenceSerializer}, tags=ABSENCES
    )
    def create(self, request: Request) -> Response:
        given, by = _validated(AbsenceWrite, request), user_of(request)
        stand_in = _peer(given.pop("stand_in")) if "stand_in" in given else None
        roles = services.shared_roles(by, stand_in) if given.pop("delegate") and stand_in is not None else []
        made = services.record_absence(person=by, by=by, stand_in=stand_in, roles=roles, **given)
        return Response(AbsenceSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="End an absence", request=None, responses=AbsenceSerializer, tags=ABSENCES)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        row = services.cancel_absence(absence=self.get_object(), by=user_of(request))
        return Response(AbsenceSerializer(row).data)


def _peer(key: Any) -> User:
    """Anybody may be named; the service says who may stand in."""
    return get_object_or_404(User.objects.filter(kind=User.Kind.PERSON, is_active=True), pk=key)


def _validated(serializer: Any, request: Request) -> dict[str, Any]:
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)
