"""Simulations: what a draft policy would change for the whole portfolio."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gates.models.policies import PolicyVersion


class Simulation(models.Model):
    """One run of a draft over every use case, beside the version in force. Run in the background."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="simulations")
    draft_digest = models.CharField(max_length=64, help_text=_("The text that was simulated; a draft may change."))
    against = models.ForeignKey(PolicyVersion, null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0, help_text=_("Use cases judged so far."))
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict, help_text=_("Counts, and the use cases that turn with the criteria."))
    error = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-asked_at",)

    def __str__(self) -> str:
        return f"{self.draft}: {self.state}"
