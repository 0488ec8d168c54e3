"""Documents that gates ask for: type, status, sections, and figures read from them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class Document(models.Model):
    """One version of a document. Only one version of a type is current for a use case."""

    access_path: ClassVar[str] = "use_case"

    class DocStatus(models.TextChoices):
        DRAFT = "draft", _("Draft")
        REVIEWED = "reviewed", _("Reviewed")
        APPROVED = "approved", _("Approved")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="documents")
    doc_type = models.SlugField(max_length=60)
    title = models.CharField(max_length=300)
    revision = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=DocStatus, default=DocStatus.DRAFT)
    sections = models.JSONField(
        default=dict, blank=True, help_text=_("Section key -> text; empty text is not complete.")
    )
    measures = models.JSONField(default=dict, blank=True, help_text=_("Figures stated in it, key -> decimal as text."))
    evidence = models.ForeignKey(
        "governance.Evidence", null=True, blank=True, on_delete=models.PROTECT, related_name="documents"
    )
    describes = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="documents"
    )
    tested_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When a runbook was last tried by someone new.")
    )
    is_current = models.BooleanField(default=True)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("doc_type", "-revision")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "doc_type", "revision"), name="document_revision_once"),
            models.UniqueConstraint(
                fields=("use_case", "doc_type"), condition=models.Q(is_current=True), name="document_one_current"
            ),
            models.CheckConstraint(
                condition=models.Q(reviewed_by__isnull=True) | ~models.Q(reviewed_by=models.F("written_by")),
                name="document_reviewed_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("written_by")),
                name="document_approved_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} r{self.revision}"
