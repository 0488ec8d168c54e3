"""What a rule says of points: a level, and when it opens, rises and ends. Pure: no query, no clock.

A point breaks ``>=`` below the limit, ``<=`` above it, ``between`` outside the band; the limit itself is still inside.
A rule with ``consecutive`` k reaches a level when its newest k points have all reached it, and ends with the first
point inside. An open alert keeps the highest level it reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from django.utils.translation import gettext as _

from kernel.errors import Invalid

WARN, ACT = "warn", "act"
GTE, LTE, BETWEEN = ">=", "<=", "between"
MAX_CONSECUTIVE = 100
_RANK = {None: 0, WARN: 1, ACT: 2}
_LEVELS = (None, WARN, ACT)


class Limits(Protocol):
    """What judging needs of a rule; ``monitoring.models.Rule`` is one."""

    @property
    def op(self) -> str: ...
    @property
    def warn(self) -> float | None: ...
    @property
    def act(self) -> float | None: ...
    @property
    def warn_high(self) -> float | None: ...
    @property
    def act_high(self) -> float | None: ...
    @property
    def consecutive(self) -> int: ...


class Valued(Protocol):
    """A point, as far as rules look at it."""

    @property
    def time(self) -> datetime: ...
    @property
    def value(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """Limits that are not stored (yet), to be tried on history."""

    op: str
    warn: float | None = None
    act: float | None = None
    warn_high: float | None = None
    act_high: float | None = None
    consecutive: int = 1


@dataclass(frozen=True, slots=True)
class Change:
    """What a point changed: an alert opened, rose to act, or ended."""

    what: Literal["opened", "raised", "resolved"]
    level: str
    point: Valued


def judge(rule: Limits, recent: Sequence[Valued]) -> str | None:
    """The level that the newest points have reached: act, warn or None (inside, or too few points in a row)."""
    if len(recent) < rule.consecutive:
        return None
    ranks = [_RANK[level_of(rule, point.value)] for point in recent[-rule.consecutive :]]
    return _LEVELS[min(ranks)]


def level_of(rule: Limits, value: float) -> str | None:
    """The level of a single value."""
    if _outside(rule.op, value, rule.act, rule.act_high):
        return ACT
    if _outside(rule.op, value, rule.warn, rule.warn_high):
        return WARN
    return None


def limit_broken(rule: Limits, value: float, level: str) -> float | None:
    """The limit of that level which the value is beyond; of a band, its nearer edge."""
    low, high = (rule.act, rule.act_high) if level == ACT else (rule.warn, rule.warn_high)
    if rule.op == BETWEEN and high is not None and value > high:
        return high
    return low


def walk(
    rule: Limits, points: Sequence[Valued], *, since: datetime | None = None, level: str | None = None
) -> Iterator[Change]:
    """The changes that the points bring, in order.

    Points before ``since`` only count towards what is in a row. ``level`` is that of the alert already open.
    """
    streak: list[int] = []
    for point in points:
        streak.append(_RANK[level_of(rule, point.value)])
        del streak[: -rule.consecutive]
        if since is not None and point.time < since:
            continue
        reached = _LEVELS[min(streak)] if len(streak) == rule.consecutive else None
        if level is not None and streak[-1] == 0:
            yield Change("resolved", level, point)
            level = None
        elif reached is not None and level is None:
            yield Change("opened", reached, point)
            level = reached
        elif reached == ACT and level == WARN:
            yield Change("raised", ACT, point)
            level = ACT


def times_fired(rule: Limits, points: Sequence[Valued]) -> dict[str, int]:
    """How often the rule would have opened an alert on these points (``fired``), and how often one became a breach."""
    changes = list(walk(rule, points))
    return {
        "fired": sum(1 for change in changes if change.what == "opened"),
        "act": sum(1 for change in changes if change.level == ACT and change.what != "resolved"),
        "points": len(points),
    }


def check_limits(rule: Limits) -> None:
    """Raise ``Invalid`` for limits that contradict each other or themselves, with a sentence a field."""
    errors: dict[str, list[str]] = {}
    if rule.op not in {GTE, LTE, BETWEEN}:
        errors["op"] = [_("Choose “at least”, “at most” or “between”.")]
    if not 1 <= rule.consecutive <= MAX_CONSECUTIVE:
        errors["consecutive"] = [_("Give 1 to %(most)d points in a row.") % {"most": MAX_CONSECUTIVE}]
    for name in ("warn", "act", "warn_high", "act_high"):
        value = getattr(rule, name)
        if value is not None and not math.isfinite(value):
            errors[name] = [_("Give a number.")]
    if rule.warn is None and rule.act is None:
        errors["warn"] = [_("Give a warn limit, an act limit or both.")]
    if not errors:
        errors = dict(_band_errors(rule) if rule.op == BETWEEN else _side_errors(rule))
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)


def _outside(op: str, value: float, low: float | None, high: float | None) -> bool:
    if op == BETWEEN:
        return (low is not None and value < low) or (high is not None and value > high)
    if low is None:
        return False
    return value < low if op == GTE else value > low


def _side_errors(rule: Limits) -> Mapping[str, list[str]]:
    if rule.warn_high is not None or rule.act_high is not None:
        name = "warn_high" if rule.warn_high is not None else "act_high"
        return {name: [_("An upper limit belongs to “between” only.")]}
    if rule.warn is None or rule.act is None:
        return {}
    if rule.op == GTE and rule.act > rule.warn:
        return {"act": [_("A falling value must pass warn first: with “at least”, act cannot be above warn.")]}
    if rule.op == LTE and rule.act < rule.warn:
        return {"act": [_("A rising value must pass warn first: with “at most”, act cannot be below warn.")]}
    return {}


def _band_errors(rule: Limits) -> Mapping[str, list[str]]:
    for low_name, high_name in (("warn", "warn_high"), ("act", "act_high")):
        low, high = getattr(rule, low_name), getattr(rule, high_name)
        if (low is None) != (high is None):
            return {high_name: [_("A band needs its lower and its upper limit.")]}
        if low is not None and high is not None and low > high:
            return {high_name: [_("The upper limit is below the lower one.")]}
    if rule.warn is None or rule.act is None or rule.warn_high is None or rule.act_high is None:
        return {}
    if rule.act > rule.warn or rule.act_high < rule.warn_high:
        return {"act": [_("The act band must enclose the warn band, or a value would act before it warns.")]}
    return {}
