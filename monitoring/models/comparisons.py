"""Two versions beside each other: what is compared, by which rule, and what people made of it."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class Comparison(models.Model):
    """A challenger beside the champion. Its rule is stated before the first figure and is never edited.

    ``result`` holds the figures that the verdict was given on, ``sha256`` their digest; both stay empty until then.
    """

    access_path: ClassVar[str] = "use_case"

    class Kind(models.TextChoices):
        CANARY = "canary", _("Canary: part of the traffic")
        SHADOW = "shadow", _("Shadow: all of it, without effect")

    class Basis(models.TextChoices):
        POINTS = "points", _("Means of a metric's points")
        REVIEWS = "reviews", _("Disagreement of reviewers")
        PAIRS = "pairs", _("Disagreement of reviewers, case by case")

    class Verdict(models.TextChoices):
        PROMOTE = "promote", _("Promote the challenger")
        KEEP = "keep", _("Keep the champion")
        INCONCLUSIVE = "inconclusive", _("Inconclusive")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="comparisons")
    champion = models.ForeignKey("governance.ModelVersion", on_delete=models.PROTECT, related_name="+")
    challenger = models.ForeignKey("governance.ModelVersion", on_delete=models.PROTECT, related_name="comparisons")
    kind = models.CharField(max_length=10, choices=Kind)
    basis = models.CharField(max_length=10, choices=Basis, default=Basis.POINTS)
    metric = models.CharField(max_length=60)
    unit = models.CharField(max_length=40, blank=True)
    direction = models.CharField(max_length=10, help_text=_("higher or lower is better"))
    margin = models.FloatField(default=0, help_text=_("The challenger has to be better by more than this."))
    guardrails = models.JSONField(default=list, blank=True, help_text=_("Metrics that must not grow worse."))
    traffic_percent = models.FloatField(default=100, validators=(MinValueValidator(0), MaxValueValidator(100)))
    min_sample = models.PositiveIntegerField(default=30, help_text=_("Points, reviews or cases of each version."))
    min_days = models.PositiveIntegerField(default=7)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, help_text=_("What else was agreed before the start."))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    verdict = models.CharField(max_length=12, choices=Verdict, blank=True)
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(default=dict, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    run = models.OneToOneField(
        "governance.ValidationRun", null=True, blank=True, on_delete=models.PROTECT, related_name="comparison"
    )

    class Meta:
        ordering = ("-starts_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~models.Q(champion=models.F("challenger")), name="comparison_of_two_versions"
            ),
            models.CheckConstraint(
                condition=models.Q(traffic_percent__gte=0, traffic_percent__lte=100),
                name="comparison_traffic_is_a_share",
            ),
            models.CheckConstraint(condition=models.Q(min_sample__gte=2), name="comparison_sample_from_2"),
            models.CheckConstraint(condition=models.Q(direction__in=("higher", "lower")), name="comparison_direction"),
            models.CheckConstraint(
                condition=models.Q(verdict="", decided_at__isnull=True, run__isnull=True)
                | (
                    ~models.Q(verdict="") & models.Q(decided_at__isnull=False, run__isnull=False) & ~models.Q(sha256="")
                ),
                name="comparison_decided_with_its_figures",
            ),
            models.UniqueConstraint(
                fields=("champion", "challenger", "metric", "basis"),
                condition=models.Q(verdict=""),
                name="comparison_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.challenger.label} against {self.champion.label}"
