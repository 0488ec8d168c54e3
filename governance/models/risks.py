"""Risk: the tier computed from answers, and the register of single risks."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class RiskClassification(models.Model):
    """One run of the risk questionnaire. The tier is computed; a person confirms it, and may raise it."""

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="risk_classifications")
    rule_version = models.CharField(max_length=20)
    answers = models.JSONField(default=dict)
    tier = models.CharField(max_length=12, help_text=_("Tier that the rules give."))
    score = models.PositiveSmallIntegerField()
    provisional = models.BooleanField()
    legal_hold = models.BooleanField()
    unknown_count = models.PositiveSmallIntegerField(default=0)
    prohibited_hits = models.PositiveSmallIntegerField(default=0)
    reasons = models.JSONField(default=list, help_text=_("Rule codes whose floor is the tier."))
    contributing = models.JSONField(default=list, help_text=_("Other rules that fired."))
    flags = models.JSONField(default=list)
    duties = models.JSONField(default=list)
    override_tier = models.CharField(
        max_length=12, blank=True, help_text=_("Tier set by people instead of the computed one.")
    )
    override_reason = models.TextField(blank=True)
    override_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_current = models.BooleanField(default=True)
    classified_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    classified_at = models.DateTimeField(default=timezone.now)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_role = models.CharField(max_length=40, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-classified_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case",), condition=models.Q(is_current=True), name="risk_classification_one_current"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} ({self.score})"

    @property
    def effective_tier(self) -> str:
        return self.override_tier or self.tier


class TierLowering(models.Model):
    """A wish to set a tier below the one in force. It takes one person of risk and another one of legal."""

    access_path: ClassVar[str] = "classification__use_case"

    class LoweringState(models.TextChoices):
        OPEN = "open", _("Waiting for the second person")
        DONE = "done", _("In force")
        REFUSED = "refused", _("Refused")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    classification = models.ForeignKey(RiskClassification, on_delete=models.CASCADE, related_name="lowerings")
    tier = models.CharField(max_length=12)
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=LoweringState, default=LoweringState.OPEN)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_role = models.CharField(max_length=40)
    requested_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_role = models.CharField(max_length=40, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-requested_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("classification",), condition=models.Q(state="open"), name="tier_lowering_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("requested_by")),
                name="tier_lowering_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return self.tier


class RiskItem(models.Model):
    """One risk of the register. Likelihood and impact are 1 to 5; levels follow from their product."""

    access_path: ClassVar[str] = "use_case"

    class Level(models.TextChoices):
        LOW = "low", _("Low")
        MEDIUM = "medium", _("Medium")
        HIGH = "high", _("High")
        CRITICAL = "critical", _("Critical")

    class RiskState(models.TextChoices):
        OPEN = "open", _("Open")
        TREATED = "treated", _("Treated")
        ACCEPTED = "accepted", _("Accepted")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="risks")
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    likelihood = models.PositiveSmallIntegerField()
    impact = models.PositiveSmallIntegerField()
    inherent = models.CharField(max_length=10, choices=Level)
    residual = models.CharField(max_length=10, choices=Level)
    treatment = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=RiskState, default=RiskState.OPEN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    concurred_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    concurred_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    accepted_role = models.CharField(max_length=40, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    review_on = models.DateField(null=True, blank=True)
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    raised_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-raised_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(likelihood__range=(1, 5)), name="risk_likelihood_1_5"),
            models.CheckConstraint(condition=models.Q(impact__range=(1, 5)), name="risk_impact_1_5"),
            models.CheckConstraint(
                condition=models.Q(accepted_by__isnull=True) | ~models.Q(accepted_by=models.F("owner")),
                name="risk_not_accepted_by_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.title
