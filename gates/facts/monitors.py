"""Which kinds of monitor are switched on, when they last reported, and their rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.fact import FactLoader, asked, fact_loaders
from monitoring.selectors import monitors


@fact_loaders.register
class Monitors(FactLoader):
    key = "monitors"
    volatile = True

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        return dict(monitors(asked(use_case_ids), at))

    def empty(self) -> Any:
        return []
