"""Small parts of a page that repeat in every row, drawn once for each different state.

A table of fifty rows shows five tiers and seven tracks: including their templates in each row would cost more than
everything else on the page together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.template.loader import get_template
from django.utils import timezone

from portfolio.models import UseCase
from portfolio.selectors.listing import days_between
from portfolio.selectors.track import gate_name, steps

TRACK = "components/stage_track.html"
TIER = "components/tier_badge.html"
ASSURANCE = "components/assurance_badge.html"


class Drawings:
    """Keeps what was drawn for as long as one request takes."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], str] = {}
        self._gates: dict[str, str] = {"": ""}

    def tier(self, tier: str) -> str:
        return self._draw(TIER, tier, {"tier": tier})

    def assurance(self, state: str) -> str:
        return self._draw(ASSURANCE, state, {"state": state})

    def track(self, use_case: UseCase) -> str:
        return self._draw(TRACK, use_case.stage, {"steps": steps(use_case), "small": True})

    def gate(self, key: str) -> str:
        if key not in self._gates:
            self._gates[key] = gate_name(key)
        return self._gates[key]

    def _draw(self, template: str, state: str, context: dict[str, Any]) -> str:
        found = self._kept.get((template, state))
        if found is None:
            found = self._kept[template, state] = get_template(template).render(context)
        return found


def dress(use_cases: Sequence[UseCase], drawings: Drawings | None = None) -> None:
    """Give use cases what rows and cards show besides their columns: badges, track, days here, the next gate's name."""
    now, draw = timezone.now(), drawings or Drawings()
    for use_case in use_cases:
        row: Any = use_case
        row.drawn_tier = draw.tier(use_case.tier)
        row.drawn_assurance = draw.assurance(use_case.assurance)
        row.drawn_track = draw.track(use_case)
        row.days = days_between(use_case.stage_since, now)
        row.gate_name = draw.gate(use_case.next_gate)
        row.gate_missing = max(use_case.gate_required - use_case.gate_met, 0)
