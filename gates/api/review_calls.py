"""Review calls over REST: what is owed and until when, and calling reviews by hand, as when a law changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import to_act_on
from accounts.api.idempotency import IdempotentMixin
from gates.models import ReviewCall
from gates.obligations import calls_for
from gates.services.review_calls import BY_HAND, MOST_AT_ONCE, RIGHT, call_review
from kernel.errors import Invalid
from kernel.viewsets import ViewSet
from portfolio.api.use_cases import user_of, validated
from portfolio.models import UseCase

TAG = ["review calls"]


class ReviewCallSerializer(serializers.ModelSerializer[ReviewCall]):
    """A review that has to be held until a day, and why."""

    use_case = serializers.CharField(source="use_case.key", read_only=True)
    settled_by = serializers.StringRelatedField[Any](allow_null=True)

    class Meta:
        model = ReviewCall
        fields = (
            "id",
            "use_case",
            "gate",
            "cause",
            "text",
            "called_at",
            "due_at",
            "settled_at",
            "settled_by",
            "reminded_at",
            "escalated_at",
        )
        read_only_fields = fields


class ReviewCallWrite(serializers.Serializer[Any]):
    use_cases = serializers.ListField(
        child=serializers.CharField(max_length=40),
        min_length=1,
        max_length=MOST_AT_ONCE,
        help_text="Keys of use cases.",
    )
    cause = serializers.ChoiceField(choices=[str(cause) for cause in BY_HAND], default="law")
    text = serializers.CharField(max_length=300, help_text="What happened.")
    gate = serializers.CharField(required=False, allow_blank=True, help_text="Left out: the gate each is under.")


class ReviewCallFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text="Key of a use case.")
    open = filters.BooleanFilter(field_name="settled_at", lookup_expr="isnull", help_text="Not settled yet.")
    due_before = filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lt")

    class Meta:
        model = ReviewCall
        fields: ClassVar[list[str]] = ["gate", "cause"]


@extend_schema_view(
    list=extend_schema(summary="List review calls", tags=TAG),
    retrieve=extend_schema(summary="Read a review call", tags=TAG),
)
class ReviewCallViewSet(IdempotentMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Reviews that are owed, of the use cases that the caller may see."""

    queryset = ReviewCall.objects.none()
    ordering = ("due_at",)
    serializer_class = ReviewCallSerializer
    filterset_class = ReviewCallFilter
    serializers: ClassVar[Mapping[str, Any]] = {"create": ReviewCallWrite}

    def get_queryset(self) -> QuerySet[ReviewCall]:
        return calls_for(user_of(self.request))

    @extend_schema(
        summary="Call reviews",
        description="All of the use cases, or none. Each review is due within 30 days.",
        request=ReviewCallWrite,
        responses={201: ReviewCallSerializer(many=True)},
        tags=TAG,
    )
    def create(self, request: Request) -> Response:
        given = validated(self, request)
        keys = list(dict.fromkeys(given.pop("use_cases")))
        rows = to_act_on(UseCase.objects.select_related("unit"), user_of(request), RIGHT)
        found = {u.key: u for u in rows.filter(key__in=keys)}
        if missing := [key for key in keys if key not in found]:
            said = f"There are no such use cases: {', '.join(missing[:20])}."
            raise Invalid("Not all of these use cases are there.", errors={"use_cases": [said]})
        made = call_review(use_cases=list(found.values()), by=user_of(request), **given)
        rows_made = self.get_queryset().filter(pk__in=[call.pk for call in made])
        return Response(ReviewCallSerializer(rows_made, many=True).data, status=status.HTTP_201_CREATED)
