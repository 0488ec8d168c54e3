"""The shapes of sampled outputs and their reviews over REST."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from monitoring.models import Answer, Output, ReasonCode, ReviewItem, SamplingPlan, Verdict
from monitoring.output_wire import LENGTHS


class OutputShape(serializers.Serializer[Any]):
    """One output. What it held comes redacted, or stays where it is and is linked."""

    use_case = serializers.CharField(required=False, help_text="Key of the use case; may stand beside `outputs` once.")
    version = serializers.CharField(required=False, help_text="Label of a version of the model.")
    external_id = serializers.CharField(max_length=LENGTHS["external_id"], help_text="Yours; once in the use case.")
    case_id = serializers.CharField(
        required=False, max_length=LENGTHS["case_id"], help_text="Shared by versions that answered the same case."
    )
    at = serializers.DateTimeField(help_text="ISO 8601 with a zone, at most 5 minutes ahead.")
    segment = serializers.CharField(required=False, max_length=LENGTHS["segment"])
    confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    summary = serializers.CharField(max_length=LENGTHS["summary"], help_text="What came out, in a line.")
    payload_url = serializers.URLField(
        required=False, max_length=LENGTHS["payload_url"], help_text="Shown as a link to reviewers, never fetched."
    )
    payload = serializers.DictField(
        child=serializers.CharField(allow_null=True), required=False, help_text="Field and its text; redact it first."
    )
    redacted = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Fields that you redacted: they must hold nothing."
    )
    acted_by = serializers.CharField(
        required=False,
        max_length=LENGTHS["acted_by"],
        help_text="E-mail address of the person who acted on it, or a name; they will not review it.",
    )


class OutputBatchWrite(serializers.Serializer[Any]):
    """Outputs, and beside them what they all share: use_case, version."""

    outputs = OutputShape(many=True)


class OutputBatchAnswer(serializers.Serializer[Any]):
    received = serializers.IntegerField()
    stored = serializers.IntegerField(help_text="New ones; the rest was there already.")
    unchanged = serializers.IntegerField()
    sampled = serializers.IntegerField(help_text="Of the new ones, those that people are asked to review.")


class OutputVerdictSerializer(serializers.ModelSerializer[Verdict]):
    reviewer = serializers.UUIDField(source="reviewer_id")
    takes_back = serializers.UUIDField(source="takes_back_id", allow_null=True)

    class Meta:
        model = Verdict
        fields = (
            *("id", "item", "kind", "reason_code", "reason", "corrected", "reviewer", "at", "seconds"),
            *("takes_back", "sha256", "salt", "told_at"),
        )
        read_only_fields = fields


class OutputSerializer(serializers.ModelSerializer[Output]):
    use_case = serializers.CharField(source="use_case.key")
    version = serializers.CharField(source="version.label", default=None, allow_null=True)

    class Meta:
        model = Output
        fields = (
            *("id", "use_case", "version", "external_id", "case_id", "at", "segment", "confidence", "summary"),
            *("redacted", "content_sha256", "sampled", "received_at", "payload_until", "payload_deleted_at"),
        )
        read_only_fields = fields


class HeldShape(serializers.Serializer[Any]):
    """What an output held."""

    payload = serializers.DictField(child=serializers.CharField())
    payload_url = serializers.CharField()
    actor = serializers.CharField(help_text="Who acted on it, as the sender names them.")


class OutputDetail(serializers.Serializer[Any]):
    """An output, and what it held for whoever reviews there or may read logs; null for others."""

    output = OutputSerializer()
    held = HeldShape(allow_null=True)


class ReviewItemSerializer(serializers.ModelSerializer[ReviewItem]):
    output = OutputSerializer()
    claimed_by = serializers.UUIDField(source="claimed_by_id", allow_null=True)
    reviewer = serializers.UUIDField(source="reviewer_id", allow_null=True)

    class Meta:
        model = ReviewItem
        fields = (
            *("id", "output", "slot", "why", "state", "selected_at", "due_at", "claimed_by", "leased_until"),
            *("answer", "reviewer", "answered_at"),
        )
        read_only_fields = fields


class AnswerWrite(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(choices=Answer.choices)
    reason_code = serializers.ChoiceField(
        choices=ReasonCode.choices, required=False, allow_blank=True, default="", help_text="Unless you agree."
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", help_text="Unless you agree.")
    corrected = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="With override: what it should have been."
    )


class SamplingPlanSerializer(serializers.ModelSerializer[SamplingPlan]):
    use_case = serializers.CharField(source="use_case.key", read_only=True)
    segment_quotas = serializers.DictField(
        child=serializers.IntegerField(min_value=0), required=False, help_text="Segment and outputs a day."
    )

    class Meta:
        model = SamplingPlan
        fields = (
            *("use_case", "enabled", "seed", "random_percent", "below_confidence", "segment_quotas", "most_per_day"),
            *("double_percent", "due_hours", "keep_days", "window_days", "most_disagreement", "min_sample"),
            "updated_at",
        )
        read_only_fields = ("use_case", "updated_at")
        extra_kwargs = {"seed": {"required": False}}  # as the class of another library reads it
