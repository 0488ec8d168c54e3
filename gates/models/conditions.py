"""Conditions: what is owed after a conditional go."""

from __future__ import annotations

import uuid
from datetime import date
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase

MOST_CONDITIONS = 5


class Condition(models.Model):
    """One thing owed by one person until a day. Overdue, it blocks the next gate and lowers the assurance."""

    access_path: ClassVar[str] = "use_case"

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        REPORTED = "reported", _("Reported done")
        CLOSED = "closed", _("Closed")
        DROPPED = "dropped", _("No longer owed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    decision = models.ForeignKey("gates.Decision", on_delete=models.PROTECT, related_name="conditions")
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="conditions")
    position = models.PositiveSmallIntegerField()
    text = models.TextField(help_text=_("What has to be done."))
    scope = models.CharField(max_length=300, help_text=_("What it concerns or limits: users, region, volume, data."))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owed_conditions")
    due_on = models.DateField()
    evidence_wanted = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    report = models.TextField(blank=True, help_text=_("What was done, as the owner reports it."))
    evidence = models.ForeignKey(
        "governance.Evidence", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reported_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closing_note = models.TextField(blank=True)
    sent_back_because = models.TextField(blank=True, help_text=_("Why the last report was not enough."))
    reminded_at = models.DateTimeField(null=True, blank=True, help_text=_("When its owner was told that it falls due."))
    overdue_told_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was told that it is overdue."))

    class Meta:
        ordering = ("due_on", "position")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("decision", "position"), name="condition_once_per_position"),
            models.CheckConstraint(
                condition=models.Q(position__gte=1) & models.Q(position__lte=MOST_CONDITIONS),
                name="condition_at_most_five",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_by__isnull=True)
                | models.Q(reported_by__isnull=True)
                | ~models.Q(closed_by=models.F("reported_by")),
                name="condition_closed_by_another",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("use_case", "state", "due_on"), name="condition_owed"),
        ]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def is_owed(self) -> bool:
        return self.state in (self.State.OPEN, self.State.REPORTED)

    def is_overdue(self, today: date | None = None) -> bool:
        """Owed and past its day; reporting it done does not stop the clock, closing it does."""
        return self.is_owed and self.due_on < (today or timezone.localdate())
