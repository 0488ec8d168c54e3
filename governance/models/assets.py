"""Models, their versions, and the data behind them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class AiModel(models.Model):
    """A model of a use case, made here or bought."""

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="models")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=60, blank=True, help_text=_("Such as classifier, forecaster, LLM, agent."))
    provider = models.CharField(max_length=200, blank=True)
    registry_uri = models.CharField(max_length=500, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "name"), name="model_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Dataset(models.Model):
    """A dataset with its steward and certification. Shared between use cases."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    unit = models.ForeignKey("portfolio.BusinessUnit", on_delete=models.PROTECT, related_name="datasets")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    sensitivity = models.CharField(max_length=40, blank=True)
    lineage = models.TextField(blank=True)
    steward = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    registered_at = models.DateTimeField(default=timezone.now)
    certified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    certified_at = models.DateTimeField(null=True, blank=True)
    certified_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("unit", "name"), name="dataset_name_once_per_unit"),
        ]

    def __str__(self) -> str:
        return self.name


class ModelVersion(models.Model):
    """One version of a model: the bundle of code, data, prompt and environment that can be rebuilt."""

    access_path: ClassVar[str] = "model__use_case"

    class VersionState(models.TextChoices):
        CANDIDATE = "candidate", _("Candidate")
        LIVE = "live", _("Live")
        RETIRED = "retired", _("Retired")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(AiModel, on_delete=models.CASCADE, related_name="versions")
    label = models.CharField(max_length=60)
    number = models.PositiveIntegerField(help_text=_("Order of registration, from 1."))
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.CANDIDATE)
    bundle = models.JSONField(
        default=dict, blank=True, help_text=_("code, data, prompts, environment: revision or digest.")
    )
    metrics = models.JSONField(default=dict, blank=True, help_text=_("Metric key -> decimal as text."))
    card = models.JSONField(default=dict, blank=True, help_text=_("Model card section -> text."))
    change_note = models.TextField(blank=True)
    significant = models.BooleanField(
        default=True, help_text=_("A significant change invalidates what was shown before.")
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    live_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    datasets: models.ManyToManyField[Dataset, VersionDataset] = models.ManyToManyField(
        Dataset, through="VersionDataset", related_name="versions"
    )

    class Meta:
        ordering = ("model", "-number")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("model", "label"), name="version_label_once"),
            models.UniqueConstraint(fields=("model", "number"), name="version_number_once"),
            models.UniqueConstraint(fields=("model",), condition=models.Q(state="live"), name="version_one_live"),
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("author")),
                name="version_approved_by_another",
            ),
        ]

    def __str__(self) -> str:
        # The name costs a query unless the model is at hand, and lists are long.
        return f"{self.model.name} {self.label}" if "model" in self._state.fields_cache else self.label


class VersionDataset(models.Model):
    """Which dataset a version was trained or tested on."""

    access_path: ClassVar[str] = "version__model__use_case"

    class Purpose(models.TextChoices):
        TRAINING = "training", _("Training")
        VALIDATION = "validation", _("Validation")
        TEST = "test", _("Test")
        RETRIEVAL = "retrieval", _("Retrieval")

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="version_datasets")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="version_datasets")
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.TRAINING)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("version", "dataset", "purpose"), name="version_dataset_once"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} ({self.purpose})"
