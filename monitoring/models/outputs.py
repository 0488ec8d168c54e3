"""Outputs that systems hand over for review, and the plan that says which of them people look at."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase

PERCENT = (MinValueValidator(0), MaxValueValidator(100))


def between_0_and_100(name: str) -> models.Q:
    return models.Q(**{f"{name}__gte": 0, f"{name}__lte": 100})


class SamplingPlan(models.Model):
    """Which outputs of a use case people look at, by when, and what share of disagreement is too much."""

    access_path: ClassVar[str] = "use_case"

    use_case = models.OneToOneField(UseCase, on_delete=models.CASCADE, related_name="sampling_plan", primary_key=True)
    enabled = models.BooleanField(default=True)
    seed = models.CharField(max_length=64, help_text=_("Part of the hash that draws; the same seed draws the same."))
    random_percent = models.FloatField(default=5, validators=PERCENT, help_text=_("Share of all outputs, at random."))
    below_confidence = models.FloatField(null=True, blank=True, validators=(MinValueValidator(0), MaxValueValidator(1)))
    segment_quotas = models.JSONField(default=dict, blank=True, help_text=_("Segment -> outputs a day."))
    most_per_day = models.PositiveIntegerField(default=50)
    double_percent = models.FloatField(
        default=0, validators=PERCENT, help_text=_("Share of the sample that two people review.")
    )
    due_hours = models.PositiveIntegerField(default=48)
    keep_days = models.PositiveIntegerField(default=30, help_text=_("Days after which what an output held is deleted."))
    window_days = models.PositiveIntegerField(default=30, help_text=_("Days that statistics look back."))
    most_disagreement = models.FloatField(
        default=10, validators=PERCENT, help_text=_("In per cent; above it the version fails.")
    )
    min_sample = models.PositiveIntegerField(default=100, help_text=_("Reviews below which nothing is concluded."))
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(default=timezone.now)
    measured_at = models.DateTimeField(null=True, blank=True, help_text=_("When the statistics were last written."))
    measure_asked_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text=_("Statistics are owed since then.")
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=between_0_and_100("random_percent"), name="sampling_random_is_a_share"),
            models.CheckConstraint(condition=between_0_and_100("double_percent"), name="sampling_double_is_a_share"),
            models.CheckConstraint(
                condition=between_0_and_100("most_disagreement"), name="sampling_disagreement_is_a_share"
            ),
            models.CheckConstraint(
                condition=models.Q(below_confidence__isnull=True)
                | models.Q(below_confidence__gte=0, below_confidence__lte=1),
                name="sampling_confidence_is_a_share",
            ),
            models.CheckConstraint(
                condition=models.Q(window_days__gte=1, min_sample__gte=1, due_hours__gte=1, keep_days__gte=1),
                name="sampling_counts_from_1",
            ),
        ]

    def __str__(self) -> str:
        return str(self.use_case_id)


class Output(models.Model):
    """One output of a system as its owner handed it over. What it held (``payload``) is deleted in time.

    ``content_sha256`` is the digest of everything that was handed over, so that a repeat is recognised, and a verdict
    stays tied to what its reviewer saw after the payload is gone.
    """

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="outputs")
    version = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="outputs"
    )
    external_id = models.CharField(max_length=200, help_text=_("What the system that owns it calls it."))
    case_id = models.CharField(
        max_length=200, blank=True, help_text=_("What it is about; two versions that answer one case share it.")
    )
    at = models.DateTimeField()
    segment = models.CharField(max_length=100, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    summary = models.CharField(max_length=500)
    payload_url = models.CharField(max_length=1000, blank=True)
    payload = models.JSONField(default=dict, blank=True, help_text=_("Field -> text, as the sender redacted it."))
    redacted = models.JSONField(default=list, blank=True, help_text=_("Fields that the sender redacted."))
    acted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    actor = models.CharField(max_length=200, blank=True, help_text=_("Who acted on it, as the sender names them."))
    content_sha256 = models.CharField(max_length=64)
    sampled = models.BooleanField(default=False)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    received_at = models.DateTimeField(default=timezone.now)
    payload_until = models.DateTimeField(null=True, blank=True, db_index=True)
    payload_deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "external_id"), name="output_once"),
            models.CheckConstraint(
                condition=models.Q(confidence__isnull=True) | models.Q(confidence__gte=0, confidence__lte=1),
                name="output_confidence_is_a_share",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("use_case", "-at"), name="outputs_of_a_use_case"),
            models.Index(fields=("use_case", "case_id"), name="outputs_of_a_case"),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def has_payload(self) -> bool:
        return bool(self.payload or self.payload_url)
