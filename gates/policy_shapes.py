"""What the parts of a policy text look like: which keys they know, and plain data read as an expected shape."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from gates.policy import TIERS
from kernel.located import Located, Mark
from kernel.located import Path as Place

LONGEST = 36_500
"""Days: a century."""
POLICY_KEYS = [
    "policy",
    "title",
    "version",
    "primary",
    "stages",
    "judges",
    "gates",
    "approval_matrix",
    "board_quorum",
    "separation_of_duties",
    "risk_acceptance_authority",
    "decisions",
    "review_cadence_days",
    "out_of_cycle_triggers",
    "sign_off_validity_days",
    "waivers",
    "breach_decision_days",
]
GATE_KEYS = ("title", "from", "to", "criteria")
CRITERION_KEYS = [
    "id",
    "slug",
    "title",
    "question",
    "type",
    "params",
    "applies",
    "applies_if",
    "threshold",
    "owner",
    "evidence",
    "source",
    "validity_days",
    "invalidated_by",
    "waivable",
    "once",
]
THRESHOLD_KEYS = ("measure", "op", "unit", *TIERS)
SLOT_KEYS = ("signers", "decision_sla_days", "board_quorum")
DUTY_KEYS = ("id", "name", "rule", "tiers", "effect")
SOURCE_KEYS = ("requirements", "standards")
JUDGES_KEYS = ("tiers", "jurisdictions")
WAIVER_KEYS = ("max_days",)


class Shapes:
    """Plain data of an expected shape; what has another one is a problem and reads as empty."""

    def __init__(self, located: Located) -> None:
        self.located = located
        self.problems: list[str] = []

    def problem(self, place: Place, message: str, *, inside: Mark | None = None) -> None:
        self.problems.append(self.located.problem(place, message, inside=inside))

    def mapping(self, raw: Any, place: Place, known: Iterable[str] | None = None) -> dict[str, Any]:
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.problem(place, "has to be a mapping")
            return {}
        if known is not None:
            names = tuple(known)
            for key in raw:
                if key not in names:
                    self.problem((*place, key), f"unknown key {key!r} (known: {', '.join(sorted(names))})")
        return raw

    def words(self, raw: Any, place: Place) -> tuple[str, ...]:
        if raw is None:
            return ()
        if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
            self.problem(place, "has to be a list of words")
            return ()
        return tuple(raw)

    def known_words(self, raw: Any, place: Place, known: Iterable[str], noun: str) -> tuple[str, ...]:
        names = tuple(known)
        found = self.words(raw, place)
        for word in found:
            if word not in names:
                self.problem(place, f"unknown {noun} {word!r} (known: {', '.join(names)})")
        return found

    def text(self, raw: Any, place: Place, default: str = "") -> str:
        if raw is None:
            return default
        if isinstance(raw, (dict, list)):
            self.problem(place, "has to be text")
            return default
        return str(raw)

    def flag(self, raw: Any, place: Place, default: bool) -> bool:
        if raw is not None and not isinstance(raw, bool):
            self.problem(place, "has to be true or false")
        return raw if isinstance(raw, bool) else default

    def days(self, raw: Any, place: Place, default: int) -> int:
        if raw is None:
            return default
        if isinstance(raw, bool) or not isinstance(raw, int) or not 0 < raw <= LONGEST:
            self.problem(place, "has to be a whole number of days, at least 1")
            return default
        return raw

    def days_by_tier(self, raw: Any, place: Place) -> dict[str, int]:
        found = self.mapping(raw, place, TIERS)
        return {tier: self.days(found[tier], (*place, tier), 1) for tier in TIERS if tier in found}


def number(raw: Any) -> Decimal | None:
    """A finite number as written; None for anything else."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return None
    try:
        found = Decimal(str(raw))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
