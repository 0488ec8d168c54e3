"""Conditions over REST: read them, and the verbs that change them. There is no state to write, only verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import IdempotentMixin
from accounts.api.serializers import PersonRef
from accounts.models import User
from gates.api.filters import USE_CASE
from gates.models import Condition
from gates.owed import conditions_by_state, conditions_for, searched
from gates.services.conditions import (
    LIMITS,
    LONGEST_REPORT,
    close_condition,
    report_condition,
    reschedule_condition,
    send_back_condition,
)
from governance.models import Evidence
from kernel.errors import Invalid
from kernel.viewsets import ViewSet
from portfolio.api.use_cases import user_of, validated

TAG = ["conditions"]
STATES = ("owed", "overdue", *Condition.State.values)


class ConditionSerializer(serializers.ModelSerializer[Condition]):
    """What one person owes until a day. ``overdue``: past it and not closed."""

    use_case = serializers.CharField(source="use_case.key", read_only=True)
    review = serializers.IntegerField(source="decision.review.number", read_only=True)
    gate = serializers.CharField(source="decision.review.gate", read_only=True)
    owner = PersonRef(read_only=True)
    reported_by = PersonRef(read_only=True, allow_null=True)
    closed_by = PersonRef(read_only=True, allow_null=True)
    overdue = serializers.SerializerMethodField()

    class Meta:
        model = Condition
        fields = (
            "id",
            "use_case",
            "review",
            "gate",
            "decision",
            "position",
            "text",
            "scope",
            "owner",
            "due_on",
            "evidence_wanted",
            "state",
            "overdue",
            "report",
            "evidence",
            "reported_by",
            "reported_at",
            "sent_back_because",
            "closed_by",
            "closed_at",
            "closing_note",
        )
        read_only_fields = fields

    @extend_schema_field(bool)
    def get_overdue(self, condition: Condition) -> bool:
        return condition.is_overdue()


class TermWrite(serializers.Serializer[Any]):
    """One condition of a decision. What is missing or wrong is said by the service, all at once."""

    text = serializers.CharField(required=False, allow_blank=True, default="", max_length=LIMITS["text"])
    scope = serializers.CharField(required=False, allow_blank=True, default="", max_length=LIMITS["scope"])
    owner = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="Id of a person.")
    due_on = serializers.DateField(required=False, allow_null=True, default=None, help_text="At most 365 days ahead.")
    evidence_wanted = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LIMITS["evidence_wanted"]
    )


class ReportWrite(serializers.Serializer[Any]):
    report = serializers.CharField(max_length=LONGEST_REPORT, help_text="What was done.")
    evidence = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Id of evidence of this use case."
    )


class CloseWrite(serializers.Serializer[Any]):
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST_REPORT)


class SendBackWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=LONGEST_REPORT, help_text="What is missing.")


class RescheduleWrite(serializers.Serializer[Any]):
    due_on = serializers.DateField(help_text="In the future, at most 365 days ahead.")
    reason = serializers.CharField(max_length=LONGEST_REPORT)
    owner = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Another person, where the owner cannot."
    )


class ConditionFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text=USE_CASE)
    review = filters.NumberFilter(field_name="decision__review__number", help_text="Number of a review.")
    gate = filters.CharFilter(field_name="decision__review__gate")
    state = filters.ChoiceFilter(method="by_state", choices=[(s, s) for s in STATES])
    due_before = filters.DateFilter(field_name="due_on", lookup_expr="lt")
    q = filters.CharFilter(method="by_words", help_text="Words of the condition, its use case or its owner.")

    class Meta:
        model = Condition
        fields: ClassVar[list[str]] = ["owner"]

    def by_state(self, rows: QuerySet[Condition, Condition], _name: str, state: str) -> QuerySet[Condition, Condition]:
        return conditions_by_state(rows, state)

    def by_words(self, rows: QuerySet[Condition, Condition], _name: str, words: str) -> QuerySet[Condition, Condition]:
        return searched(rows, words)


@extend_schema_view(
    list=extend_schema(summary="List conditions", tags=TAG),
    retrieve=extend_schema(summary="Read a condition", tags=TAG),
)
class ConditionViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """What is owed after a go with conditions, of the use cases that the caller may see."""

    queryset = Condition.objects.none()
    ordering = ("due_on", "pk")
    lookup_value_regex = "[0-9a-f-]{36}"
    serializer_class = ConditionSerializer
    filterset_class = ConditionFilter
    serializers: ClassVar[Mapping[str, Any]] = {
        "report": ReportWrite,
        "close": CloseWrite,
        "send_back": SendBackWrite,
        "reschedule": RescheduleWrite,
    }

    def get_queryset(self) -> QuerySet[Condition]:
        return conditions_for(user_of(self.request))

    @extend_schema(
        summary="Report a condition done",
        description="By the person who owes it, signed in. It stays owed until somebody else closes it.",
        request=ReportWrite,
        responses=ConditionSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def report(self, request: Request, pk: str) -> Response:
        given, row = validated(self, request), self.get_object()
        evidence = _evidence(given.pop("evidence"), row)
        return self._shown(report_condition(condition=row, by=user_of(request), evidence=evidence, **given))

    @extend_schema(
        summary="Close a condition",
        description="By somebody who neither owes nor reported it, nor added its evidence.",
        request=CloseWrite,
        responses=ConditionSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        given, row = validated(self, request), self.get_object()
        return self._shown(close_condition(condition=row, by=user_of(request), **given))

    @extend_schema(summary="Send a condition back", request=SendBackWrite, responses=ConditionSerializer, tags=TAG)
    @action(detail=True, methods=["post"], url_path="send-back")
    def send_back(self, request: Request, pk: str) -> Response:
        given, row = validated(self, request), self.get_object()
        return self._shown(send_back_condition(condition=row, by=user_of(request), **given))

    @extend_schema(
        summary="Move a condition",
        description="Another day, or another owner: by whoever records decisions, with a reason.",
        request=RescheduleWrite,
        responses=ConditionSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def reschedule(self, request: Request, pk: str) -> Response:
        given, row = validated(self, request), self.get_object()
        owner = known_person(given.pop("owner"), "owner")
        return self._shown(reschedule_condition(condition=row, by=user_of(request), owner=owner, **given))

    def _shown(self, row: Condition) -> Response:
        return Response(ConditionSerializer(self.get_queryset().get(pk=row.pk)).data)


def terms_from(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Conditions of a decision with owners as people; one query. An unknown id is left out, and then asked for."""
    people = User.objects.in_bulk([row["owner"] for row in given if row["owner"]])
    return [{**row, "owner": people.get(row["owner"])} for row in given]


def known_person(pk: UUID | None, field: str) -> User | None:
    if pk is None:
        return None
    found = User.objects.filter(pk=pk).first()
    if found is None:
        message = "There is no such person."
        raise Invalid(message, errors={field: [message]})
    return found


def _evidence(pk: UUID | None, row: Condition) -> Evidence | None:
    if pk is None:
        return None
    found = Evidence.objects.filter(pk=pk, use_case=row.use_case_id).first()
    if found is None:
        message = f"{row.use_case.key} has no such evidence."
        raise Invalid(message, errors={"evidence": [message]})
    return found
