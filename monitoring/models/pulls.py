"""Pulls: what each attempt to read a source came to."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models.sources import Source


class PullRun(models.Model):
    """One attempt to read a source, from its lease to its end.

    The key is the lease, so a worker finishes the row that it began. A row that stays ``running`` past its lease was
    left by a worker that died; the next one says so.
    """

    access_path: ClassVar[str] = "source__use_case"

    class Outcome(models.TextChoices):
        RUNNING = "running", _("Under way")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        LOST = "lost", _("Worker lost")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="pulls")
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.RUNNING)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(null=True, blank=True, help_text=_("Start of what was asked for; empty for all."))
    until = models.DateTimeField(null=True, blank=True)
    fetched = models.PositiveIntegerField(default=0, help_text=_("Points that the source gave."))
    stored = models.PositiveIntegerField(default=0, help_text=_("New points and new revisions."))
    revised = models.PositiveIntegerField(default=0, help_text=_("Of these, values that the source had changed."))
    error = models.TextField(blank=True)
    error_kind = models.CharField(max_length=12, blank=True)

    class Meta:
        ordering = ("-started_at",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("source", "-started_at"), name="pulls_of_a_source"),
            models.Index(fields=("outcome", "finished_at"), name="pulls_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} {self.outcome}"

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at else None
