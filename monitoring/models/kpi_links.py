"""Which metric of a model stands behind a KPI of the business."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models.series import Series
from portfolio.models import UseCase


class KpiLink(models.Model):
    """A series that moves a KPI. By the KPI's key, so that it holds for the versions to come."""

    access_path: ClassVar[str] = "use_case"

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="kpi_links")
    kpi_key = models.SlugField(max_length=60)
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="kpi_links")
    why = models.CharField(max_length=300, help_text=_("How the metric moves the KPI, in words of the business."))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("kpi_key", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "kpi_key", "series"), name="kpi_link_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kpi_key}: {self.series_id}"
