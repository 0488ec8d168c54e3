"""Validation runs: what was tested, on which version, by whom, with what result."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class ValidationRun(models.Model):
    """One test of one version. Appended; a correction is a new run."""

    access_path: ClassVar[str] = "use_case"

    class Verdict(models.TextChoices):
        PASS = "pass", _("Pass")
        FAIL = "fail", _("Fail")
        INCONCLUSIVE = "inconclusive", _("Inconclusive")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="validation_runs")
    version = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="validation_runs"
    )
    kind = models.SlugField(max_length=60)
    verdict = models.CharField(max_length=12, choices=Verdict)
    metrics = models.JSONField(default=dict, blank=True, help_text=_("Metric key -> decimal as text."))
    sample_size = models.PositiveIntegerField(null=True, blank=True)
    reviewers = models.PositiveSmallIntegerField(default=0, help_text=_("People who judged the outputs."))
    independent = models.BooleanField(default=False, help_text=_("Performed by someone outside the team."))
    open_major_findings = models.PositiveSmallIntegerField(default=0)
    summary = models.TextField(blank=True)
    source = models.CharField(max_length=200, blank=True, help_text=_("Pipeline or tool that sent it."))
    external_id = models.CharField(max_length=200, blank=True)
    evidence = models.ForeignKey(
        "governance.Evidence", null=True, blank=True, on_delete=models.PROTECT, related_name="validation_runs"
    )
    performed_at = models.DateTimeField(default=timezone.now)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Empty for a failure that the product itself found."),
    )
    recorded_at = models.DateTimeField(default=timezone.now)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("-performed_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case", "source", "external_id"),
                condition=~models.Q(external_id=""),
                name="validation_run_external_once",
            ),
            # A machine may reopen what people approved; it never passes anything by itself.
            models.CheckConstraint(
                condition=models.Q(recorded_by__isnull=False) | models.Q(verdict="fail"),
                name="validation_passed_by_an_account",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("use_case", "kind", "-performed_at"), name="validation_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.verdict}"
