"""How soon an alert is answered, and who is told when it is not."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models.alerts import Alert
from portfolio.models import BusinessUnit, Tier


class ResponseTarget(models.Model):
    """What this organisation asks for alerts of one level on one tier; without a row, what the product ships with.

    With a unit: what that unit asks for, and everything below it. It only ever tightens (``monitoring.responses``).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    unit = models.ForeignKey(
        BusinessUnit, null=True, blank=True, on_delete=models.PROTECT, related_name="response_targets"
    )
    tier = models.CharField(max_length=12, choices=Tier)
    level = models.CharField(max_length=5, choices=Alert.Level)
    severity = models.CharField(max_length=8, choices=Alert.Severity)
    acknowledge_minutes = models.PositiveIntegerField(help_text=_("From when it opens to when somebody has seen it."))
    resolve_minutes = models.PositiveIntegerField(help_text=_("From when it opens to when it is over."))
    told_first = models.JSONField(default=list, help_text=_("Roles that are told when the time is over."))
    told_next = models.JSONField(default=list, help_text=_("Roles that are told when twice the time is over."))
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("tier", "level")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("tier", "level"), condition=models.Q(unit__isnull=True), name="response_target_once"
            ),
            models.UniqueConstraint(
                fields=("unit", "tier", "level"),
                condition=models.Q(unit__isnull=False),
                name="response_target_once_per_unit",
            ),
            models.CheckConstraint(
                condition=models.Q(acknowledge_minutes__gte=1, resolve_minutes__gte=models.F("acknowledge_minutes")),
                name="response_target_seen_before_over",
            ),
        ]

    def __str__(self) -> str:
        words = f"{self.get_tier_display()}, {self.get_level_display()}"
        return f"{self.unit.name}: {words}" if self.unit else words
