"""Sources: places that metrics are pulled from on a schedule."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class Source(models.Model):
    """A place that metrics are pulled from on a schedule, by one connector.

    ``leased_until`` and ``lease`` say who pulls it now: a lease is taken by a conditional UPDATE, so two workers
    never pull the same window. ``watermark`` is the time of the newest point that was stored; ``read_through`` is the
    time up to which the source was asked, whether it had points or not.
    """

    access_path: ClassVar[str] = "use_case"

    class Health(models.TextChoices):
        NEW = "new", _("Not pulled yet")
        OK = "ok", _("Working")
        FAILING = "failing", _("Failing")
        BROKEN = "broken", _("Stopped after repeated failures")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=200)
    connector = models.CharField(max_length=40)
    config = models.JSONField(default=dict, help_text=_("Validated by the connector. Never holds a secret."))
    secret = models.TextField(blank=True, editable=False, help_text=_("Encrypted; never shown, logged or exported."))
    mapping = models.JSONField(
        default=list, help_text=_("What the source calls its metrics, and the series they go to; see mapping.py.")
    )
    every_seconds = models.PositiveIntegerField(default=300)
    history_days = models.PositiveSmallIntegerField(default=7, help_text=_("How far back the first pull asks."))
    enabled = models.BooleanField(default=True)
    next_due_at = models.DateTimeField(default=timezone.now, db_index=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    watermark = models.DateTimeField(null=True, blank=True)
    read_through = models.DateTimeField(null=True, blank=True)
    catching_up_from = models.DateTimeField(
        null=True, blank=True, help_text=_("Where it began to catch up; empty when it has caught up.")
    )
    health = models.CharField(max_length=10, choices=Health, default=Health.NEW)
    failures = models.PositiveIntegerField(default=0, help_text=_("In a row."))
    last_error = models.TextField(blank=True)
    error_kind = models.CharField(max_length=12, blank=True, help_text=_("Why it failed, in one word."))
    failing_since = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_count = models.PositiveIntegerField(default=0, help_text=_("Points of the last pull."))
    last_pull_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "name"), name="source_name_once"),
            models.CheckConstraint(condition=models.Q(every_seconds__gte=10), name="source_not_too_often"),
        ]

    def __str__(self) -> str:
        return self.name
