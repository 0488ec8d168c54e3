"""Things that are open: assumptions, security and audit issues, corrective actions; and incidents."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class Issue(models.Model):
    """Something that has to be settled. What the gate engine says is a finding; this is not one."""

    access_path: ClassVar[str] = "use_case"

    class Kind(models.TextChoices):
        ASSUMPTION = "assumption", _("Assumption")
        SECURITY = "security", _("Security")
        FINDING = "finding", _("Audit or validation finding")
        CONDITION = "condition", _("Approval condition")
        INCIDENT_ACTION = "incident_action", _("Corrective action")
        BREACH = "breach", _("Threshold breach")

    class Severity(models.TextChoices):
        CRITICAL = "critical", _("Critical")
        HIGH = "high", _("High")
        MEDIUM = "medium", _("Medium")
        LOW = "low", _("Low")

    class IssueState(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="issues")
    kind = models.CharField(max_length=20, choices=Kind)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.MEDIUM)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    blocking = models.BooleanField(default=False)
    due_gate = models.CharField(max_length=40, blank=True)
    due_on = models.DateField(null=True, blank=True)
    first_seen = models.DateField(default=timezone.localdate)
    state = models.CharField(max_length=10, choices=IssueState, default=IssueState.OPEN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    incident = models.ForeignKey(
        "governance.Incident", null=True, blank=True, on_delete=models.CASCADE, related_name="actions"
    )
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    raised_at = models.DateTimeField(default=timezone.now)
    resolution = models.TextField(blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("state", "due_on", "-raised_at")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(state="open", closed_at__isnull=True)
                | models.Q(state="closed", closed_at__isnull=False),
                name="issue_closed_has_date",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=("use_case", "kind", "state"), name="issue_open")]

    def __str__(self) -> str:
        return self.title


class Incident(models.Model):
    """Something went wrong in use. Severity 1 is the worst."""

    access_path: ClassVar[str] = "use_case"

    class Severity(models.TextChoices):
        SEV1 = "sev1", _("Severity 1")
        SEV2 = "sev2", _("Severity 2")
        SEV3 = "sev3", _("Severity 3")
        SEV4 = "sev4", _("Severity 4")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="incidents")
    severity = models.CharField(max_length=4, choices=Severity)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    occurred_at = models.DateTimeField(default=timezone.now)
    detected_at = models.DateTimeField(null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True)
    cause = models.TextField(blank=True)
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    managed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-occurred_at",)

    def __str__(self) -> str:
        return self.title
