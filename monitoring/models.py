"""How systems behave: sources, series, points, rules and alerts."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class Source(models.Model):
    """A place that metrics are pulled from on a schedule, by one connector.

    ``leased_until`` and ``lease`` say who pulls it now: a lease is taken by a conditional UPDATE, so two workers
    never pull the same window. ``watermark`` is the time of the newest point that was stored.
    """

    access_path: ClassVar[str] = "use_case"

    class Health(models.TextChoices):
        NEW = "new", _("Not pulled yet")
        OK = "ok", _("Working")
        FAILING = "failing", _("Failing")
        BROKEN = "broken", _("Stopped after repeated failures")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=200)
    connector = models.CharField(max_length=40)
    config = models.JSONField(default=dict, help_text=_("Validated by the connector. Never holds a secret."))
    secret = models.TextField(blank=True, editable=False, help_text=_("Encrypted; never shown, logged or exported."))
    every_seconds = models.PositiveIntegerField(default=300)
    enabled = models.BooleanField(default=True)
    next_due_at = models.DateTimeField(default=timezone.now, db_index=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    watermark = models.DateTimeField(null=True, blank=True)
    health = models.CharField(max_length=10, choices=Health, default=Health.NEW)
    failures = models.PositiveIntegerField(default=0, help_text=_("In a row."))
    last_error = models.TextField(blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_count = models.PositiveIntegerField(default=0, help_text=_("Points of the last pull."))
    last_pull_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "name"), name="source_name_once"),
            models.CheckConstraint(condition=models.Q(every_seconds__gte=10), name="source_not_too_often"),
        ]

    def __str__(self) -> str:
        return self.name


class Series(models.Model):
    """One metric of one use case over time, for one version and segment."""

    access_path: ClassVar[str] = "use_case"

    id = models.BigAutoField(primary_key=True)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="series")
    metric = models.CharField(max_length=60, help_text=_("Key of the metric catalogue, or an own key."))
    name = models.CharField(max_length=200, blank=True)
    unit = models.CharField(max_length=40, blank=True)
    direction = models.CharField(max_length=10, default="info", help_text=_("higher, lower, target or info"))
    kinds = models.JSONField(default=list, help_text=_("Kinds of monitor this series is, such as drift or latency."))
    version = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="series"
    )
    segment = models.CharField(max_length=100, blank=True)
    window_seconds = models.PositiveIntegerField(default=0, help_text=_("Length of the window a point covers."))
    baseline = models.FloatField(null=True, blank=True)
    baseline_at = models.DateTimeField(null=True, blank=True)
    expected_every_seconds = models.PositiveIntegerField(
        default=86400, help_text=_("Longer without a point is silence; 0 expects nothing.")
    )
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.SET_NULL, related_name="series")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    # Kept by ingestion, so that the state of thousands of series is one query without touching their points.
    last_time = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=0)
    last_value = models.FloatField(null=True, blank=True)
    last_n = models.PositiveIntegerField(null=True, blank=True)
    last_received_at = models.DateTimeField(null=True, blank=True)
    silent_after = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text=_("Without a newer point by then it counts as silent.")
    )
    revised = models.BooleanField(default=False, help_text=_("Some point has more than one revision."))
    judged_through = models.DateTimeField(null=True, blank=True)
    judge_asked_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text=_("A judgement of the rules is owed since then.")
    )

    class Meta:
        ordering = ("metric", "segment")
        verbose_name_plural = _("series")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case", "metric", "segment", "version"),
                condition=models.Q(version__isnull=False),
                name="series_once_per_version",
            ),
            models.UniqueConstraint(
                fields=("use_case", "metric", "segment"),
                condition=models.Q(version__isnull=True),
                name="series_once_without_version",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.metric

    def silence_begins(self) -> datetime | None:
        """Until when the next point is expected: counted from the newest, or from when the series was defined."""
        if not self.expected_every_seconds:
            return None
        return (self.last_time or self.created_at) + timedelta(seconds=self.expected_every_seconds)


class Point(models.Model):
    """One value of a series. The natural key is the primary key; a late change is a new revision.

    ``series_id`` carries no foreign-key constraint: its check alone costs two thirds of the bulk path.
    """

    pk = models.CompositePrimaryKey("series_id", "time", "step", "revision")
    series_id = models.BigIntegerField()
    time = models.DateTimeField()
    step = models.BigIntegerField(default=0)
    revision = models.IntegerField(default=0)
    value = models.FloatField()
    n = models.PositiveIntegerField(null=True, blank=True, help_text=_("Observations behind the value, if known."))
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(revision__gte=0), name="point_revision_from_0"),
        ]

    def __str__(self) -> str:
        return f"{self.value} at {self.time}"


class Rule(models.Model):
    """A threshold on a series with a warn and an act level."""

    access_path: ClassVar[str] = "series__use_case"

    class Op(models.TextChoices):
        GTE = ">=", _("must be at least")
        LTE = "<=", _("must be at most")
        BETWEEN = "between", _("must lie between")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=200)
    op = models.CharField(max_length=10, choices=Op)
    warn = models.FloatField(null=True, blank=True)
    act = models.FloatField(null=True, blank=True)
    warn_high = models.FloatField(null=True, blank=True, help_text=_("Upper limit of a band."))
    act_high = models.FloatField(null=True, blank=True, help_text=_("Upper limit of a band."))
    consecutive = models.PositiveSmallIntegerField(default=1, help_text=_("Points in a row before it fires."))
    reaction = models.CharField(max_length=300, blank=True, help_text=_("What is to be done when it fires."))
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
            models.CheckConstraint(condition=models.Q(consecutive__gte=1), name="rule_consecutive_from_1"),
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
        RESOLVED = "resolved", _("Resolved")

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
    resolved_at = models.DateTimeField(null=True, blank=True)
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
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=("state", "-opened_at"), name="alert_inbox")]

    def __str__(self) -> str:
        return self.message


class IngestBatch(models.Model):
    """A batch that changed something: who sent, or which source gave, how many points of which use case.

    The audit entry is about this row.
    """

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, null=True, on_delete=models.CASCADE, related_name="+")
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    source = models.ForeignKey(Source, null=True, on_delete=models.SET_NULL, related_name="+")
    received_at = models.DateTimeField(default=timezone.now)
    points = models.PositiveIntegerField()
    stored = models.PositiveIntegerField(help_text=_("New points and new revisions."))
    revised = models.PositiveIntegerField(default=0, help_text=_("Of these, revisions of points that were there."))
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("-received_at",)

    def __str__(self) -> str:
        return f"{self.stored}/{self.points}"
