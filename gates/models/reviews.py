"""Reviews: one attempt to pass one gate, its frozen snapshots, the sign-offs and the decision."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gates.models.policies import PolicyVersion
from portfolio.models import UseCase


class Review(models.Model):
    """One attempt to pass one gate under one policy version. Its state changes only through services."""

    access_path: ClassVar[str] = "use_case"

    class State(models.TextChoices):
        OPEN = "open", _("Open for sign-off")
        RETURNED = "returned", _("Returned")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        DECIDED = "decided", _("Decided")
        SUPERSEDED = "superseded", _("Superseded")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True, help_text=_("Shown as R-12."))
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="reviews")
    gate = models.CharField(max_length=40)
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="reviews")
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    tier = models.CharField(max_length=12, help_text=_("Tier it is judged under."))
    round = models.PositiveSmallIntegerField(default=1)
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of the current snapshot; only votes on it count."))
    slots = models.JSONField(default=list, help_text=_("Roles that must sign, frozen from the approval matrix."))
    message = models.TextField(blank=True, help_text=_("What the submitter tells the signers."))
    asks_to_end = models.BooleanField(
        default=False, help_text=_("Asks for a stop, a pivot or a retirement: nobody signs, and no go comes of it.")
    )
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True, help_text=_("When the signers were reminded."))
    escalated_at = models.DateTimeField(null=True, blank=True, help_text=_("When its delay went a level up."))
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="later")

    class Meta:
        ordering = ("-submitted_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case", "gate"), condition=models.Q(state="open"), name="review_one_open_per_gate"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=("state", "due_at"), name="review_waiting")]

    def __str__(self) -> str:
        return f"R-{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class Snapshot(models.Model):
    """Facts and findings frozen at one moment: the canonical JSON that people sign. Never changed."""

    access_path: ClassVar[str] = "review__use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="snapshots")
    digest = models.CharField(max_length=64)
    body = models.TextField(help_text=_("Canonical JSON, exactly as hashed."))
    taken_at = models.DateTimeField(default=timezone.now)
    replaced_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("taken_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("review", "digest"), name="snapshot_once"),
        ]

    def __str__(self) -> str:
        return self.digest[:12]


class SignOff(models.Model):
    """One person's vote in one role on one digest. A lapsed vote stays, and says why it no longer counts."""

    access_path: ClassVar[str] = "review__use_case"

    class Verdict(models.TextChoices):
        APPROVE = "approve", _("Approve")
        CONDITIONS = "approve_with_conditions", _("Approve with conditions")
        REJECT = "reject", _("Reject")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="sign_offs")
    digest = models.CharField(max_length=64, help_text=_("The snapshot that was signed."))
    role = models.CharField(max_length=40)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sign_offs")
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("The person who delegated, when the signer is a delegate."),
    )
    verdict = models.CharField(max_length=24, choices=Verdict)
    reason = models.TextField(blank=True)
    meaning = models.CharField(
        max_length=300, help_text=_("What the signature means, as shown when signing (21 CFR 11.50).")
    )
    signer_name = models.CharField(max_length=200, help_text=_("Printed name at the moment of signing."))
    method = models.CharField(max_length=40, help_text=_("How the person was authenticated."))
    signed_at = models.DateTimeField(default=timezone.now)
    lapsed_at = models.DateTimeField(null=True, blank=True)
    lapsed_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("signed_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # At the minimal tier sponsor and owner may be one person, who signs as both; nobody else signs twice.
            models.UniqueConstraint(
                fields=("review", "person"),
                condition=models.Q(lapsed_at__isnull=True) & ~models.Q(role="business_sponsor"),
                name="sign_off_one_vote_a_person",
            ),
            models.UniqueConstraint(
                fields=("review", "person", "role"),
                condition=models.Q(lapsed_at__isnull=True),
                name="sign_off_one_vote_a_role",
            ),
            models.UniqueConstraint(
                fields=("review", "on_behalf_of"),
                condition=models.Q(lapsed_at__isnull=True, on_behalf_of__isnull=False),
                name="sign_off_one_stand_in_a_person",
            ),
            models.CheckConstraint(
                condition=models.Q(on_behalf_of__isnull=True) | ~models.Q(on_behalf_of=models.F("person")),
                name="sign_off_for_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.verdict}"

    @property
    def counts(self) -> bool:
        return self.lapsed_at is None


class Decision(models.Model):
    """What was decided, by whom, on which digest. There is at most one for a review, for ever."""

    access_path: ClassVar[str] = "review__use_case"

    class Outcome(models.TextChoices):
        GO = "go", _("Go")
        GO_WITH_CONDITIONS = "go_with_conditions", _("Go with conditions")
        RETURN = "return", _("Return")
        PIVOT = "pivot", _("Pivot")
        STOP = "stop", _("Stop")
        RETIRE = "retire", _("Retire")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.OneToOneField(Review, on_delete=models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=20, choices=Outcome)
    reason = models.TextField(blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    plan = models.JSONField(
        default=dict, help_text=_("What a stop, a pivot or a retirement has to say: lessons, disposal, notice, logs.")
    )
    digest = models.CharField(max_length=64)
    body = models.TextField(help_text=_("Canonical JSON of what was decided on: digest, sign-offs, policy."))
    body_digest = models.CharField(max_length=64)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-decided_at",)

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} ({self.review_id})"
