"""The newest answer sets, as of the moment asked for, with their scores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from governance.models import QuestionnaireResponse
from kernel.prepared import Question

FIELDS = ("id", "questionnaire", "score", "dimensions", "complete", "answered_at")


_ANSWERED = Question(
    lambda ids, at: (
        within(QuestionnaireResponse.objects.filter(answered_at__lte=at), ids)
        .order_by("answered_at", "pk")
        .values("use_case_id", *FIELDS)
    )
)


@fact_loaders.register
class Questionnaires(FactLoader):
    key = "questionnaires"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for row in _ANSWERED.of(use_case_ids, at):
            found.setdefault(row.pop("use_case_id"), {})[row["questionnaire"]] = row
        return found
