"""Rules and the alerts that they open."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models.series import Series


class Rule(models.Model):
    """What is asked of a series, with a warn and an act level; ``condition`` says how its values are looked at."""

    access_path: ClassVar[str] = "series__use_case"

    class Op(models.TextChoices):
        GTE = ">=", _("must be at least")
        LTE = "<=", _("must be at most")
        BETWEEN = "between", _("must lie between")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=200)
    condition = models.CharField(max_length=20, default="threshold", help_text=_("Kind of rule."))
    params = models.JSONField(default=dict, blank=True, help_text=_("Settings of that kind."))
    op = models.CharField(max_length=10, choices=Op)
    warn = models.FloatField(null=True, blank=True)
    act = models.FloatField(null=True, blank=True)
    warn_high = models.FloatField(null=True, blank=True, help_text=_("Upper limit of a band."))
    act_high = models.FloatField(null=True, blank=True, help_text=_("Upper limit of a band."))
    needed = models.PositiveSmallIntegerField(default=1, help_text=_("So many values must be beyond the limit,"))
    among = models.PositiveSmallIntegerField(default=1, help_text=_("of so many newest ones, before it fires."))
    clear = models.FloatField(null=True, blank=True, help_text=_("What ends an alert, if not the limit itself."))
    clear_high = models.FloatField(null=True, blank=True, help_text=_("Upper limit of a band."))
    min_n = models.PositiveIntegerField(default=0, help_text=_("Values from fewer observations say nothing."))
    reaction = models.CharField(max_length=300, blank=True, help_text=_("What is to be done when it fires."))
    runbook_url = models.URLField(max_length=500, blank=True, help_text=_("How to go about it, step by step."))
    enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("series", "name"), name="rule_name_once"),
            models.CheckConstraint(
                condition=models.Q(warn__isnull=False) | models.Q(act__isnull=False), name="rule_has_a_limit"
            ),
            models.CheckConstraint(
                condition=models.Q(needed__gte=1, needed__lte=models.F("among")), name="rule_needed_of_among"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """A rule is broken. At most one alert of a rule is unresolved."""

    access_path: ClassVar[str] = "series__use_case"

    class Level(models.TextChoices):
        WARN = "warn", _("Warn")
        ACT = "act", _("Act")

    class AlertState(models.TextChoices):
        OPEN = "open", _("Open")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        SNOOZED = "snoozed", _("Snoozed")
        RESOLVED = "resolved", _("Resolved")

    class Severity(models.TextChoices):
        CRITICAL = "critical", _("Critical")
        HIGH = "high", _("High")
        MEDIUM = "medium", _("Medium")
        LOW = "low", _("Low")

    class ResponseBy(models.TextChoices):
        PRODUCT = "product", _("what the product ships with")
        ORGANISATION = "organisation", _("the organisation")
        UNIT = "unit", _("a unit")

    class Outcome(models.TextChoices):
        RETRAIN = "retrain", _("Retrain")
        RECALIBRATE = "recalibrate", _("Recalibrate")
        ROLL_BACK = "roll_back", _("Roll back")
        ACCEPT = "accept", _("Accept with reason")
        DECOMMISSION = "decommission", _("Decommission")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="alerts")
    rule = models.ForeignKey(
        Rule,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="alerts",
        help_text=_("Empty when the series fell silent."),
    )
    level = models.CharField(max_length=5, choices=Level)
    severity = models.CharField(
        max_length=8,
        choices=Severity,
        default=Severity.MEDIUM,
        help_text=_("By level and tier, as they were when it opened or rose."),
    )
    state = models.CharField(max_length=12, choices=AlertState, default=AlertState.OPEN)
    message = models.CharField(max_length=300)
    value = models.FloatField(null=True, blank=True)
    limit = models.FloatField(null=True, blank=True)
    point_time = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    act_since = models.DateTimeField(
        null=True, blank=True, help_text=_("When it became a breach; an alert keeps the highest level it reached.")
    )
    last_seen_at = models.DateTimeField(default=timezone.now)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="alerts",
        help_text=_("Who sees to it."),
    )
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    snooze_reason = models.TextField(blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Who ended it by hand; empty when the values did."),
    )
    resolution = models.TextField(blank=True)
    incident = models.ForeignKey(
        "governance.Incident",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="alerts",
        help_text=_("The incident that was reported because of it."),
    )
    clock_from = models.DateTimeField(
        null=True, blank=True, help_text=_("When the time to answer began: opened, raised, or woken up.")
    )
    response_by = models.CharField(
        max_length=12, choices=ResponseBy, blank=True, help_text=_("Whose response times gave it its times.")
    )
    response_unit = models.ForeignKey(
        "portfolio.BusinessUnit",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("The unit whose own response times tightened them."),
    )
    acknowledge_by = models.DateTimeField(null=True, blank=True)
    resolve_by = models.DateTimeField(null=True, blank=True)
    acknowledge_told = models.PositiveSmallIntegerField(
        default=0, help_text=_("Times that somebody was told of its lateness: 1 at the time given, 2 at twice that.")
    )
    resolve_told = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(
        max_length=12, choices=Outcome, blank=True, help_text=_("Decision owed after an act-level breach.")
    )
    outcome_reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-opened_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("rule",),
                condition=~models.Q(state="resolved") & models.Q(rule__isnull=False),
                name="alert_one_unresolved_per_rule",
            ),
            models.UniqueConstraint(
                fields=("series",),
                condition=~models.Q(state="resolved") & models.Q(rule__isnull=True),
                name="alert_one_silence_per_series",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="snoozed") | models.Q(snoozed_until__isnull=False),
                name="alert_snoozed_until_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(acknowledge_told__lte=2, resolve_told__lte=2), name="alert_told_twice_at_most"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("state", "-opened_at"), name="alert_inbox"),
            models.Index(fields=("state", "acknowledge_told", "acknowledge_by"), name="alert_to_acknowledge"),
            models.Index(fields=("state", "resolve_told", "resolve_by"), name="alert_to_resolve"),
        ]

    def __str__(self) -> str:
        return self.message


class AlertComment(models.Model):
    """What somebody found or asks; it stays once written, and binds nobody."""

    access_path: ClassVar[str] = "alert__series__use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="comments")
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("written_at",)

    def __str__(self) -> str:
        return self.text[:80]
