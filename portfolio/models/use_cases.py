"""The use case: what it is for, which facts decide its gates, and where it stands."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.roles import role_permissions
from portfolio.models.units import BusinessUnit


class Stage(models.TextChoices):
    IDEA = "idea", _("Idea")
    POC = "poc", _("PoC")
    PILOT = "pilot", _("Pilot")
    PRODUCTION = "production", _("Production")
    OPERATIONS = "operations", _("Operations")
    RETIRED = "retired", _("Retired")
    STOPPED = "stopped", _("Stopped")


class Status(models.TextChoices):
    ACTIVE = "active", _("Active")
    ON_HOLD = "on_hold", _("On hold")
    CLOSED = "closed", _("Closed")


class Tier(models.TextChoices):
    UNCLASSIFIED = "", _("Unclassified")
    MINIMAL = "minimal", _("Minimal")
    LIMITED = "limited", _("Limited")
    HIGH = "high", _("High")
    PROHIBITED = "prohibited", _("Prohibited")


class Assurance(models.TextChoices):
    """The continuous state of the gates a use case has already passed; the worst of them."""

    NONE = "", _("No gate passed")
    IN_FORCE = "in_force", _("In force")
    AT_RISK = "at_risk", _("At risk")
    REAPPROVAL = "reapproval_required", _("Re-approval required")


class OversightTier(models.TextChoices):
    UNSET = "", _("Not set")
    AI_DECIDES = "ai_decides", _("AI decides")
    HUMAN_REVIEWS = "human_reviews", _("Human reviews")
    HUMAN_DECIDES = "human_decides", _("Human decides")


class UseCase(models.Model):
    """One AI use case. ``stage``, ``tier``, ``assurance`` change only through services."""

    access_path: ClassVar[str] = ""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.SlugField(max_length=40, unique=True, help_text=_("Short key used in addresses and by CI."))
    name = models.CharField(max_length=300)
    unit = models.ForeignKey(BusinessUnit, on_delete=models.PROTECT, related_name="use_cases")
    summary = models.TextField(blank=True)

    stage = models.CharField(max_length=12, choices=Stage, default=Stage.IDEA)
    stage_since = models.DateTimeField(default=timezone.now)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    tier = models.CharField(max_length=12, choices=Tier, blank=True, default="")
    tier_source = models.CharField(max_length=20, blank=True, help_text=_("questionnaire, declared or override"))
    legal_hold = models.BooleanField(default=False, help_text=_("Blocks every gate until legal decides."))
    assurance = models.CharField(max_length=20, choices=Assurance, blank=True, default="")
    assurance_reason = models.CharField(max_length=300, blank=True)
    assurance_since = models.DateTimeField(null=True, blank=True)
    next_gate = models.CharField(max_length=40, blank=True)
    gate_met = models.PositiveSmallIntegerField(default=0, help_text=_("Mandatory criteria met at the next gate."))
    gate_required = models.PositiveSmallIntegerField(default=0)

    # Intake: why, for whom, instead of what.
    problem_statement = models.TextField(blank=True)
    target_users = models.TextField(blank=True)
    non_ai_alternative = models.TextField(blank=True)
    objective = models.TextField(blank=True)
    strategic_goal = models.CharField(max_length=300, blank=True)
    decision_name = models.CharField(max_length=300, blank=True, help_text=_("The real decision that will change."))

    # Profile: the facts that decide which criteria apply. Empty means not answered, which is never "no".
    third_party = models.BooleanField(null=True, blank=True)
    personal_data = models.BooleanField(null=True, blank=True)
    affects_people = models.BooleanField(null=True, blank=True)
    generative_or_agentic = models.BooleanField(null=True, blank=True)
    jurisdictions = models.JSONField(default=list, blank=True)
    regulations = models.JSONField(default=list, blank=True)
    eu_role = models.CharField(max_length=20, blank=True)
    oversight_tier = models.CharField(max_length=20, choices=OversightTier, blank=True, default="")
    primary_metric = models.CharField(max_length=60, blank=True, help_text=_("Key of the metric that decides quality."))
    vendor = models.CharField(max_length=200, blank=True)

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    # Where an imported row came from; columns that have no field stay here and are shown.
    source_profile = models.CharField(max_length=60, blank=True)
    source_key = models.CharField(max_length=64, blank=True, help_text=_("Digest of the identifying columns."))
    source_digest = models.CharField(max_length=64, blank=True, help_text=_("Digest of the whole row."))
    source_row = models.PositiveIntegerField(null=True, blank=True)
    source_data = models.JSONField(default=dict, blank=True)
    source_values = models.JSONField(
        default=dict, blank=True, help_text=_("What the last import took from the row, to tell corrections from edits.")
    )

    class Meta:
        ordering = ("key",)
        verbose_name = _("use case")
        permissions: ClassVar[Any] = role_permissions()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("source_profile", "source_key"),
                condition=~models.Q(source_key=""),
                name="use_case_source_once",
            ),
            models.CheckConstraint(condition=models.Q(stage__in=Stage.values), name="use_case_stage_known"),
            models.CheckConstraint(condition=models.Q(tier__in=Tier.values), name="use_case_tier_known"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("unit", "stage"), name="use_case_unit_stage"),
            # The board and the medians walk each stage from the longest there to the newest.
            models.Index(fields=("stage", "stage_since"), name="use_case_stage_age"),
            # What the numbers above the list count, without reading the rows.
            models.Index(fields=("stage", "assurance", "tier"), name="use_case_counts"),
            models.Index(fields=("name",), name="use_case_name"),
            models.Index(fields=("-updated_at",), name="use_case_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.name}"

    @property
    def effective_tier(self) -> str:
        """The tier gates judge by: an unclassified use case is judged as high, for unknown is never fine."""
        return self.tier or Tier.HIGH

    @property
    def is_open(self) -> bool:
        return self.stage not in {Stage.RETIRED, Stage.STOPPED}


class StageChange(models.Model):
    """One move between stages, with the decision that caused it. Appended, never edited."""

    access_path: ClassVar[str] = "use_case"

    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="stage_changes")
    from_stage = models.CharField(max_length=12, choices=Stage, blank=True)
    to_stage = models.CharField(max_length=12, choices=Stage)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    decision_id = models.UUIDField(null=True, blank=True, help_text=_("The gate decision, when one caused it."))

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.from_stage or '–'} → {self.to_stage}"
