"""The shapes of gates over REST. They only shape: services check and decide, and no state can be written."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.api.serializers import PersonRef
from gates.api.conditions import TermWrite
from gates.models import CriterionFinding, Decision, PolicyVersion, Review, SignOff
from gates.policy import MODES
from gates.services.decisions import OUTCOMES, PIVOTS, STOP_REASONS

FINDINGS = CriterionFinding.Outcome.choices
SLOT_STATES = ("waiting", "signed", "rejected")


class EvidenceRef(serializers.Serializer[Any]):
    """A row that a finding rests on."""

    kind = serializers.CharField()
    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, which the base has too
    digest = serializers.CharField(allow_blank=True)


class FindingSerializer(serializers.ModelSerializer[CriterionFinding]):
    """The newest stored finding of one criterion. ``found_at`` is when its outcome last turned."""

    use_case = serializers.CharField(source="use_case.key", read_only=True)
    policy = serializers.CharField(source="policy.key", read_only=True)
    policy_version = serializers.CharField(source="policy_version.label", read_only=True)
    evidence = EvidenceRef(many=True, read_only=True)

    class Meta:
        model = CriterionFinding
        fields = (
            "id",
            "use_case",
            "policy",
            "policy_version",
            "gate",
            "criterion",
            "mandatory",
            "outcome",
            "observed",
            "required",
            "reason",
            "evidence",
            "valid_until",
            "found_at",
        )
        read_only_fields = fields


class JudgedSerializer(serializers.Serializer[Any]):
    """What the engine says of one criterion right now."""

    criterion = serializers.CharField()
    title = serializers.CharField()
    question = serializers.CharField(allow_blank=True)
    mandatory = serializers.BooleanField()
    outcome = serializers.ChoiceField(choices=FINDINGS)
    blocks = serializers.BooleanField()
    observed = serializers.CharField(allow_blank=True)
    required = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # the word of the domain
    reason = serializers.CharField(allow_blank=True)
    todo = serializers.CharField(allow_blank=True, help_text="What would make it pass; empty when it passes.")
    owner = serializers.CharField(help_text="Key of the role that owes it.")
    standards = serializers.ListField(child=serializers.CharField())
    evidence = EvidenceRef(many=True)
    valid_until = serializers.DateTimeField(allow_null=True)


class PolicyRef(serializers.Serializer[Any]):
    key = serializers.CharField()
    version = serializers.CharField()
    digest = serializers.CharField()


class GateJudgement(serializers.Serializer[Any]):
    """One gate of one use case as of a moment. ``ready``: nothing mandatory is open but the signatures themselves."""

    use_case = serializers.CharField()
    stage = serializers.CharField()
    tier = serializers.CharField(help_text="The tier it is judged under.")
    policy = PolicyRef()
    gate = serializers.CharField()
    title = serializers.CharField()
    from_stages = serializers.ListField(child=serializers.CharField())
    to_stage = serializers.CharField()
    at = serializers.DateTimeField()
    ready = serializers.BooleanField()
    met = serializers.IntegerField()
    required = serializers.IntegerField()  # type: ignore[assignment]  # the word of the domain
    blockers = serializers.ListField(child=serializers.CharField(), help_text="What closes every gate.")
    findings = JudgedSerializer(many=True)


class PolicyRow(serializers.ModelSerializer[PolicyVersion]):
    """One version of a policy, not a draft."""

    key = serializers.CharField(source="policy.key", read_only=True)
    title = serializers.CharField(source="policy.title", read_only=True)
    primary = serializers.BooleanField(source="policy.is_primary", read_only=True)
    version = serializers.CharField(source="label", read_only=True)

    class Meta:
        model = PolicyVersion
        fields: tuple[str, ...] = ("key", "title", "primary", "version", "state", "digest", "published_at")
        read_only_fields: tuple[str, ...] = fields


class ThresholdSerializer(serializers.Serializer[Any]):
    measure = serializers.CharField()
    op = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    by_tier = serializers.DictField(child=serializers.CharField(), help_text="Decimal strings by tier.")


class CriterionSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    title = serializers.CharField()
    question = serializers.CharField(allow_blank=True)
    type = serializers.CharField()
    params = serializers.DictField()
    applies = serializers.DictField(child=serializers.ChoiceField(choices=MODES))
    applies_if = serializers.CharField(allow_blank=True)
    threshold = ThresholdSerializer(allow_null=True)
    owner = serializers.CharField()
    standards = serializers.ListField(child=serializers.CharField())
    validity_days = serializers.DictField(child=serializers.IntegerField())
    invalidated_by = serializers.ListField(child=serializers.CharField())
    waivable = serializers.BooleanField()
    once = serializers.BooleanField()


class SlotsSerializer(serializers.Serializer[Any]):
    tier = serializers.CharField()
    signers = serializers.ListField(child=serializers.CharField())
    decision_sla_days = serializers.IntegerField()


class GateSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    from_stages = serializers.ListField(child=serializers.CharField())
    to_stage = serializers.CharField()
    criteria = CriterionSerializer(many=True)
    matrix = SlotsSerializer(many=True)


class PolicyDetail(PolicyRow):
    """A version with its gates, criteria and approval matrix, and the YAML as written."""

    gates = GateSerializer(many=True, read_only=True)
    text = serializers.CharField(read_only=True)

    class Meta(PolicyRow.Meta):
        fields = (*PolicyRow.Meta.fields, "gates", "text")
        read_only_fields = fields


class SignOffSerializer(serializers.ModelSerializer[SignOff]):
    """One vote. ``counts`` is false once it lapsed; ``lapsed_because`` then says why."""

    review = serializers.IntegerField(source="review.number", read_only=True)
    use_case = serializers.CharField(source="review.use_case.key", read_only=True)
    person = PersonRef(read_only=True)
    on_behalf_of = PersonRef(read_only=True, allow_null=True)
    counts = serializers.BooleanField(read_only=True)

    class Meta:
        model = SignOff
        fields = (
            "id",
            "review",
            "use_case",
            "role",
            "person",
            "on_behalf_of",
            "signer_name",
            "verdict",
            "reason",
            "meaning",
            "method",
            "digest",
            "signed_at",
            "counts",
            "lapsed_at",
            "lapsed_because",
        )
        read_only_fields = fields


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """What was decided, on which digest. ``body`` is the canonical record, exactly as hashed to ``body_digest``."""

    review = serializers.IntegerField(source="review.number", read_only=True)
    use_case = serializers.CharField(source="review.use_case.key", read_only=True)
    gate = serializers.CharField(source="review.gate", read_only=True)
    decided_by = PersonRef(read_only=True)

    class Meta:
        model = Decision
        fields = (
            "id",
            "review",
            "use_case",
            "gate",
            "outcome",
            "reason",
            "reason_code",
            "plan",
            "digest",
            "body",
            "body_digest",
            "decided_by",
            "decided_at",
        )
        read_only_fields = fields


class ReviewRow(serializers.ModelSerializer[Review]):
    """A review in a list."""

    use_case = serializers.CharField(source="use_case.key", read_only=True)
    policy = serializers.CharField(source="policy_version.policy.key", read_only=True)
    policy_version = serializers.CharField(source="policy_version.label", read_only=True)
    submitted_by = PersonRef(read_only=True)

    class Meta:
        model = Review
        fields: tuple[str, ...] = (
            "id",
            "number",
            "use_case",
            "gate",
            "policy",
            "policy_version",
            "state",
            "tier",
            "round",
            "asks_to_end",
            "digest",
            "submitted_by",
            "submitted_at",
            "due_at",
            "closed_at",
        )
        read_only_fields: tuple[str, ...] = fields


class SlotSerializer(serializers.Serializer[Any]):
    """One required signature."""

    role = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=SLOT_STATES)
    needed = serializers.IntegerField(help_text="Votes that are needed; more than one for a board.")
    given = serializers.IntegerField()
    note = serializers.CharField(allow_blank=True)


class ReadinessSerializer(serializers.Serializer[Any]):
    """Whether a go can be decided now, and in words why not."""

    open = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())


class ReviewDetail(ReviewRow):
    """A review with its slots, every vote, and its decision."""

    slots = SlotSerializer(many=True, read_only=True)
    readiness = ReadinessSerializer(read_only=True, allow_null=True, help_text="Null once the review is closed.")
    sign_offs = SignOffSerializer(many=True, read_only=True)
    decision = DecisionSerializer(read_only=True, allow_null=True)
    snapshots = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="Digests, oldest first.")

    class Meta(ReviewRow.Meta):
        fields = (*ReviewRow.Meta.fields, "message", "slots", "readiness", "sign_offs", "decision", "snapshots")
        read_only_fields = fields


class SubmitWrite(serializers.Serializer[Any]):
    use_case = serializers.CharField(help_text="Key of the use case.")
    gate = serializers.CharField(max_length=40, help_text="Key of its next gate.")
    message = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    asks_to_end = serializers.BooleanField(
        required=False, default=False, help_text="Ask for a stop, a pivot or a retirement instead of passing."
    )


class SignWrite(serializers.Serializer[Any]):
    role = serializers.CharField(max_length=40, help_text="Key of the role signed in.")
    verdict = serializers.ChoiceField(choices=SignOff.Verdict.choices)
    digest = serializers.CharField(max_length=64, help_text="Digest of the snapshot that was read.")
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)
    on_behalf_of = serializers.UUIDField(required=False, help_text="In whose place, for a stand-in (a delegation).")


class DecideWrite(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    digest = serializers.CharField(max_length=64, help_text="Digest of the snapshot that was read.")
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)
    reason_code = serializers.ChoiceField(required=False, allow_blank=True, default="", choices=STOP_REASONS)
    to_stage = serializers.ChoiceField(required=False, allow_blank=True, default="", choices=PIVOTS)
    conditions = TermWrite(
        many=True, required=False, default=list, help_text="One to five, with “go_with_conditions” alone."
    )
    plan = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        default=dict,
        help_text="A stop: lessons, disposal. A retirement: steps, notice_to, notice_on, logs, logs_until, access.",
    )


class WithdrawWrite(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class RefreshedSerializer(serializers.Serializer[Any]):
    """``changed`` names what differs; empty when the snapshot still holds."""

    changed = serializers.ListField(child=serializers.CharField())
    review = ReviewDetail()
