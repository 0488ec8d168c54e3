"""Filters of the gates' lists."""

from __future__ import annotations

from typing import ClassVar

import django_filters as filters

from gates.models import CriterionFinding, Decision, Review, ReviewComment, SignOff

USE_CASE = "Key of a use case."


class FindingFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text=USE_CASE)
    unit = filters.CharFilter(field_name="use_case__unit__code", help_text="Code of a business unit.")
    policy = filters.CharFilter(field_name="policy__key", help_text="Key of a policy.")
    since = filters.IsoDateTimeFilter(field_name="found_at", lookup_expr="gte", help_text="Turned at or after.")
    valid_before = filters.IsoDateTimeFilter(
        field_name="valid_until", lookup_expr="lt", help_text="What runs out before this moment."
    )

    class Meta:
        model = CriterionFinding
        fields: ClassVar[list[str]] = ["gate", "criterion", "outcome", "mandatory"]


class ReviewFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="use_case__key", help_text=USE_CASE)
    submitted_since = filters.IsoDateTimeFilter(field_name="submitted_at", lookup_expr="gte")
    due_before = filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lt")

    class Meta:
        model = Review
        fields: ClassVar[list[str]] = ["gate", "state", "tier"]


class SignOffFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="review__use_case__key", help_text=USE_CASE)
    review = filters.NumberFilter(field_name="review__number", help_text="Number of a review.")
    counts = filters.BooleanFilter(
        field_name="lapsed_at", lookup_expr="isnull", help_text="Only votes that count, or only lapsed ones."
    )

    class Meta:
        model = SignOff
        fields: ClassVar[list[str]] = ["role", "verdict", "person"]


class DecisionFilter(filters.FilterSet):
    use_case = filters.CharFilter(field_name="review__use_case__key", help_text=USE_CASE)
    gate = filters.CharFilter(field_name="review__gate")
    since = filters.IsoDateTimeFilter(field_name="decided_at", lookup_expr="gte", help_text="Decided at or after.")

    class Meta:
        model = Decision
        fields: ClassVar[list[str]] = ["outcome"]


class CommentFilter(filters.FilterSet):
    review = filters.NumberFilter(field_name="review__number", help_text="Number of the review.")

    class Meta:
        model = ReviewComment
        fields: ClassVar[list[str]] = ["criterion"]
