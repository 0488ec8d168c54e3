"""Response times: what an alert of some level asks for on some tier.

What the product ships with is in ``responses.yaml``; a row of ``ResponseTarget`` replaces it. A tier without an entry
of its own (unclassified, prohibited) is answered as the high one: unknown is never fine.

A unit's row is laid over what holds above it, the strictest of both: the shorter times, the graver severity, everybody
who is told by either. So it stays a tightening whatever the organisation, or a unit above, sets later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import yaml
from django.db.models import F, Q, QuerySet

from accounts.roles import catalogue
from monitoring.models import Alert, ResponseTarget
from portfolio.models import BusinessUnit, Tier

DEFAULTS = Path(__file__).with_name("responses.yaml")
TIERS = (Tier.HIGH, Tier.LIMITED, Tier.MINIMAL)
LEVELS = (Alert.Level.ACT, Alert.Level.WARN)
GRAVEST_FIRST = tuple(Alert.Severity.values)
PRODUCT, ORGANISATION, UNIT = Alert.ResponseBy.PRODUCT, Alert.ResponseBy.ORGANISATION, Alert.ResponseBy.UNIT


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
    set_by: str = PRODUCT
    unit: BusinessUnit | None = None
    """The unit nearest to the use case that tightened it."""

    def tightened(self, other: Target) -> Target:
        """Both at once, the strictest of each."""
        severity = min(self.severity, other.severity, key=GRAVEST_FIRST.index)
        both = replace(
            self,
            severity=severity,
            acknowledge=min(self.acknowledge, other.acknowledge),
            resolve=min(self.resolve, other.resolve),
            told_first=_either(self.told_first, other.told_first),
            told_next=_either(self.told_next, other.told_next),
        )
        return self if both == self else replace(both, set_by=other.set_by, unit=other.unit)


def target_for(tier: str, level: str, unit: BusinessUnit | None = None) -> Target:
    """What holds in a unit; without one, in the whole organisation. One query."""
    tier = tier if tier in TIERS else Tier.HIGH
    return _laid_over(shipped()[tier, level], _rows(unit).filter(tier=tier, level=level))


def targets(unit: BusinessUnit | None = None) -> dict[tuple[str, str], Target]:
    """Every target that holds in a unit or the whole organisation, the strictest first. One query."""
    rows: dict[tuple[str, str], list[ResponseTarget]] = {}
    for row in _rows(unit):
        rows.setdefault((row.tier, row.level), []).append(row)
    return {key: _laid_over(found, rows.get(key, ())) for key, found in shipped().items()}


def _rows(unit: BusinessUnit | None) -> QuerySet[ResponseTarget]:
    """The organisation's own, then those of the units from the outermost down to this one."""
    above = Q(unit__isnull=True)
    if unit is not None:
        steps = unit.path.split("/")[1:-1]
        above |= Q(unit__path__in=["/" + "".join(f"{step}/" for step in steps[:n]) for n in range(len(steps) + 1)])
    return ResponseTarget.objects.filter(above).select_related("unit").order_by(F("unit__path").asc(nulls_first=True))


def _laid_over(found: Target, rows: Iterable[ResponseTarget]) -> Target:
    for row in rows:
        found = found.tightened(target_of(row)) if row.unit else target_of(row)
    return found


def _either(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return first + tuple(each for each in second if each not in first)


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


def target_of(row: ResponseTarget) -> Target:
    return Target(
        tier=row.tier,
        level=row.level,
        severity=row.severity,
        acknowledge=timedelta(minutes=row.acknowledge_minutes),
        resolve=timedelta(minutes=row.resolve_minutes),
        told_first=tuple(row.told_first),
        told_next=tuple(row.told_next),
        set_by=UNIT if row.unit else ORGANISATION,
        unit=row.unit,
    )
