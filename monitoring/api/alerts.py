"""Alerts over REST: list, read, acknowledge."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from kernel.viewsets import ViewSet
from monitoring import services
from monitoring.api.filters import AlertFilter
from monitoring.api.serializers import AlertSerializer
from monitoring.models import Alert
from portfolio.api.use_cases import user_of

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

    def get_queryset(self) -> QuerySet[Alert]:
        return for_user(Alert.objects.select_related("series__use_case"), user_of(self.request), "use_case.view")

    @extend_schema(summary="Acknowledge an alert", request=None, responses=AlertSerializer, tags=TAG)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        alert = services.acknowledge_alert(alert=self.get_object(), by=user_of(request))
        return Response(AlertSerializer(alert).data)
