"""Dashboards: widgets that somebody arranged, for themselves or for others."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import BusinessUnit, UseCase

KEPT = timedelta(days=30)
"""How long a deleted dashboard can be had back."""


class Dashboard(models.Model):
    """Widgets about a use case, a version of its model, a unit, or (none of these) the whole portfolio.

    A dashboard shows nobody anything that they may not see anyway: every widget reads what is open to whoever looks.
    ``revision`` counts the edits; who edits says which one they saw. Deleted ones can be had back for ``KEPT``;
    then they are gone.
    """

    class Sharing(models.TextChoices):
        PRIVATE = "private", _("Only me")
        ROLES = "roles", _("People with certain roles")
        EVERYBODY = "everybody", _("Everybody who may see what it is about")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    use_case = models.ForeignKey(UseCase, null=True, blank=True, on_delete=models.CASCADE, related_name="dashboards")
    version = models.ForeignKey(
        "governance.ModelVersion", null=True, blank=True, on_delete=models.CASCADE, related_name="dashboards"
    )
    unit = models.ForeignKey(BusinessUnit, null=True, blank=True, on_delete=models.CASCADE, related_name="dashboards")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="dashboards")
    sharing = models.CharField(max_length=10, choices=Sharing, default=Sharing.PRIVATE)
    layout = models.JSONField(default=list, help_text=_("Widgets in their order; see monitoring/layouts.py."))
    range = models.CharField(max_length=4, default="30d", help_text=_("The range of time it opens with."))
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("owner", "name"), condition=models.Q(deleted_at__isnull=True), name="dashboard_name_once"
            ),
            models.CheckConstraint(
                condition=models.Q(unit__isnull=True) | models.Q(use_case__isnull=True), name="dashboard_one_scope"
            ),
            models.CheckConstraint(
                condition=models.Q(version__isnull=True) | models.Q(use_case__isnull=False),
                name="dashboard_version_in_a_use_case",
            ),
            models.CheckConstraint(
                condition=models.Q(sharing__in=["private", "roles", "everybody"]), name="dashboard_sharing_known"
            ),
            models.CheckConstraint(condition=models.Q(revision__gte=1), name="dashboard_revision_from_1"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("sharing", "deleted_at"), name="dashboard_shared"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def gone_at(self) -> datetime | None:
        """Until when it can be had back; None while it is there."""
        return self.deleted_at + KEPT if self.deleted_at else None


class DashboardRole(models.Model):
    """A role whose holders see a dashboard."""

    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="shares")
    role = models.CharField(max_length=40)

    class Meta:
        ordering = ("role",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("dashboard", "role"), name="dashboard_role_once"),
        ]

    def __str__(self) -> str:
        return self.role
