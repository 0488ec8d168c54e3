"""Receivers of requests for retraining over REST: list, add, change, try, remove."""

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

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from kernel.viewsets import ViewSet
from monitoring import services
from monitoring.models import RetrainingReceiver, RetrainingRequest
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

TAG = ["retraining"]


class ReceiverSerializer(serializers.ModelSerializer[RetrainingReceiver]):
    use_case = serializers.CharField(source="use_case.key")
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=RetrainingRequest.Kind.choices))
    url = serializers.URLField(source="endpoint.url")
    enabled = serializers.BooleanField(source="endpoint.enabled")
    disabled_because = serializers.CharField(source="endpoint.disabled_because")

    class Meta:
        model = RetrainingReceiver
        fields = ("id", "use_case", "name", "kinds", "url", "enabled", "disabled_because", "created_at")
        read_only_fields = fields


class ReceiverAdded(ReceiverSerializer):
    """A receiver, with the secret if one was made."""

    secret = serializers.CharField(help_text="Shown this once; empty when it was given.")

    class Meta:
        model = RetrainingReceiver
        fields = (*ReceiverSerializer.Meta.fields, "secret")
        read_only_fields = fields


class ReceiverChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    url = serializers.URLField(max_length=500)
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=RetrainingRequest.Kind.choices))
    enabled = serializers.BooleanField(required=False, default=True)
    secret = serializers.CharField(
        required=False, allow_blank=True, default="", write_only=True, help_text="Your own; without it one is made."
    )


class ReceiverWrite(ReceiverChange):
    use_case = serializers.CharField(help_text="Key of a use case.")


class TriedShape(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    status_code = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()


class ReceiverFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")

    class Meta:
        model = RetrainingReceiver
        fields: ClassVar[list[str]] = ["name"]


@extend_schema_view(
    list=extend_schema(summary="List receivers of requests", tags=TAG),
    retrieve=extend_schema(summary="Read a receiver", tags=TAG),
)
class RetrainingReceiverViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Systems that get requests for retraining and rollback as signed messages. Changing takes `monitor.configure`."""

    queryset = RetrainingReceiver.objects.none()
    ordering = ("use_case__key", "name")
    serializer_class = ReceiverSerializer
    filterset_class = ReceiverFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": ReceiverWrite, "update": ReceiverChange}

    def get_queryset(self) -> QuerySet[RetrainingReceiver]:
        rows = RetrainingReceiver.objects.filter(removed_at__isnull=True)
        return for_user(rows.select_related("use_case__unit", "endpoint"), user_of(self.request), "use_case.view")

    @extend_schema(summary="Add a receiver", request=ReceiverWrite, responses={201: ReceiverAdded}, tags=TAG)
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given.pop("use_case"), "monitor.configure")
        row, made = services.add_receiver(use_case=use_case, by=user_of(request), **given)
        return Response({**ReceiverSerializer(row).data, "secret": made}, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Change a receiver", request=ReceiverChange, responses=ReceiverSerializer, tags=TAG)
    def update(self, request: Request, pk: str) -> Response:
        given, row = validated(self, request), self.get_object()
        return Response(ReceiverSerializer(services.change_receiver(receiver=row, by=user_of(request), **given)).data)

    @extend_schema(summary="Remove a receiver", request=None, responses={204: None}, tags=TAG)
    def destroy(self, request: Request, pk: str) -> Response:
        services.remove_receiver(receiver=self.get_object(), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Send a signed test message", request=None, responses=TriedShape, tags=TAG)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        return Response(TriedShape(services.try_receiver(receiver=self.get_object(), by=user_of(request))).data)
