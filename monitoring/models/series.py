"""Series and their points: one metric over time."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models.sources import Source
from portfolio.models import UseCase


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
    rollup_from = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text=_("From here to rollup_to the rollups are not up to date.")
    )
    rollup_to = models.DateTimeField(null=True, blank=True)
    keep_days = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Days that points are kept; 0 for ever; empty for what the house keeps.")
    )
    kept_from = models.DateTimeField(
        null=True, blank=True, help_text=_("Points before this are gone, but for those in use; rollups stay.")
    )
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
        return silence_begins(self.last_time or self.created_at, self.expected_every_seconds)


def silence_begins(last: datetime, every_seconds: int) -> datetime | None:
    """When a series that spoke last then falls silent; never, if nothing is expected of it."""
    return last + timedelta(seconds=every_seconds) if every_seconds else None


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
