"""Alerts over REST: list, read, and all that people do about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from accounts.models import User
from kernel.errors import Invalid
from kernel.viewsets import ViewSet
from monitoring import services
from monitoring.api.alert_shapes import (
    AlertAssignWrite,
    AlertCommentSerializer,
    AlertCommentWrite,
    AlertReportWrite,
    AlertResolveWrite,
    AlertSerializer,
    AlertSnoozeWrite,
)
from monitoring.api.filters import AlertFilter
from monitoring.models import Alert
from portfolio.api.use_cases import user_of, validated

TAG = ["alerts"]


@extend_schema_view(
    list=extend_schema(summary="List alerts", tags=TAG), retrieve=extend_schema(summary="Read an alert", tags=TAG)
)
class AlertViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Rules that are or were broken and series that fell silent, the newest first."""

    queryset = Alert.objects.none()
    ordering = ("-opened_at",)
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    serializers: ClassVar[Mapping[str, Any]] = {
        "snooze": AlertSnoozeWrite,
        "assign": AlertAssignWrite,
        "resolve": AlertResolveWrite,
        "comment": AlertCommentWrite,
        "incident": AlertReportWrite,
    }

    def get_queryset(self) -> QuerySet[Alert]:
        rows = Alert.objects.select_related("series__use_case__unit", "rule", "response_unit")
        return for_user(rows, user_of(self.request), "use_case.view")

    @extend_schema(summary="Acknowledge an alert", request=None, responses=AlertSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        alert = services.acknowledge_alert(alert=self.get_object(), by=user_of(request))
        return Response(AlertSerializer(alert).data)

    @extend_schema(
        summary="Snooze an alert",
        description="It wakes up by itself, and at once when it becomes a breach. It stays unresolved.",
        request=AlertSnoozeWrite,
        responses=AlertSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        alert = self.get_object()
        return _answer(services.snooze_alert(alert=alert, by=user_of(request), **validated(self, request)))

    @extend_schema(summary="Wake a snoozed alert", request=None, responses=AlertSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def wake(self, request: Request, pk: str) -> Response:
        return _answer(services.wake_alert(alert=self.get_object(), by=user_of(request)))

    @extend_schema(summary="Say who sees to an alert", request=AlertAssignWrite, responses=AlertSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        alert, key = self.get_object(), validated(self, request)["to"]
        to = User.objects.filter(pk=key).first() if key else None
        if key and to is None:
            said = _("There is no such person.")
            raise Invalid(said, errors={"to": [said]})
        return _answer(services.assign_alert(alert=alert, to=to, by=user_of(request)))

    @extend_schema(
        summary="End an alert by hand",
        description="Only while its rule is quiet: 409 otherwise.",
        request=AlertResolveWrite,
        responses=AlertSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        alert = self.get_object()
        return _answer(services.resolve_alert(alert=alert, by=user_of(request), **validated(self, request)))

    @extend_schema(summary="Comments on an alert", responses=AlertCommentSerializer(many=True), filters=False, tags=TAG)
    @action(detail=True, methods=["get"], pagination_class=None, filterset_class=None)
    def comments(self, request: Request, pk: str) -> Response:
        return Response(AlertCommentSerializer(self.get_object().comments.all(), many=True).data)

    @extend_schema(
        summary="Comment on an alert", request=AlertCommentWrite, responses={201: AlertCommentSerializer}, tags=TAG
    )
    @action(detail=True, methods=["post"])
    def comment(self, request: Request, pk: str) -> Response:
        alert, text = self.get_object(), validated(self, request)["text"]
        made = services.comment_on_alert(alert=alert, text=text, by=user_of(request))
        return Response(AlertCommentSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Report an incident because of an alert",
        request=AlertReportWrite,
        responses={201: AlertSerializer},
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def incident(self, request: Request, pk: str) -> Response:
        alert = self.get_object()
        made = services.report_alert(alert=alert, by=user_of(request), **validated(self, request))
        return Response(AlertSerializer(made.alerts.get(pk=alert.pk)).data, status=status.HTTP_201_CREATED)


def _answer(alert: Alert) -> Response:
    return Response(AlertSerializer(alert).data)
