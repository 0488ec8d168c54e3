"""How people stay in charge: decision types with their oversight, reviewers, override and stop."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class OversightPlan(models.Model):
    """Who reviews, how a person overrides, and what stops the system. One current plan a use case."""

    access_path: ClassVar[str] = "use_case"

    use_case = models.OneToOneField(UseCase, on_delete=models.CASCADE, related_name="oversight", primary_key=True)
    reviewers = models.TextField(blank=True)
    override_path = models.TextField(blank=True)
    stop_control = models.TextField(blank=True)
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.use_case_id)


class DecisionType(models.Model):
    """One kind of decision that the system takes part in, and how much of it is left to the machine."""

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="decision_types")
    name = models.CharField(max_length=200)
    oversight_tier = models.CharField(
        max_length=20, blank=True, help_text=_("ai_decides, human_reviews or human_decides")
    )
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "name"), name="decision_type_once"),
        ]

    def __str__(self) -> str:
        return self.name
