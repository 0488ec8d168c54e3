"""Alerts that are not resolved, and breaches without a decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, asked, fact_loaders, within
from gates.models import BreachDecision
from kernel.prepared import Question
from monitoring.selectors import open_alerts

_OWED = Question(
    lambda ids, at: (
        within(BreachDecision.objects.filter(opened_at__lte=at), ids)
        .exclude(decided_at__lte=at)
        .values_list("alert_id")
    )
)


@fact_loaders.register
class Alerts(FactLoader):
    """What monitoring tells of each. Whether a breach is decided is asked of its decisions: one that holds no more,
    because it grew worse or its day is over, has been asked again. Two queries."""

    key = "alerts"
    volatile = True

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found = dict(open_alerts(asked(use_case_ids), at))
        asked_again = _undecided(use_case_ids, at)
        for alerts in found.values():
            for alert in alerts:
                if alert["id"] in asked_again:
                    alert["decided"], alert["outcome"] = False, ""
        return found

    def empty(self) -> Any:
        return []


def _undecided(use_case_ids: Sequence[UUID] | None, at: datetime) -> set[UUID]:
    """Alerts with a decision that was owed at that moment."""
    return {alert for (alert,) in _OWED.of(use_case_ids, at)}
