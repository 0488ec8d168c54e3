"""The queue of what has to be judged again: a row a use case, so that no lost message is ever lost work."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from portfolio.models import UseCase


class Assessment(models.Model):
    """When facts of a use case last changed, and up to when they have been judged."""

    access_path: ClassVar[str] = "use_case"

    use_case = models.OneToOneField(UseCase, on_delete=models.CASCADE, related_name="assessment", primary_key=True)
    asked_at = models.DateTimeField(default=timezone.now, db_index=True)
    done_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.use_case_id} {self.asked_at}"

    @property
    def is_due(self) -> bool:
        return self.done_at is None or self.asked_at > self.done_at

    @staticmethod
    def due() -> Q:
        """Condition for rows that have to be judged."""
        return Q(done_at__isnull=True) | Q(asked_at__gt=F("done_at"))
