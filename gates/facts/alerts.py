"""Alerts that are not resolved, and breaches without a decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, asked, fact_loaders
from monitoring.selectors import open_alerts


@fact_loaders.register
class Alerts(FactLoader):
    key = "alerts"
    volatile = True

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        return dict(open_alerts(asked(use_case_ids), at))

    def empty(self) -> Any:
        return []
