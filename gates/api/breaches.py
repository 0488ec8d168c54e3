"""Decisions after breaches over REST: what is owed and decided, and the verbs. People decide, machines read."""

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

from accounts.access import for_user
from accounts.api.idempotency import IdempotentMixin
from accounts.api.serializers import PersonRef
from gates.api.filters import USE_CASE
from gates.breach_reading import STATES, breaches_for, by_state, searched
from gates.models import BreachDecision
from gates.services.breaches import LONGEST_REASON, confirm_acceptance, decide_breach, refuse_acceptance
from kernel.errors import Invalid
from kernel.viewsets import ViewSet
from monitoring.models import Alert
from portfolio.api.use_cases import user_of, validated

TAG = ["breach decisions"]


class BreachDecisionSerializer(serializers.ModelSerializer[BreachDecision]):
    """What is, or has to be, decided after a breach. ``facts`` is what it was decided on, ``digest`` is over that."""

    use_case = serializers.CharField(source="use_case.key", read_only=True)
    reference = serializers.CharField(source="__str__", read_only=True)
    message = serializers.CharField(source="alert.message", read_only=True)
    owed_by = PersonRef(read_only=True, allow_null=True)
    proposed_by = PersonRef(read_only=True, allow_null=True)
    decided_by = PersonRef(read_only=True, allow_null=True)
    covered_by = serializers.IntegerField(source="covered_by.number", read_only=True, allow_null=True, default=None)
    late = serializers.SerializerMethodField()

    class Meta:
        model = BreachDecision
        fields = (
            "number",
            "reference",
            "use_case",
            "alert",
            "message",
            "occasion",
            "cause",
            "gate",
            "tier",
            "state",
            "late",
            "opened_at",
            "due_at",
            "owed_by",
            "outcome",
            "reason",
            "accepted_until",
            "covered_by",
            "proposed_by",
            "proposed_at",
            "refused_because",
            "decided_by",
            "decided_role",
            "decided_at",
            "facts",
            "digest",
            "escalated_at",
        )
        read_only_fields = fields

    @extend_schema_field(bool)
    def get_late(self, row: BreachDecision) -> bool:
        return row.is_late()


class BreachWrite(serializers.Serializer[Any]):
    alert = serializers.UUIDField(help_text="Id of the alert that is a breach.")
    outcome = serializers.ChoiceField(choices=Alert.Outcome.choices)
    reason = serializers.CharField(max_length=LONGEST_REASON)
    accepted_until = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Only with the outcome accept: until which day."
    )


class BreachRefuseWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=LONGEST_REASON, help_text="Why it cannot be accepted.")


class BreachDecisionFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text=USE_CASE)
    state = filters.ChoiceFilter(method="of_state", choices=[(s, s) for s in STATES])
    due_before = filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lt")
    q = filters.CharFilter(method="by_words", help_text="Words of the breach, its use case, reason or person.")

    class Meta:
        model = BreachDecision
        fields: ClassVar[list[str]] = ["alert", "outcome", "tier", "owed_by"]

    def of_state(
        self, rows: QuerySet[BreachDecision, BreachDecision], _name: str, state: str
    ) -> QuerySet[BreachDecision, BreachDecision]:
        return by_state(rows, state)

    def by_words(
        self, rows: QuerySet[BreachDecision, BreachDecision], _name: str, words: str
    ) -> QuerySet[BreachDecision, BreachDecision]:
        return searched(rows, words)


@extend_schema_view(
    list=extend_schema(summary="List decisions after breaches", tags=TAG),
    retrieve=extend_schema(summary="Read a decision after a breach", tags=TAG),
)
class BreachDecisionViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """What is owed and was decided after breaches, of the use cases that the caller may see."""

    queryset = BreachDecision.objects.none()
    ordering = ("-opened_at", "-number")
    lookup_field = "number"
    lookup_value_regex = "[0-9]+"
    serializer_class = BreachDecisionSerializer
    filterset_class = BreachDecisionFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": BreachWrite, "refuse": BreachRefuseWrite}

    def get_queryset(self) -> QuerySet[BreachDecision]:
        return breaches_for(user_of(self.request))

    @extend_schema(
        summary="Decide what is done after a breach",
        description="By a person who is signed in; machines and tokens decide nothing (SOD-12). On the high tier an "
        "acceptance is proposed, and somebody else confirms it.",
        request=BreachWrite,
        responses={201: BreachDecisionSerializer},
        tags=TAG,
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        alerts = for_user(Alert.objects.select_related("series__use_case__unit"), user_of(request), "use_case.view")
        alert = alerts.filter(pk=given.pop("alert")).first()
        if alert is None:
            said = "There is no such alert."
            raise Invalid(said, errors={"alert": [said]})
        row = decide_breach(alert=alert, by=user_of(request), **given)
        return self._shown(row, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Confirm that a breach is accepted",
        description="By somebody else with the authority over risk.",
        request=None,
        responses=BreachDecisionSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, number: str) -> Response:
        return self._shown(confirm_acceptance(breach=self.get_object(), by=user_of(request)))

    @extend_schema(
        summary="Refuse to accept a breach",
        request=BreachRefuseWrite,
        responses=BreachDecisionSerializer,
        tags=TAG,
    )
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, number: str) -> Response:
        given, row = validated(self, request), self.get_object()
        return self._shown(refuse_acceptance(breach=row, by=user_of(request), **given))

    def _shown(self, row: BreachDecision, code: int = status.HTTP_200_OK) -> Response:
        return Response(BreachDecisionSerializer(self.get_queryset().get(pk=row.pk)).data, status=code)
