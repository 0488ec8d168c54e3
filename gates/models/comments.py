"""What people say about a review, and who settles what is missing for a gate by when."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gates.models.reviews import Review
from portfolio.models import UseCase


class ReviewComment(models.Model):
    """A remark or question on a review; it stays once written, and binds nobody."""

    access_path: ClassVar[str] = "review__use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="comments")
    criterion = models.CharField(max_length=40, blank=True, help_text=_("The criterion it is about, if one."))
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("written_at",)

    def __str__(self) -> str:
        return self.text[:80]


class Assignment(models.Model):
    """Who settles one open criterion of one use case, and by which day."""

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="gate_assignments")
    gate = models.CharField(max_length=40)
    criterion = models.CharField(max_length=40)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField(null=True)
    note = models.CharField(max_length=300, blank=True)
    assigned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    assigned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("due_on", "criterion")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("use_case", "gate", "criterion"), name="assignment_one_a_criterion"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=("person", "due_on"), name="assignment_person")]

    def __str__(self) -> str:
        return f"{self.criterion}: {self.person}"
