"""When something last changed that voids evidence: word -> moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from gates.fact import FactLoader, fact_loaders, within
from governance.models import Incident, ModelVersion
from portfolio.models import MaterialChange


@fact_loaders.register
class Changes(FactLoader):
    """Recorded changes, and those that other rows prove: a later significant version, a severity-1 incident."""

    key = "changes"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, dict[str, datetime]] = {}
        recorded = within(MaterialChange.objects.filter(at__lte=at), use_case_ids)
        for pk, what, when in recorded.order_by().values_list("use_case_id", "what").annotate(Max("at")):
            _later(found, pk, what, when)
        versions = ModelVersion.objects.filter(significant=True, number__gt=1, registered_at__lte=at)
        newest = within(versions, use_case_ids, "model__use_case").order_by()
        for pk, when in newest.values_list("model__use_case_id").annotate(Max("registered_at")):
            _later(found, pk, "model", when)
        severe = within(Incident.objects.filter(severity="sev1", occurred_at__lte=at), use_case_ids).order_by()
        for pk, when in severe.values_list("use_case_id").annotate(Max("occurred_at")):
            _later(found, pk, "incident", when)
        return found


def _later(found: dict[UUID, dict[str, datetime]], pk: UUID, what: str, when: datetime) -> None:
    changes = found.setdefault(pk, {})
    if what not in changes or changes[what] < when:
        changes[what] = when
