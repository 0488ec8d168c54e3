"""Emergency releases over REST: ask, confirm, refuse, end. By people who are signed in; tokens release nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import IdempotentMixin
from accounts.api.serializers import PersonRef
from accounts.freshness import require_fresh
from gates.models import EmergencyRelease
from gates.obligations import releases_for
from gates.services.emergencies import (
    MOST_HOURS,
    confirm_emergency,
    end_emergency,
    refuse_emergency,
    request_emergency,
    require_at_hand,
)
from kernel.viewsets import ViewSet
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

TAG = ["emergency releases"]


class EmergencySerializer(serializers.ModelSerializer[EmergencyRelease]):
    """A gate that counts as passed for some hours on the word of two people."""

    use_case = serializers.CharField(source="use_case.key", read_only=True)
    requested_by = PersonRef(read_only=True)
    answered_by = PersonRef(read_only=True, allow_null=True)
    incident = serializers.UUIDField(source="incident_id", read_only=True, allow_null=True)
    review_due_at = serializers.DateTimeField(source="call.due_at", read_only=True, default=None)
    reviewed_at = serializers.DateTimeField(source="call.settled_at", read_only=True, default=None)

    class Meta:
        model = EmergencyRelease
        fields = (
            "id",
            "use_case",
            "gate",
            "reason",
            "hours",
            "state",
            "requested_by",
            "requested_at",
            "answered_by",
            "answered_at",
            "ends_at",
            "ended_at",
            "incident",
            "review_due_at",
            "reviewed_at",
        )
        read_only_fields = fields


class EmergencyWrite(serializers.Serializer[Any]):
    use_case = serializers.CharField(help_text="Key of the use case.")
    gate = serializers.CharField(help_text="Its next gate.")
    reason = serializers.CharField(max_length=2000)
    hours = serializers.IntegerField(default=MOST_HOURS, help_text="At most 24, from the confirmation.")


class EmergencyRefuse(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


class EmergencyFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")

    class Meta:
        model = EmergencyRelease
        fields: ClassVar[list[str]] = ["gate", "state"]


@extend_schema_view(
    list=extend_schema(summary="List emergency releases", tags=TAG),
    retrieve=extend_schema(summary="Read an emergency release", tags=TAG),
)
class EmergencyViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Emergency releases of the use cases that the caller may see, the newest first."""

    queryset = EmergencyRelease.objects.none()
    ordering = ("-requested_at",)
    serializer_class = EmergencySerializer
    filterset_class = EmergencyFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": EmergencyWrite, "refuse": EmergencyRefuse}

    def get_queryset(self) -> QuerySet[EmergencyRelease]:
        return releases_for(user_of(self.request))

    @extend_schema(
        summary="Ask for an emergency release", request=EmergencyWrite, responses={201: EmergencySerializer}, tags=TAG
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given.pop("use_case"))
        made = request_emergency(use_case=use_case, by=user_of(request), **given)
        headers = {"Location": f"/api/v1/emergency-releases/{made.pk}/"}
        return Response(self._shown(made), status=status.HTTP_201_CREATED, headers=headers)

    @extend_schema(
        summary="Confirm an emergency release",
        description="As the second person, with a password or second factor entered within the last five minutes.",
        request=None,
        responses=EmergencySerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        release = self.get_object()
        require_at_hand(user_of(request))
        require_fresh(request)
        return Response(self._shown(confirm_emergency(release=release, by=user_of(request))))

    @extend_schema(
        summary="Refuse an emergency release", request=EmergencyRefuse, responses=EmergencySerializer, tags=TAG
    )
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, pk: str) -> Response:
        given, release = validated(self, request), self.get_object()
        return Response(self._shown(refuse_emergency(release=release, by=user_of(request), **given)))

    @extend_schema(
        summary="End an emergency release before its time", request=None, responses=EmergencySerializer, tags=TAG
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        return Response(self._shown(end_emergency(release=self.get_object(), by=user_of(request))))

    def _shown(self, release: EmergencyRelease) -> Any:
        return EmergencySerializer(self.get_queryset().get(pk=release.pk)).data
