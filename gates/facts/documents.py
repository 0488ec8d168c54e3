"""The newest revision of each document, as of the moment asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, fact_loaders, within
from governance.models import Document
from kernel.prepared import Question

FIELDS = (
    "id",
    "doc_type",
    "title",
    "revision",
    "status",
    "sections",
    "measures",
    "tested_at",
    "written_at",
    "approved_at",
)


_WRITTEN = Question(
    lambda ids, at: within(Document.objects.filter(written_at__lte=at).order_by("revision", "pk"), ids).values(
        "use_case_id", "evidence__sha256", "describes__number", *FIELDS
    )
)


@fact_loaders.register
class Documents(FactLoader):
    """``{doc_type: {...}}``; ``sections`` is reduced to which keys are filled, the text has its own digest."""

    key = "documents"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for row in _WRITTEN.of(use_case_ids, at):
            row["filled"] = sorted(key for key, text in (row.pop("sections") or {}).items() if str(text).strip())
            row["sha256"] = row.pop("evidence__sha256")
            row["describes_number"] = row.pop("describes__number")
            found.setdefault(row.pop("use_case_id"), {})[row["doc_type"]] = row
        return found
