"""The queue of sampled outputs, and the verdicts of the people who looked at them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models.outputs import Output


class Answer(models.TextChoices):
    AGREE = "agree", _("Agree")
    DISAGREE = "disagree", _("Disagree")
    OVERRIDE = "override", _("Override")


class ReasonCode(models.TextChoices):
    WRONG_FACT = "wrong_fact", _("States something wrong")
    WRONG_OUTCOME = "wrong_outcome", _("Comes to the wrong outcome")
    INCOMPLETE = "incomplete", _("Leaves something out")
    UNFAIR = "unfair", _("Treats somebody unfairly")
    UNSAFE = "unsafe", _("Could do harm")
    AGAINST_RULES = "against_rules", _("Breaks a rule or policy")
    OUT_OF_SCOPE = "out_of_scope", _("Was not for the system to answer")
    BAD_INPUT = "bad_input", _("Rests on wrong or missing input")
    OTHER = "other", _("Something else")


class ReviewItem(models.Model):
    """One review that is owed of one output. An output that two people are to review has two.

    ``claimed_by`` and ``leased_until`` say who has it on the screen: taken by a conditional UPDATE, so two people never
    get the same. ``answer``, ``reviewer`` and ``answered_at`` repeat the verdict that stands.
    """

    access_path: ClassVar[str] = "output__use_case"

    class Why(models.TextChoices):
        RANDOM = "random", _("Drawn at random")
        CONFIDENCE = "confidence", _("Low confidence")
        SEGMENT = "segment", _("Quota of its segment")

    class ItemState(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Reviewed")
        EXPIRED = "expired", _("Not reviewed in time")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="items")
    slot = models.PositiveSmallIntegerField(default=1)
    why = models.CharField(max_length=12, choices=Why)
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.WAITING)
    selected_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=10, choices=Answer, blank=True)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("due_at", "slot")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("output", "slot"), name="review_item_once_per_slot"),
            models.UniqueConstraint(
                fields=("output", "reviewer"), condition=models.Q(reviewer__isnull=False), name="review_by_two_people"
            ),
            models.CheckConstraint(condition=models.Q(slot__in=(1, 2)), name="review_item_slot_1_or_2"),
            models.CheckConstraint(
                condition=models.Q(state="done", reviewer__isnull=False, answered_at__isnull=False)
                & ~models.Q(answer="")
                | ~models.Q(state="done") & models.Q(reviewer__isnull=True, answered_at__isnull=True, answer=""),
                name="review_item_done_has_an_answer",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("state", "due_at"), name="review_queue"),
            models.Index(fields=("state", "answered_at"), name="review_answered"),
        ]

    def __str__(self) -> str:
        return f"{self.output_id}/{self.slot}"


class Verdict(models.Model):
    """What one person said of one output, sealed. Never edited: taking it back is another verdict.

    ``salt`` goes into the digest of a verdict that somebody may not read yet, because their own review of the same
    output is owed: without it the few things that one can say would be guessed from the digest. ``told_at`` is when
    the ledger told what was said; until then it holds the digest alone.
    """

    access_path: ClassVar[str] = "item__output__use_case"

    class Kind(models.TextChoices):
        AGREE = "agree", _("Agrees")
        DISAGREE = "disagree", _("Disagrees")
        OVERRIDE = "override", _("Overrides")
        WITHDRAWN = "withdrawn", _("Takes the verdict back")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="verdicts")
    kind = models.CharField(max_length=10, choices=Kind)
    reason_code = models.CharField(max_length=20, choices=ReasonCode, blank=True)
    reason = models.TextField(blank=True)
    corrected = models.TextField(blank=True, help_text=_("What the output should have been."))
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    seconds = models.PositiveIntegerField(null=True, blank=True, help_text=_("From claim to verdict."))
    takes_back = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="taken_back_by"
    )
    sha256 = models.CharField(max_length=64, help_text=_("Over the output's digest and all that was said."))
    salt = models.CharField(max_length=32, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, default=timezone.now)

    class Meta:
        ordering = ("-at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(kind__in=("agree", "withdrawn"))
                | (~models.Q(reason="") & ~models.Q(reason_code="")),
                name="verdict_against_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="override") | ~models.Q(corrected=""),
                name="verdict_override_says_what_instead",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="withdrawn", takes_back__isnull=False)
                | (~models.Q(kind="withdrawn") & models.Q(takes_back__isnull=True)),
                name="verdict_withdrawn_names_which",
            ),
            models.CheckConstraint(
                condition=models.Q(told_at__isnull=False) | ~models.Q(salt=""), name="verdict_untold_has_salt"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("item",), condition=models.Q(told_at__isnull=True), name="verdict_untold"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"

    @property
    def ledger_label(self) -> str:
        """When it was given, and not what it says: the second reviewer reads labels too."""
        return str(self)


class Skip(models.Model):
    """Somebody passed an output on: it is not offered to them again."""

    access_path: ClassVar[str] = "item__output__use_case"

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="skips")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("item", "person"), name="skipped_once"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}"
