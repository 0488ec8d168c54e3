"""Requests for retraining over REST: read them, ask by hand, and the answer of whoever runs the training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import IdempotentMixin
from kernel.viewsets import ViewSet
from monitoring import services
from monitoring.models import RetrainingRequest
from monitoring.models.retraining import TRANSITIONS
from monitoring.selectors.retraining import STATES, answerable_by, by_state, searched
from monitoring.services.retraining import LONGEST
from portfolio.api.kpis import visible_use_case
from portfolio.api.use_cases import user_of, validated

TAG = ["retraining"]
ANSWERED = tuple(
    (state.value, state.label)
    for state in RetrainingRequest.State
    if any(state.value in names for names in TRANSITIONS.values())
)


class RetrainingRequestSerializer(serializers.ModelSerializer[RetrainingRequest]):
    """One thing asked for, and how far it is. ``overdue``: open and past a time of its service level."""

    reference_label = serializers.CharField(source="__str__", read_only=True)
    use_case = serializers.CharField(source="use_case.key", read_only=True)
    version = serializers.CharField(source="version.label", read_only=True, default="")
    new_version = serializers.CharField(source="new_version.label", read_only=True, default="")
    overdue = serializers.SerializerMethodField()

    class Meta:
        model = RetrainingRequest
        fields = (
            "id",
            "reference_label",
            "use_case",
            "kind",
            "origin",
            "state",
            "overdue",
            "reason",
            "decision",
            "alert",
            "version",
            "requested_at",
            "accept_by",
            "due_at",
            "accepted_at",
            "finished_at",
            "message",
            "reference",
            "new_version",
            "evidence",
        )
        read_only_fields = fields

    @extend_schema_field(bool)
    def get_overdue(self, row: RetrainingRequest) -> bool:
        return row.is_overdue()


class RetrainingWrite(serializers.Serializer[Any]):
    use_case = serializers.CharField(max_length=40, help_text="Key of a use case.")
    kind = serializers.ChoiceField(choices=RetrainingRequest.Kind.choices)
    reason = serializers.CharField(max_length=LONGEST)


class RetrainingAnswerWrite(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=ANSWERED)
    message = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST, help_text="Given when failed or refused."
    )
    reference = serializers.URLField(
        required=False, allow_blank=True, default="", max_length=1000, help_text="Address of the run."
    )
    version = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=60,
        help_text="When done: label of the version that came of it.",
    )
    bundle = serializers.DictField(
        child=serializers.CharField(max_length=300),
        required=False,
        default=dict,
        help_text="What the new version can be rebuilt from: code, data, prompts, environment as revision or digest.",
    )
    significant = serializers.BooleanField(
        required=False,
        default=True,
        help_text="False: the new version stays within what was approved, and voids no evidence.",
    )
    metrics = serializers.DictField(
        child=serializers.CharField(max_length=40), required=False, default=dict, help_text="Metric -> decimal as text."
    )


class RetrainingRequestFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    state = filters.ChoiceFilter(method="of_state", choices=[(s, s) for s in STATES])
    due_before = filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lt")
    q = filters.CharFilter(method="by_words", help_text="Words of the request, its answer or its use case.")

    class Meta:
        model = RetrainingRequest
        fields: ClassVar[list[str]] = ["kind", "origin", "decision"]

    def of_state(
        self, rows: QuerySet[RetrainingRequest, RetrainingRequest], _name: str, state: str
    ) -> QuerySet[RetrainingRequest, RetrainingRequest]:
        return by_state(rows, state)

    def by_words(
        self, rows: QuerySet[RetrainingRequest, RetrainingRequest], _name: str, words: str
    ) -> QuerySet[RetrainingRequest, RetrainingRequest]:
        return searched(rows, words)


@extend_schema_view(
    list=extend_schema(summary="List retraining requests", tags=TAG),
    retrieve=extend_schema(summary="Read a retraining request", tags=TAG),
)
class RetrainingRequestViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """What was asked for of the use cases that the caller may see or answer for, the newest first."""

    queryset = RetrainingRequest.objects.none()
    ordering = ("-requested_at", "-id")
    lookup_value_regex = "[0-9]+"
    serializer_class = RetrainingRequestSerializer
    filterset_class = RetrainingRequestFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": RetrainingWrite, "answer": RetrainingAnswerWrite}

    def get_queryset(self) -> QuerySet[RetrainingRequest]:
        return answerable_by(user_of(self.request))

    @extend_schema(
        summary="Ask for retraining, recalibration or a rollback",
        request=RetrainingWrite,
        responses={201: RetrainingRequestSerializer},
        tags=TAG,
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        use_case = visible_use_case(request, given.pop("use_case"), "monitor.configure")
        row = services.request_retraining(use_case=use_case, by=user_of(request), **given)
        return self._shown(row, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Answer a retraining request",
        description="By whoever registers versions or records deployments there, machines among them (scopes "
        "`version.register`, `deployment.record`). The answer that ends it is kept as evidence of the use case.",
        request=RetrainingAnswerWrite,
        responses=RetrainingRequestSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str) -> Response:
        given, row = validated(self, request), self.get_object()
        state_now = given.pop("state")
        return self._shown(services.answer_request(request=row, state_now=state_now, by=user_of(request), **given))

    def _shown(self, row: RetrainingRequest, code: int = status.HTTP_200_OK) -> Response:
        return Response(RetrainingRequestSerializer(self.get_queryset().get(pk=row.pk)).data, status=code)
