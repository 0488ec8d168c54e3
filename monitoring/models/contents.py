"""Texts and embeddings that are watched, and what a classifier could tell of newer ones."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models.jobs import Job
from monitoring.models.sources import Source
from portfolio.models import UseCase


class Placed(models.Model):
    """Says where rows lie. The rows stay there."""

    class Origin(models.TextChoices):
        FILES = "files", _("Files")
        SQL = "sql", _("SQL database")

    origin = models.CharField(max_length=8, choices=Origin)
    path = models.CharField(max_length=500, blank=True, help_text=_("Below the configured folders."))
    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text=_("For SQL.")
    )
    query = models.TextField(blank=True, help_text=_("For SQL: one SELECT, or the table of a DuckDB file."))

    class Meta:
        abstract = True


class ContentSetup(Placed):
    """A column of texts or embeddings that is watched: where its reference rows lie, and which AUC matters.

    Of a column, use case and version one setup is in force. The reference is a place, not rows: they are read anew with
    every comparison.
    """

    access_path: ClassVar[str] = "use_case"

    class Kind(models.TextChoices):
        TEXT = "text", _("Texts")
        EMBEDDING = "embedding", _("Embeddings")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="content_setups")
    version = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="content_setups"
    )
    kind = models.CharField(max_length=9, choices=Kind)
    column = models.CharField(max_length=100, help_text=_("Its name, or a pattern of names such as emb_*."))
    warn = models.FloatField(help_text=_("From this AUC on it is to be watched."))
    act = models.FloatField(help_text=_("From this AUC on it has drifted."))
    in_force = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("column", "-created_at")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case", "version", "column"),
                condition=models.Q(in_force=True, version__isnull=False),
                name="content_setup_once_per_version",
            ),
            models.UniqueConstraint(
                fields=("use_case", "column"),
                condition=models.Q(in_force=True, version__isnull=True),
                name="content_setup_once_without_version",
            ),
            models.CheckConstraint(
                condition=models.Q(warn__gte=0.5, act__gte=models.F("warn"), act__lte=1),
                name="content_setup_limits_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.column


class ContentComparison(Placed, Job):
    """Newer rows held against a setup by a worker, and the report of it once it is done.

    A report is never changed; ``sha256`` is of everything it says. ``measured`` holds counts and digests by side,
    never what a row holds.
    """

    access_path: ClassVar[str] = "use_case"

    class Outcome(models.TextChoices):
        STABLE = "stable", _("Stable")
        WATCH = "watch", _("Watch")
        DRIFT = "drift", _("Drift")
        MISMATCH = "mismatch", _("Not comparable")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="content_comparisons")
    setup = models.ForeignKey(ContentSetup, on_delete=models.RESTRICT, related_name="comparisons")
    name = models.CharField(max_length=200)
    window_start = models.DateTimeField(null=True, blank=True)
    window_end = models.DateTimeField(null=True, blank=True)
    as_of = models.DateTimeField(default=timezone.now, help_text=_("The time that the newer rows are of."))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    verdict = models.CharField(max_length=8, choices=Outcome, blank=True)
    auc = models.FloatField(null=True, blank=True)
    auc_low = models.FloatField(null=True, blank=True, help_text=_("Of its interval of 95 %."))
    auc_high = models.FloatField(null=True, blank=True, help_text=_("Of its interval of 95 %."))
    warn = models.FloatField(null=True, blank=True, help_text=_("The limits that the verdict was found by."))
    act = models.FloatField(null=True, blank=True)
    measured = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("-as_of", "-created_at")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~models.Q(state="done") | (~models.Q(verdict="") & ~models.Q(sha256="")),
                name="content_comparison_done_is_sealed",
            ),
            models.CheckConstraint(
                condition=models.Q(auc__isnull=True) | models.Q(auc__gte=0, auc__lte=1),
                name="content_comparison_auc_of_pairs",
            ),
            models.CheckConstraint(condition=models.Q(progress__lte=100), name="content_comparison_progress_to_100"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("use_case", "-as_of"), name="contents_of_a_use_case"),
            models.Index(fields=("setup", "-as_of"), name="contents_of_a_setup"),
            models.Index(fields=("state", "leased_until"), name="contents_owed"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def pairs(self) -> int | None:
        """Of 100 pairs of a newer row and one of the reference, how many are told apart rightly."""
        return None if self.auc is None else round(100 * self.auc)
