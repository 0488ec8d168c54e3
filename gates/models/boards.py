"""The board: meetings, their agenda, who attended, and who may not vote on what."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gates.models.reviews import Review
from portfolio.models import UseCase


class Meeting(models.Model):
    """One meeting of the AI governance board."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        IN_SESSION = "in_session", _("In session")
        CLOSED = "closed", _("Closed")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True, help_text=_("Shown as M-12."))
    title = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    place = models.CharField(max_length=300, blank=True, help_text=_("A room or the address of a call."))
    chair = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=State, default=State.PLANNED)
    minutes = models.TextField(blank=True, help_text=_("What was said beyond the single items."))
    called_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    minutes_digest = models.CharField(max_length=64, blank=True, help_text=_("SHA-256 of the minutes as closed."))

    class Meta:
        ordering = ("-starts_at",)

    def __str__(self) -> str:
        return f"M-{self.number}"


class AgendaItem(models.Model):
    """One review on the agenda of one meeting, with what was said about it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="items")
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="agenda_items")
    position = models.PositiveSmallIntegerField()
    minutes = models.TextField(blank=True)

    class Meta:
        ordering = ("position",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("meeting", "review"), name="agenda_item_once_a_meeting"),
        ]

    def __str__(self) -> str:
        return f"{self.meeting}: {self.review}"


class Attendance(models.Model):
    """Whether a board member was there."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="attendances")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    present = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("meeting", "person"), name="attendance_once"),
        ]

    def __str__(self) -> str:
        return f"{self.meeting}: {self.person}"


class Recusal(models.Model):
    """A person who takes no part in deciding about a use case: for one review, or for all (a declared interest)."""

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="recusals")
    review = models.ForeignKey(Review, null=True, blank=True, on_delete=models.PROTECT, related_name="recusals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    declared_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True, help_text=_("When the interest ended; never for a review."))

    class Meta:
        ordering = ("declared_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case", "person"),
                condition=models.Q(review__isnull=True, ended_at__isnull=True),
                name="recusal_one_standing_interest",
            ),
            models.UniqueConstraint(fields=("review", "person"), name="recusal_once_a_review"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.reason}"

    @property
    def ledger_label(self) -> str:
        """Without the person: labels of events cannot be erased."""
        return f"Recusal from {self.use_case.key}"
