"""Response times: what an alert of some level asks for on some tier.

What the product ships with is in ``responses.yaml``; a row of ``ResponseTarget`` replaces it. A tier without an entry
of its own (unclassified, prohibited) is answered as the high one: unknown is never fine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import yaml

from accounts.roles import catalogue
from monitoring.models import Alert, ResponseTarget
from portfolio.models import Tier

DEFAULTS = Path(__file__).with_name("responses.yaml")
TIERS = (Tier.HIGH, Tier.LIMITED, Tier.MINIMAL)
LEVELS = (Alert.Level.ACT, Alert.Level.WARN)


@dataclass(frozen=True, slots=True)
class Target:
    """How soon an alert is seen and over, how bad it is, and who is told otherwise."""

    tier: str
    level: str
    severity: str
    acknowledge: timedelta
    resolve: timedelta
    told_first: tuple[str, ...]
    told_next: tuple[str, ...]
    is_own: bool = False
    """This organisation set it."""


def target_for(tier: str, level: str) -> Target:
    """One query."""
    tier = tier if tier in TIERS else Tier.HIGH
    row = ResponseTarget.objects.filter(tier=tier, level=level).first()
    return _own(row) if row else shipped()[tier, level]


def targets() -> dict[tuple[str, str], Target]:
    """Every target in force, the strictest first. One query."""
    own = {(row.tier, row.level): _own(row) for row in ResponseTarget.objects.all()}
    return {key: own.get(key, found) for key, found in shipped().items()}


@cache
def shipped() -> Mapping[tuple[str, str], Target]:
    """What the product ships with."""
    found = {}
    for row in yaml.safe_load(DEFAULTS.read_text(encoding="utf-8")):
        unknown = {*row["told_first"], *row["told_next"]} - catalogue().roles.keys()
        if unknown or row["severity"] not in Alert.Severity.values:
            raise ValueError(f"{DEFAULTS.name}: {row} names an unknown role or severity")
        found[row["tier"], row["level"]] = Target(
            tier=row["tier"],
            level=row["level"],
            severity=row["severity"],
            acknowledge=timedelta(minutes=row["acknowledge"]),
            resolve=timedelta(minutes=row["resolve"]),
            told_first=tuple(row["told_first"]),
            told_next=tuple(row["told_next"]),
        )
    if found.keys() != {(tier, level) for tier in TIERS for level in LEVELS}:
        raise ValueError(f"{DEFAULTS.name} must have every level of every tier, once")
    return found


def _own(row: ResponseTarget) -> Target:
    return Target(
        tier=row.tier,
        level=row.level,
        severity=row.severity,
        acknowledge=timedelta(minutes=row.acknowledge_minutes),
        resolve=timedelta(minutes=row.resolve_minutes),
        told_first=tuple(row.told_first),
        told_next=tuple(row.told_next),
        is_own=True,
    )
