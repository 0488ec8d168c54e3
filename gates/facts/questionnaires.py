"""The newest answer sets, as of the moment asked for, with their scores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from governance.models import QuestionnaireResponse

FIELDS = ("id", "questionnaire", "score", "dimensions", "complete", "answered_at")


@fact_loaders.register
class Questionnaires(FactLoader):
    key = "questionnaires"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        rows = within(QuestionnaireResponse.objects.filter(answered_at__lte=at), use_case_ids)
        found: dict[UUID, Any] = {}
        for row in rows.order_by("answered_at", "pk").values("use_case_id", *FIELDS):
            found.setdefault(row.pop("use_case_id"), {})[row["questionnaire"]] = row
        return found
