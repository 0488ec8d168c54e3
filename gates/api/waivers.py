"""Waivers over REST: read them, ask for one, and the verbs that change it. There is no state to write, only verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters as filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import IdempotentMixin
from accounts.api.serializers import PersonRef
from accounts.freshness import require_fresh
from gates.api.filters import USE_CASE
from gates.models import Waiver, WaiverVote
from gates.selectors import waivers_by_state, waivers_for
from gates.services.waivers import request_waiver, revoke_waiver, vote_on_waiver, withdraw_waiver
from kernel.errors import Invalid
from kernel.viewsets import ViewSet
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

TAG = ["waivers"]
STATES = ("requested", "in_force", "ending", "expired", "refused", "withdrawn", "revoked")


class WaiverVoteSerializer(serializers.ModelSerializer[WaiverVote]):
    """One approver's word."""

    person = PersonRef(read_only=True)

    class Meta:
        model = WaiverVote
        fields = ("person", "role", "verdict", "reason", "given_at")
        read_only_fields = fields


class WaiverSerializer(serializers.ModelSerializer[Waiver]):
    """One criterion excused until a moment. ``in_force``: it was granted, and it has not ended."""

    use_case = serializers.CharField(source="use_case.key", read_only=True)
    renews = serializers.IntegerField(source="renews.number", read_only=True, allow_null=True, default=None)
    requested_by = PersonRef(read_only=True)
    in_force = serializers.SerializerMethodField()
    votes = WaiverVoteSerializer(many=True, read_only=True)

    class Meta:
        model = Waiver
        fields = (
            "id",
            "number",
            "use_case",
            "gate",
            "criterion",
            "tier",
            "reason",
            "compensating_control",
            "state",
            "in_force",
            "expires_at",
            "renews",
            "requested_by",
            "requested_at",
            "votes",
            "settled_at",
            "ended_at",
            "ended_because",
        )
        read_only_fields = fields

    @extend_schema_field(bool)
    def get_in_force(self, waiver: Waiver) -> bool:
        return waiver.holds(timezone.now())


class RenewWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000)
    compensating_control = serializers.CharField(max_length=4000, help_text="What is done instead.")
    expires_at = serializers.DateTimeField(help_text="At most 365 days ahead, 90 at the high tier.")


class WaiverWrite(RenewWrite):
    use_case = serializers.CharField(help_text="Key of the use case.")
    gate = serializers.CharField(max_length=40, help_text="Key of its next gate, or of one that it has passed.")
    criterion = serializers.CharField(
        max_length=40, help_text="Identifier of a mandatory criterion that does not pass."
    )
    renews = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, help_text="Number of the waiver that it renews."
    )


class ApproveWrite(serializers.Serializer[Any]):
    role = serializers.CharField(required=False, allow_blank=True, default="", max_length=40, help_text="Decide as.")
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)


class RefuseWrite(ApproveWrite):
    reason = serializers.CharField(max_length=4000)


class WithdrawWaiverWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class RevokeWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


class WaiverFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text=USE_CASE)
    state = filters.ChoiceFilter(
        method="by_state", choices=[(s, s) for s in STATES], help_text="An approved one is in force, then expired."
    )
    expires_before = filters.IsoDateTimeFilter(field_name="expires_at", lookup_expr="lt")

    class Meta:
        model = Waiver
        fields: ClassVar[list[str]] = ["gate", "criterion", "tier"]

    def by_state(self, rows: QuerySet[Waiver, Waiver], _name: str, state: str) -> QuerySet[Waiver, Waiver]:
        return waivers_by_state(rows, state, timezone.now())


@extend_schema_view(
    list=extend_schema(summary="List waivers", tags=TAG), retrieve=extend_schema(summary="Read a waiver", tags=TAG)
)
class WaiverViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Criteria excused for a time, of the use cases that the caller may see."""

    queryset = Waiver.objects.none()
    ordering = ("-requested_at",)
    lookup_field = "number"
    lookup_value_regex = "[0-9]{1,9}"
    serializer_class = WaiverSerializer
    filterset_class = WaiverFilter
    serializers: ClassVar[Mapping[str, Any]] = {
        "create": WaiverWrite,
        "approve": ApproveWrite,
        "refuse": RefuseWrite,
        "withdraw": WithdrawWaiverWrite,
        "revoke": RevokeWrite,
        "renew": RenewWrite,
    }

    def get_queryset(self) -> QuerySet[Waiver]:
        return waivers_for(user_of(self.request)).prefetch_related("votes__person")

    @extend_schema(summary="Ask for a waiver", request=WaiverWrite, responses={201: WaiverSerializer}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given.pop("use_case"))
        given["renews"] = self._renewed(given["renews"])
        made = request_waiver(use_case=use_case, by=user_of(request), **given)
        headers = {"Location": f"/api/v1/waivers/{made.number}/"}
        return Response(self._shown(made), status=status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        summary="Approve a waiver",
        description="By a person who is signed in and has confirmed it within five minutes; never by who asked for it.",
        request=ApproveWrite,
        responses=WaiverSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, number: str) -> Response:
        return self._vote(request, "approve")

    @extend_schema(
        summary="Refuse a waiver",
        description="As for approving. One refusal ends it.",
        request=RefuseWrite,
        responses=WaiverSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, number: str) -> Response:
        return self._vote(request, "refuse")

    @extend_schema(summary="Withdraw a waiver", request=WithdrawWaiverWrite, responses=WaiverSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, number: str) -> Response:
        given, waiver = validated(self, request), self.get_object()
        return Response(self._shown(withdraw_waiver(waiver=waiver, by=user_of(request), **given)))

    @extend_schema(summary="Revoke a waiver", request=RevokeWrite, responses=WaiverSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, number: str) -> Response:
        given, waiver = validated(self, request), self.get_object()
        require_fresh_person(request)
        return Response(self._shown(revoke_waiver(waiver=waiver, by=user_of(request), **given)))

    @extend_schema(
        summary="Ask for the renewal of a waiver",
        description="Once, with its own approvals. Use case, gate and criterion are those of the waiver.",
        request=RenewWrite,
        responses={201: WaiverSerializer},
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def renew(self, request: Request, number: str) -> Response:
        given, waiver = validated(self, request), self.get_object()
        made = request_waiver(
            use_case=waiver.use_case,
            gate=waiver.gate,
            criterion=waiver.criterion,
            renews=waiver,
            by=user_of(request),
            **given,
        )
        headers = {"Location": f"/api/v1/waivers/{made.number}/"}
        return Response(self._shown(made), status=status.HTTP_201_CREATED, headers=headers)

    def _vote(self, request: Request, verdict: str) -> Response:
        given, waiver = validated(self, request), self.get_object()
        require_fresh_person(request)
        given["role"] = given["role"] or None
        return Response(self._shown(vote_on_waiver(waiver=waiver, verdict=verdict, by=user_of(request), **given)))

    def _renewed(self, number: int | None) -> Waiver | None:
        found = self.get_queryset().filter(number=number).first() if number else None
        if number and found is None:
            message = f"There is no waiver {number}."
            raise Invalid(message, errors={"renews": [message]})
        return found

    def _shown(self, waiver: Waiver) -> dict[str, Any]:
        """The waiver as it is now."""
        return dict(WaiverSerializer(self.get_queryset().get(pk=waiver.pk)).data)


def require_fresh_person(request: Request) -> None:
    """A token is refused by the service, with its own words; who is signed in has to have confirmed it."""
    if user_of(request).token_scopes is None:
        require_fresh(request)
