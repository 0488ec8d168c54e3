"""Business units: a tree whose root is the organisation."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.roles import role_permissions


class BusinessUnit(models.Model):
    """A part of the organisation. ``path`` is "/" for the root and "/retail/cards/" below it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    path = models.CharField(max_length=500, unique=True, editable=False)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("path",)
        verbose_name = _("business unit")
        permissions: ClassVar[Any] = role_permissions()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(path__startswith="/") & models.Q(path__endswith="/"), name="unit_path_is_enclosed"
            ),
            models.UniqueConstraint(models.Value(1), condition=models.Q(parent__isnull=True), name="unit_has_one_root"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def depth(self) -> int:
        return self.path.count("/") - 1

    def path_below(self, parent: BusinessUnit | None) -> str:
        """The path this unit has under ``parent``."""
        return f"{parent.path}{self.code}/" if parent else "/"
