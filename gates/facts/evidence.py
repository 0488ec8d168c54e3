"""Evidence in force: files, links, attestations and runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from gates.fact import FactLoader, fact_loaders, within
from governance.models import Evidence
from kernel.prepared import Question

FIELDS = (
    "id",
    "kind",
    "evidence_type",
    "criterion",
    "role",
    "title",
    "items",
    "sample_size",
    "sha256",
    "added_by_id",
    "added_at",
    "verified_by_id",
    "valid_until",
)


_IN_FORCE = Question(
    lambda ids, at: (
        within(
            Evidence.objects.filter(added_at__lte=at).filter(Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=at)), ids
        )
        .order_by("-added_at", "pk")
        .values("use_case_id", *FIELDS)
    )
)


@fact_loaders.register
class EvidenceInForce(FactLoader):
    key = "evidence"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        for row in _IN_FORCE.of(use_case_ids, at):
            found.setdefault(row.pop("use_case_id"), []).append(row)
        return found

    def empty(self) -> Any:
        return []
