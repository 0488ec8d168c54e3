"""Material changes: what voids evidence that was given before."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models.use_cases import UseCase


class MaterialChange(models.Model):
    """One change that matters to gates, such as a new purpose or new data. Appended, never edited."""

    access_path: ClassVar[str] = "use_case"

    class What(models.TextChoices):
        PURPOSE = "purpose", _("Purpose, users or market")
        DATA = "data", _("Data or its category")
        MODEL = "model", _("Model")
        PROMPT = "prompt", _("Prompt")
        INTEGRATION = "integration", _("Integration")
        OVERSIGHT = "oversight", _("Human oversight")
        OWNER = "owner", _("Owner or sponsor")
        VENDOR = "vendor", _("Supplier")
        INCIDENT = "incident", _("Severe incident")

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="material_changes")
    what = models.CharField(max_length=12, choices=What)
    note = models.CharField(max_length=500)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-at",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("use_case", "what", "-at"), name="material_change_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.note}"
