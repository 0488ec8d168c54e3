"""The shapes of classifications, risks and questionnaires over REST."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from governance.api.base import Person
from governance.api.serializers import Row
from governance.models import QuestionnaireResponse, RiskClassification, RiskItem


class ClassificationSerializer(Row):
    """A classification: the tier that the rule gives, why, and what people decided about it."""

    classified_by = Person(read_only=True)
    confirmed_by = Person(read_only=True, allow_null=True)
    override_by = Person(read_only=True, allow_null=True)
    effective_tier = serializers.CharField(read_only=True)
    answers = serializers.DictField(read_only=True)
    reasons = serializers.ListField(child=serializers.CharField(), read_only=True)
    contributing = serializers.ListField(child=serializers.CharField(), read_only=True)
    flags = serializers.ListField(child=serializers.CharField(), read_only=True)
    duties = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = RiskClassification
        fields = (
            "id",
            "use_case",
            "rule_version",
            "tier",
            "effective_tier",
            "score",
            "provisional",
            "legal_hold",
            "unknown_count",
            "prohibited_hits",
            "reasons",
            "contributing",
            "flags",
            "duties",
            "answers",
            "override_tier",
            "override_reason",
            "override_by",
            "is_current",
            "classified_by",
            "classified_at",
            "confirmed_by",
            "confirmed_at",
        )
        read_only_fields = fields


class ClassificationWrite(serializers.Serializer[Any]):
    """Answers as the questionnaire names them; see the documentation of the risk questionnaire."""

    use_case = serializers.SlugField()
    answers = serializers.DictField()


class TierWrite(serializers.Serializer[Any]):
    tier = serializers.CharField(max_length=12)
    reason = serializers.CharField()


class RiskSerializer(Row):
    owner = Person(read_only=True, allow_null=True)
    accepted_by = Person(read_only=True, allow_null=True)

    class Meta:
        model = RiskItem
        fields = (
            "id",
            "use_case",
            "title",
            "description",
            "likelihood",
            "impact",
            "inherent",
            "residual",
            "treatment",
            "state",
            "owner",
            "accepted_by",
            "accepted_role",
            "accepted_at",
            "review_on",
            "raised_at",
        )
        read_only_fields = fields


class QuestionnaireSerializer(Row):
    """An answer set with its score in percent; ``dimensions`` are decimal strings."""

    answered_by = Person(read_only=True)
    answers = serializers.DictField(read_only=True)
    dimensions = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = QuestionnaireResponse
        fields = (
            "id",
            "use_case",
            "questionnaire",
            "answers",
            "dimensions",
            "score",
            "complete",
            "is_current",
            "answered_by",
            "answered_at",
        )
        read_only_fields = fields


class QuestionnaireWrite(serializers.Serializer[Any]):
    """``answers``: dimension -> answers 0 to 4 in question order, null where unanswered."""

    use_case = serializers.SlugField()
    questionnaire = serializers.SlugField()
    answers = serializers.DictField(child=serializers.ListField(child=serializers.IntegerField(allow_null=True)))
