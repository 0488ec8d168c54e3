"""Evidence: a file, link, attestation or run that somebody stands for, named by its digest."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class Evidence(models.Model):
    """One piece of evidence. Content never changes after it was added; it can be withdrawn, not edited."""

    access_path: ClassVar[str] = "use_case"

    class Kind(models.TextChoices):
        FILE = "file", _("File")
        LINK = "link", _("Link")
        ATTESTATION = "attestation", _("Attestation")
        RUN = "run", _("Run")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=12, choices=Kind)
    evidence_type = models.SlugField(max_length=60, blank=True, help_text=_("What it documents, such as intake_form."))
    criterion = models.CharField(max_length=40, blank=True, help_text=_("Criterion it was given for, such as IP-03."))
    title = models.CharField(max_length=300)
    statement = models.TextField(blank=True, help_text=_("What is attested, in words."))
    role = models.CharField(max_length=40, blank=True, help_text=_("Role in which an attestation was made."))
    items = models.JSONField(default=list, blank=True, help_text=_("Confirmed items of an attestation."))
    sample_size = models.PositiveIntegerField(null=True, blank=True)
    url = models.URLField(max_length=1000, blank=True)
    file = models.FileField(upload_to="evidence/", blank=True, max_length=300)
    file_name = models.CharField(max_length=255, blank=True)
    media_type = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(
        max_length=64, db_index=True, help_text=_("Digest of the file, or of the canonical text.")
    )
    version = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="evidence"
    )
    valid_from = models.DateTimeField(default=timezone.now)
    valid_until = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-added_at",)
        verbose_name_plural = _("evidence")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(verified_by__isnull=True) | ~models.Q(verified_by=models.F("added_by")),
                name="evidence_verified_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=models.F("valid_from")),
                name="evidence_valid_after_start",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("use_case", "criterion"), name="evidence_criterion"),
        ]

    def __str__(self) -> str:
        return self.title
