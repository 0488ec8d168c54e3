"""What rows share that a worker takes up: how far they are, and who holds them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    """Something a worker makes. It holds a lease on it, ``lease`` and ``leased_until`` (``monitoring.leasing``)."""

    class JobState(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Being made")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    state = models.CharField(max_length=9, choices=JobState, default=JobState.WAITING)
    progress = models.PositiveSmallIntegerField(default=0, help_text=_("In percent."))
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)

    ENDS: ClassVar[tuple[str, ...]] = ("state", "error", "finished_at", "lease", "leased_until")
    """Fields that change when it ends."""

    class Meta:
        abstract = True

    @property
    def is_open(self) -> bool:
        """Whether something may still become of it."""
        return self.state in {self.JobState.WAITING, self.JobState.RUNNING}

    def end(self, state: JobState, error: str = "") -> None:
        """Its last state, not saved; nobody holds it any more."""
        self.state, self.error = state, error[:1000]
        self.finished_at, self.lease, self.leased_until = timezone.now(), None, None
