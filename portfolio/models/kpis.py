"""Success measures and what was measured."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models.use_cases import UseCase


class Direction(models.TextChoices):
    HIGHER = "higher", _("Higher is better")
    LOWER = "lower", _("Lower is better")


class Kpi(models.Model):
    """One version of a success measure. Once locked, an edit makes a new version; the old one stays."""

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="kpis")
    key = models.SlugField(max_length=60)
    version = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=40)
    direction = models.CharField(max_length=10, choices=Direction)
    formula = models.TextField(blank=True)
    baseline = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    baseline_date = models.DateField(null=True, blank=True)
    baseline_source = models.CharField(max_length=300, blank=True)
    target = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    target_date = models.DateField(null=True, blank=True)
    window_days = models.PositiveSmallIntegerField(null=True, blank=True)
    is_primary = models.BooleanField(default=False)
    is_current = models.BooleanField(default=True)
    locked_at = models.DateTimeField(null=True, blank=True)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-is_primary", "name", "version")
        verbose_name = _("KPI")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "key", "version"), name="kpi_version_once"),
            models.UniqueConstraint(
                fields=("use_case", "key"), condition=models.Q(is_current=True), name="kpi_one_current_version"
            ),
            models.UniqueConstraint(
                fields=("use_case",), condition=models.Q(is_primary=True, is_current=True), name="kpi_one_primary"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def is_locked(self) -> bool:
        return self.locked_at is not None


class KpiMeasurement(models.Model):
    """What was measured over one window, by whom and from which source. Appended, never edited."""

    access_path: ClassVar[str] = "kpi__use_case"

    kpi = models.ForeignKey(Kpi, on_delete=models.CASCADE, related_name="measurements")
    window_start = models.DateField()
    window_end = models.DateField()
    value = models.DecimalField(max_digits=20, decimal_places=6)
    sample_size = models.PositiveIntegerField(null=True, blank=True)
    source = models.CharField(max_length=300)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("window_end", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(window_end__gte=models.F("window_start")), name="kpi_window_not_negative"
            ),
            models.UniqueConstraint(fields=("kpi", "window_start", "window_end", "source"), name="kpi_window_once"),
        ]

    def __str__(self) -> str:
        return f"{self.value} ({self.window_end})"
