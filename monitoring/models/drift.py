"""Profiles of data, and what came of comparing them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.comparing import State, Terms, Verdict
from monitoring.models.jobs import Job
from monitoring.models.sources import Source
from portfolio.models import UseCase


class DataProfile(Job):
    """What the columns of one set of rows look like: counts, never rows.

    A reference says what is normal; it fixes the lattices in which everything later is counted. Of a use case and
    version one reference is in force.
    """

    access_path: ClassVar[str] = "use_case"

    class Purpose(models.TextChoices):
        REFERENCE = "reference", _("Reference")
        CURRENT = "current", _("Compared with the reference")

    class Origin(models.TextChoices):
        FILES = "files", _("Files")
        SQL = "sql", _("SQL database")
        PUSHED = "pushed", _("Sent ready-made")

    ProfileState = Job.JobState

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="data_profiles")
    version = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="data_profiles"
    )
    purpose = models.CharField(max_length=10, choices=Purpose)
    name = models.CharField(max_length=200)
    origin = models.CharField(max_length=8, choices=Origin)
    path = models.CharField(max_length=500, blank=True, help_text=_("Below the configured folders."))
    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.SET_NULL, related_name="data_profiles", help_text=_("For SQL.")
    )
    query = models.TextField(blank=True, help_text=_("For SQL: one SELECT, or the table of a DuckDB file."))
    ignored = models.JSONField(default=list, help_text=_("Columns that are left out."))
    reference = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.RESTRICT, related_name="compared", help_text=_("Its reference.")
    )
    in_force = models.BooleanField(default=False, help_text=_("The reference that later data is compared with."))
    terms = models.JSONField(default=dict, help_text=_("Of a reference: what a comparison holds against."))
    window_start = models.DateTimeField(null=True, blank=True)
    window_end = models.DateTimeField(null=True, blank=True)
    rows = models.BigIntegerField(null=True, blank=True)
    columns = models.PositiveIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    body = models.BinaryField(null=True, blank=True, help_text=_("The profile, packed."))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("-created_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case", "version"),
                condition=models.Q(in_force=True, version__isnull=False),
                name="reference_in_force_once_per_version",
            ),
            models.UniqueConstraint(
                fields=("use_case",),
                condition=models.Q(in_force=True, version__isnull=True),
                name="reference_in_force_once_without_version",
            ),
            models.CheckConstraint(
                condition=models.Q(in_force=False) | models.Q(purpose="reference", state="done"),
                name="reference_in_force_is_done",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose="reference", reference__isnull=True)
                | models.Q(purpose="current", reference__isnull=False),
                name="profile_has_the_reference_it_needs",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="done") | models.Q(body__isnull=False, rows__isnull=False),
                name="profile_done_has_a_body",
            ),
            models.CheckConstraint(condition=models.Q(progress__lte=100), name="profile_progress_to_100"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("use_case", "-created_at"), name="profiles_of_a_use_case"),
            models.Index(fields=("state", "leased_until"), name="profiles_owed"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def can_be_made(self) -> bool:
        """Whether a worker has something to go by: of what was sent ready-made, the counts have to be there."""
        return self.origin != self.Origin.PUSHED or self.body is not None

    def agreed(self) -> Terms:
        """What a comparison with this reference holds against."""
        return Terms(**self.terms)


class DriftReport(models.Model):
    """One comparison of a profile with its reference. Never changed; ``sha256`` is of everything it says."""

    access_path: ClassVar[str] = "use_case"

    class Outcome(models.TextChoices):
        STABLE = Verdict.STABLE.value, _("Stable")
        WATCH = Verdict.WATCH.value, _("Watch")
        DRIFT = Verdict.DRIFT.value, _("Drift")
        NOTHING = Verdict.NOTHING.value, _("Nothing to compare")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="drift_reports")
    version = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="drift_reports"
    )
    reference = models.ForeignKey(DataProfile, on_delete=models.RESTRICT, related_name="reports_against")
    current = models.ForeignKey(DataProfile, on_delete=models.RESTRICT, related_name="reports")
    made_at = models.DateTimeField(default=timezone.now)
    as_of = models.DateTimeField(help_text=_("The time that the compared data is of."))
    terms = models.JSONField(default=dict)
    verdict = models.CharField(max_length=8, choices=Outcome)
    share = models.FloatField(help_text=_("Percent of the compared features, by weight, that drifted."))
    compared = models.PositiveIntegerField()
    drifted = models.PositiveIntegerField()
    rows = models.BigIntegerField()
    reference_rows = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("-as_of", "-made_at")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(drifted__lte=models.F("compared")), name="drift_report_drifted_of_compared"
            ),
            models.CheckConstraint(
                condition=models.Q(share__gte=0, share__lte=100), name="drift_report_share_in_percent"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("use_case", "-as_of"), name="drift_reports_of_a_use_case"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}: {self.drifted}/{self.compared}"


class DriftResult(models.Model):
    """One feature of a report. ``measured`` holds what every statistic said, numbers spelled as decimals."""

    access_path: ClassVar[str] = "report__use_case"

    class Outcome(models.TextChoices):
        GONE = State.GONE.value, _("Column is gone")
        TYPE_CHANGED = State.TYPE_CHANGED.value, _("Type changed")
        DRIFTED = State.DRIFTED.value, _("Drifted")
        MISSING = State.MISSING.value, _("Missing values shifted")
        NEW_VALUES = State.NEW_VALUES.value, _("New categories")
        STABLE = State.STABLE.value, _("Stable")
        EMPTY = State.EMPTY.value, _("Too few values")
        IGNORED = State.IGNORED.value, _("Ignored")
        ADDED = State.ADDED.value, _("New column")

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(DriftReport, on_delete=models.CASCADE, related_name="results")
    place = models.PositiveIntegerField(help_text=_("Rank: 1 is the gravest."))
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, blank=True)
    role = models.CharField(max_length=10)
    state = models.CharField(max_length=12, choices=Outcome)
    is_drifted = models.BooleanField()
    reasons = models.JSONField(default=list)
    weight = models.FloatField(default=1.0)
    effect_key = models.CharField(max_length=20, blank=True)
    effect = models.FloatField(null=True, blank=True)
    p_value = models.FloatField(null=True, blank=True)
    measured = models.JSONField(default=dict)

    class Meta:
        ordering = ("place",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("report", "place"), name="drift_result_place_once"),
            models.UniqueConstraint(fields=("report", "name"), name="drift_result_name_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=("name",), name="drift_results_of_a_feature")]

    def __str__(self) -> str:
        return self.name
