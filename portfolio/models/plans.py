"""What has been committed: money, people, support, retraining; and the phases of the roadmap."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portfolio.models.use_cases import UseCase


class OperatingPlan(models.Model):
    """Commitments of one use case; empty fields are facts that are missing. Money in ``currency`` units."""

    access_path: ClassVar[str] = "use_case"

    use_case = models.OneToOneField(UseCase, on_delete=models.CASCADE, related_name="plan", primary_key=True)
    currency = models.CharField(max_length=3, default="EUR")
    budget_poc = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    budget_build = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    budget_run_year1 = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    budget_run = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    budget_monitoring = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    budget_people = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    budget_end_date = models.DateField(null=True, blank=True)
    cost_to_date = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    production_cost_range = models.CharField(max_length=100, blank=True)
    planned_end = models.DateField(null=True, blank=True)
    team = models.TextField(blank=True)
    priority_rank = models.PositiveIntegerField(null=True, blank=True)
    support_hours = models.CharField(max_length=200, blank=True)
    support_targets = models.TextField(blank=True)
    support_levels = models.TextField(blank=True)
    support_review_calendar = models.CharField(max_length=200, blank=True)
    retrain_cadence_days = models.PositiveIntegerField(null=True, blank=True)
    retrain_trigger = models.TextField(blank=True)
    retrain_data_window = models.CharField(max_length=200, blank=True)
    retrain_next_date = models.DateField(null=True, blank=True)
    log_retention_days = models.PositiveIntegerField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Plan of {self.use_case.key}"


class Phase(models.Model):
    """A block of the roadmap, or a rollout wave with its exit check."""

    access_path: ClassVar[str] = "use_case"

    class Kind(models.TextChoices):
        PHASE = "phase", _("Phase")
        WAVE = "wave", _("Rollout wave")

    class State(models.TextChoices):
        NOT_STARTED = "not_started", _("Not started")
        IN_PROGRESS = "in_progress", _("In progress")
        BLOCKED = "blocked", _("Blocked")
        COMPLETED = "completed", _("Completed")

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="phases")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PHASE)
    name = models.CharField(max_length=200)
    objective = models.TextField(blank=True)
    order = models.PositiveSmallIntegerField(default=0)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.NOT_STARTED)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    exit_check = models.TextField(blank=True)

    class Meta:
        ordering = ("order", "starts_on", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True)
                | models.Q(starts_on__isnull=True)
                | models.Q(ends_on__gte=models.F("starts_on")),
                name="phase_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.name
