"""What was learnt from an incident."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.models.issues import Incident


class PostMortem(models.Model):
    """What happened, why, and what changes; sealed when somebody else approved it, and never changed after."""

    access_path: ClassVar[str] = "incident__use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, related_name="post_mortem")
    what_happened = models.TextField(help_text=_("In order of time, without blame."))
    causes = models.JSONField(default=list, blank=True, help_text=_("Keys of known failures."))
    why = models.TextField(help_text=_("How these causes led to it, and why nothing stopped them."))
    what_changes = models.TextField(help_text=_("So that it does not happen again."))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    sealed_at = models.DateTimeField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, help_text=_("Of its canonical content, when it was sealed."))
    action = models.ForeignKey(
        "governance.Issue",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("The corrective action that follows from it."),
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(sealed_at__isnull=True, approved_by__isnull=True, sha256="")
                | (models.Q(sealed_at__isnull=False, approved_by__isnull=False) & ~models.Q(sha256="")),
                name="post_mortem_sealed_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True)
                | models.Q(written_by__isnull=True)
                | ~models.Q(approved_by=models.F("written_by")),
                name="post_mortem_approved_by_another",
            ),
        ]

    def __str__(self) -> str:
        return str(self.incident)

    @property
    def is_sealed(self) -> bool:
        return self.sealed_at is not None
