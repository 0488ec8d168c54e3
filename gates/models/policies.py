"""Policies: versioned rules, immutable once published."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Policy(models.Model):
    """A named set of gates. One policy is primary: it decides stages; others are judged beside it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    is_primary = models.BooleanField(default=False)
    unit = models.ForeignKey(
        "portfolio.BusinessUnit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="policies",
        help_text=_("Whose extension of the primary policy this is; empty for a policy of the organisation."),
    )

    class Meta:
        ordering = ("-is_primary", "key")
        verbose_name_plural = _("policies")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("is_primary",), condition=models.Q(is_primary=True), name="policy_one_primary"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PolicyVersion(models.Model):
    """The text of a policy at one version, with its digest. A published version never changes."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PROPOSED = "proposed", _("Waiting for publication")
        DISCARDED = "discarded", _("Discarded")
        PUBLISHED = "published", _("Published")
        SUPERSEDED = "superseded", _("Superseded")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    label = models.CharField(max_length=40, help_text=_("Such as 1.0.0."))
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    text = models.TextField(help_text=_("The YAML as written."))
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of the canonical form."))
    source = models.TextField(
        blank=True, help_text=_("What a business unit adds or tightens; the text is this laid over the primary policy.")
    )
    base = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("The version it changes."),
    )
    note = models.TextField(blank=True, help_text=_("What changes and why, in the author's words."))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("policy", "-created_at")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("policy", "label"), name="policy_version_label_once"),
            models.UniqueConstraint(
                fields=("policy",), condition=models.Q(state="published"), name="policy_one_published"
            ),
            models.CheckConstraint(
                condition=models.Q(published_by__isnull=True)
                | models.Q(created_by__isnull=True)
                | ~models.Q(published_by=models.F("created_by")),
                name="policy_version_published_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy.key} {self.label}"
