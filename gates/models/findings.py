"""What the engine found, stored only when it changes, and the assurance of gates already passed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gates.models.policies import Policy, PolicyVersion
from portfolio.models import UseCase


class CriterionFinding(models.Model):
    """The newest finding of one criterion of one policy for one use case."""

    access_path: ClassVar[str] = "use_case"

    class Outcome(models.TextChoices):
        MET = "met", _("Met")
        NOT_MET = "not_met", _("Not met")
        MISSING = "missing", _("Missing")
        STALE = "stale", _("Stale")
        WAIVED = "waived", _("Waived")
        NOT_APPLICABLE = "not_applicable", _("Not applicable")
        ERROR = "error", _("Error")

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="findings")
    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="findings")
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    gate = models.CharField(max_length=40)
    criterion = models.CharField(max_length=40)
    mandatory = models.BooleanField()
    outcome = models.CharField(max_length=16, choices=Outcome)
    observed = models.CharField(max_length=300, blank=True)
    required = models.CharField(max_length=300, blank=True)
    reason = models.TextField(blank=True)
    evidence = models.JSONField(default=list, help_text=_("References: {kind, id, label, digest}."))
    valid_until = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField(default=timezone.now, help_text=_("When this outcome was first found."))

    class Meta:
        ordering = ("gate", "criterion")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "policy", "gate", "criterion"), name="finding_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("policy", "gate", "criterion", "outcome"), name="finding_counts"),
            models.Index(fields=("valid_until",), name="finding_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.criterion}: {self.outcome}"


class GateAssurance(models.Model):
    """Whether a gate that was passed would still be passed, with the reasons when not."""

    access_path: ClassVar[str] = "use_case"

    class State(models.TextChoices):
        IN_FORCE = "in_force", _("In force")
        AT_RISK = "at_risk", _("At risk")
        REAPPROVAL = "reapproval_required", _("Re-approval required")

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="assurances")
    gate = models.CharField(max_length=40)
    decision = models.ForeignKey("gates.Decision", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, choices=State, default=State.IN_FORCE)
    reasons = models.JSONField(default=list, help_text=_("Rows of {code, text, criterion, alert}."))
    since = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was overdue and went a level up."))
    review_due_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Next recurring review by the tier's cadence.")
    )

    class Meta:
        ordering = ("use_case", "gate")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "gate"), name="assurance_once_per_gate"),
        ]

    def __str__(self) -> str:
        return f"{self.gate}: {self.state}"

    @property
    def severity(self) -> int:
        return list(self.State.values).index(self.state)

    @staticmethod
    def worst(rows: Iterable[GateAssurance]) -> GateAssurance | None:
        """The one that decides how the use case stands; None when no gate is under assurance."""
        return max(rows, key=lambda row: row.severity, default=None)
