"""Answers to scored questionnaires."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portfolio.models import UseCase


class QuestionnaireResponse(models.Model):
    """A complete or partial answer set, with the score computed when it was saved (0 to 100 %)."""

    access_path: ClassVar[str] = "use_case"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, related_name="questionnaire_responses")
    questionnaire = models.SlugField(max_length=60)
    answers = models.JSONField(default=dict, help_text=_("Dimension -> list of 0..4 or null, in question order."))
    dimensions = models.JSONField(default=dict, help_text=_("Dimension -> score in %, decimal as text."))
    score = models.DecimalField(max_digits=6, decimal_places=2)
    complete = models.BooleanField()
    is_current = models.BooleanField(default=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("questionnaire", "-answered_at")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("use_case", "questionnaire"),
                condition=models.Q(is_current=True),
                name="questionnaire_one_current",
            ),
            models.CheckConstraint(
                condition=models.Q(score__gte=0, score__lte=100), name="questionnaire_score_percent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.questionnaire} {self.score} %"
