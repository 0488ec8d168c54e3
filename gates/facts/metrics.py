"""The latest value of every metric, by series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, asked, fact_loaders
from monitoring.selectors import latest_values


@fact_loaders.register
class Metrics(FactLoader):
    key = "metrics"
    volatile = True

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        return dict(latest_values(asked(use_case_ids), at))
