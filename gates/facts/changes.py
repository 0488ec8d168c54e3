"""When something last changed that voids evidence: word -> moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from gates.fact import FactLoader, fact_loaders, within
from governance.models import Incident, ModelVersion
from kernel.prepared import Question
from portfolio.models import MaterialChange

_RECORDED = Question(
    lambda ids, at: (
        within(MaterialChange.objects.filter(at__lte=at), ids)
        .order_by()
        .values_list("use_case_id", "what")
        .annotate(Max("at"))
    )
)
_VERSIONS = Question(
    lambda ids, at: (
        within(
            ModelVersion.objects.filter(significant=True, number__gt=1, registered_at__lte=at), ids, "model__use_case"
        )
        .order_by()
        .values_list("model__use_case_id")
        .annotate(Max("registered_at"))
    )
)
_SEVERE = Question(
    lambda ids, at: (
        within(Incident.objects.filter(severity="sev1", occurred_at__lte=at), ids)
        .order_by()
        .values_list("use_case_id")
        .annotate(Max("occurred_at"))
    )
)


@fact_loaders.register
class Changes(FactLoader):
    """Recorded changes, and those that other rows prove: a later significant version, a severity-1 incident."""

    key = "changes"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, dict[str, datetime]] = {}
        for pk, what, when in _RECORDED.of(use_case_ids, at):
            _later(found, pk, what, when)
        for pk, when in _VERSIONS.of(use_case_ids, at):
            _later(found, pk, "model", when)
        for pk, when in _SEVERE.of(use_case_ids, at):
            _later(found, pk, "incident", when)
        return found


def _later(found: dict[UUID, dict[str, datetime]], pk: UUID, what: str, when: datetime) -> None:
    changes = found.setdefault(pk, {})
    if what not in changes or changes[what] < when:
        changes[what] = when
