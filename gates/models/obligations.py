"""What is owed outside the ordinary walk: recurring and out-of-cycle reviews, and emergency releases."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gates.models.reviews import Review
from portfolio.models import UseCase


class ReviewCall(models.Model):
    """A review that has to be held until a day, and why: the cadence of the tier, or an event that the policy names."""

    access_path: ClassVar[str] = "use_case"

    class Cause(models.TextChoices):
        CADENCE = "cadence", _("Recurring review is due")
        INCIDENT = "incident", _("Severity-1 incident")
        BREACH = "breach", _("Act-level threshold breach")
        CHANGE = "change", _("Significant model, prompt or supplier-model change")
        SCOPE = "scope", _("Change of purpose, users, data category or oversight tier")
        LAW = "law", _("Change of applicable law")
        OWNER = "owner", _("Owner or sponsor left")
        EMERGENCY = "emergency", _("Emergency release")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="review_calls")
    gate = models.CharField(max_length=40)
    cause = models.CharField(max_length=12, choices=Cause)
    text = models.CharField(max_length=300, help_text=_("What happened, in words."))
    reference = models.CharField(max_length=80, help_text=_("What caused it: kind and id. One call a cause."))
    called_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(Review, null=True, blank=True, on_delete=models.PROTECT, related_name="answers")
    reminded_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("due_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "reference"), name="review_call_once_a_cause"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("settled_at", "due_at"), name="review_call_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.use_case_id}: {self.cause}"


class EmergencyRelease(models.Model):
    """A gate passed for at most 24 hours on the word of two people, with an incident and a full review owed."""

    access_path: ClassVar[str] = "use_case"

    class State(models.TextChoices):
        REQUESTED = "requested", _("Waiting for a second person")
        ACTIVE = "active", _("Active")
        REFUSED = "refused", _("Refused")
        ENDED = "ended", _("Ended")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="emergency_releases")
    gate = models.CharField(max_length=40)
    reason = models.TextField()
    hours = models.PositiveSmallIntegerField(default=24)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    incident = models.ForeignKey(
        "governance.Incident", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    call = models.ForeignKey(ReviewCall, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-requested_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case",),
                condition=models.Q(state__in=("requested", "active")),
                name="emergency_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(hours__gte=1) & models.Q(hours__lte=24), name="emergency_at_most_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(answered_by__isnull=True) | ~models.Q(answered_by=models.F("requested_by")),
                name="emergency_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use_case_id}: {self.gate}"

    def holds(self, at: datetime) -> bool:
        """Whether the gate counts as passed at that moment by this release."""
        if self.answered_at is None or self.ends_at is None or self.state == self.State.REFUSED:
            return False
        return self.answered_at <= at < min(self.ends_at, self.ended_at or self.ends_at)
