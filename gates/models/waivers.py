"""Waivers: one criterion of one use case excused until a date, asked for by one person and granted by others."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class Waiver(models.Model):
    """One criterion excused for a time. It never says that the criterion is met, and it ends by itself."""

    access_path: ClassVar[str] = "use_case"

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        REVOKED = "revoked", _("Revoked")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True, help_text=_("Shown as W-12."))
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="waivers")
    gate = models.CharField(max_length=40)
    criterion = models.CharField(max_length=40, help_text=_("Identifier of the one criterion that is excused."))
    tier = models.CharField(max_length=12, help_text=_("Tier when it was asked for; it decides how many must approve."))
    reason = models.TextField()
    compensating_control = models.TextField(help_text=_("What is done instead, for as long as the waiver holds."))
    state = models.CharField(max_length=12, choices=State, default=State.REQUESTED)
    expires_at = models.DateTimeField()
    renews = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="renewed_by")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was approved or refused."))
    ended_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was withdrawn or revoked."))
    ended_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-requested_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("requested_at")), name="waiver_expires_after_request"
            ),
            models.UniqueConstraint(
                fields=("use_case", "gate", "criterion"),
                condition=models.Q(state="requested"),
                name="waiver_one_open_per_criterion",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("use_case", "state", "expires_at"), name="waiver_in_force"),
        ]

    def __str__(self) -> str:
        return f"W-{self.number}"

    def holds(self, at: datetime) -> bool:
        """Whether it excuses its criterion at that moment."""
        begun = self.settled_at is not None and self.settled_at <= at
        ended = self.ended_at is not None and self.ended_at <= at
        return self.state in (self.State.APPROVED, self.State.REVOKED) and begun and not ended and at < self.expires_at


class WaiverVote(models.Model):
    """One approver's word on one waiver."""

    access_path: ClassVar[str] = "waiver__use_case"

    class Verdict(models.TextChoices):
        APPROVE = "approve", _("Approve")
        REFUSE = "refuse", _("Refuse")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    waiver = models.ForeignKey(Waiver, on_delete=models.CASCADE, related_name="votes")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=40)
    verdict = models.CharField(max_length=8, choices=Verdict)
    reason = models.TextField(blank=True)
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("given_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("waiver", "person"), name="waiver_vote_once_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.waiver}: {self.verdict}"
