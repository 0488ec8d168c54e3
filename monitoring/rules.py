"""What a rule says of readings: a level, and when it opens, rises and ends. Pure: no query, no clock.

A reading breaks ``>=`` below the limit, ``<=`` above it, ``between`` outside the band; the limit itself is still
inside. A level is reached by a reading beyond its limit when at least ``needed`` of the newest ``among`` readings are
beyond it. An alert ends with the first reading inside the limits; where the rule has a limit of its own for that
(``clear``, ``clear_high``: hysteresis), with the first one that satisfies it. A reading from fewer than ``min_n``
observations, or from an unknown number of them, says nothing: it counts as not broken and ends no alert. An open
alert keeps the highest level it reached.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from django.utils.translation import gettext as _

from kernel.errors import Invalid

WARN, ACT = "warn", "act"
GTE, LTE, BETWEEN = ">=", "<=", "between"
MOST_AMONG = 100
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
    def clear(self) -> float | None: ...
    @property
    def clear_high(self) -> float | None: ...
    @property
    def needed(self) -> int: ...
    @property
    def among(self) -> int: ...
    @property
    def min_n(self) -> int: ...


class Valued(Protocol):
    """A point or a reading, as far as rules look at it."""

    @property
    def time(self) -> datetime: ...
    @property
    def value(self) -> float: ...
    @property
    def n(self) -> int | None: ...


V = TypeVar("V", bound=Valued)


@dataclass(frozen=True, slots=True)
class Draft:
    """Limits that are not stored (yet), to be tried on history."""

    op: str
    warn: float | None = None
    act: float | None = None
    warn_high: float | None = None
    act_high: float | None = None
    needed: int = 1
    among: int = 1
    clear: float | None = None
    clear_high: float | None = None
    min_n: int = 0


@dataclass(frozen=True, slots=True)
class Change(Generic[V]):
    """What a reading changed: an alert opened, rose to act, or ended."""

    what: Literal["opened", "raised", "resolved"]
    level: str
    point: V


def judge(rule: Limits, recent: Sequence[Valued]) -> str | None:
    """The level that the newest readings have reached: act, warn or None (inside, or too few of them)."""
    ranks = [_rank(rule, point) for point in recent[-rule.among :]]
    if not ranks or ranks[-1] is None:
        return None
    return _LEVELS[_reached([rank or 0 for rank in ranks], rule.needed)]


def level_of(rule: Limits, value: float) -> str | None:
    """The level of a single value."""
    if _outside(rule.op, value, rule.act, rule.act_high):
        return ACT
    if _outside(rule.op, value, rule.warn, rule.warn_high):
        return WARN
    return None


def limit_broken(rule: Limits, value: float, level: str) -> float | None:
    """The limit of that level which the value is beyond; of a band, its nearer edge."""
    low, high = limits_of(rule, level)
    if rule.op == BETWEEN and high is not None and value > high:
        return high
    return low


def limits_of(rule: Limits, level: str) -> tuple[float | None, float | None]:
    """The limit of a level, or the two edges of its band."""
    return (rule.act, rule.act_high) if level == ACT else (rule.warn, rule.warn_high)


def ends(rule: Limits, value: float) -> bool:
    """Whether this value ends an alert."""
    if rule.clear is None and rule.clear_high is None:
        return level_of(rule, value) is None
    return not _outside(rule.op, value, rule.clear, rule.clear_high)


def walk(
    rule: Limits, points: Iterable[V], *, since: datetime | None = None, level: str | None = None
) -> Iterator[Change[V]]:
    """The changes that the readings bring, in order.

    Readings before ``since`` only count towards n of m. ``level`` is that of the alert already open.
    """
    recent: deque[int] = deque(maxlen=rule.among)
    for point in points:
        rank = _rank(rule, point)
        recent.append(rank or 0)
        if rank is None or (since is not None and point.time < since):
            continue
        reached = _LEVELS[_reached(recent, rule.needed)]
        if level is not None and ends(rule, point.value):
            yield Change("resolved", level, point)
            level = None
        elif reached is not None and level is None:
            yield Change("opened", reached, point)
            level = reached
        elif reached == ACT and level == WARN:
            yield Change("raised", ACT, point)
            level = ACT


def check_limits(rule: Limits) -> None:
    """Raise ``Invalid`` for limits that contradict each other or themselves, with a sentence a field."""
    refuse_limits(limit_problems(rule))


def refuse_limits(errors: Mapping[str, list[str]]) -> None:
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=dict(errors))


def limit_problems(rule: Limits) -> dict[str, list[str]]:
    """What is wrong with limits on values, by field."""
    errors: dict[str, list[str]] = {}
    if rule.op not in {GTE, LTE, BETWEEN}:
        errors["op"] = [_("Choose “at least”, “at most” or “between”.")]
    errors |= modifier_problems(rule)
    if not errors:
        errors = dict(_band_errors(rule) if rule.op == BETWEEN else _side_errors(rule))
    return errors or dict(_clear_errors(rule))


def modifier_problems(rule: Limits) -> dict[str, list[str]]:
    """What is wrong with the numbers that every rule has, by field."""
    errors: dict[str, list[str]] = {}
    if not 1 <= rule.among <= MOST_AMONG:
        errors["among"] = [_("Give 1 to %(most)d values.") % {"most": MOST_AMONG}]
    elif not 1 <= rule.needed <= rule.among:
        errors["needed"] = [_("Give 1 to %(among)d: it cannot be more than are looked at.") % {"among": rule.among}]
    if rule.min_n < 0:
        errors["min_n"] = [_("Give 0 or more.")]
    for name in ("warn", "act", "warn_high", "act_high", "clear", "clear_high"):
        value = getattr(rule, name)
        if value is not None and not math.isfinite(value):
            errors[name] = [_("Give a number.")]
    if rule.warn is None and rule.act is None:
        errors["warn"] = [_("Give a warn limit, an act limit or both.")]
    return errors


def _rank(rule: Limits, point: Valued) -> int | None:
    if rule.min_n and (point.n is None or point.n < rule.min_n):
        return None
    return _RANK[level_of(rule, point.value)]


def _reached(recent: Iterable[int], needed: int) -> int:
    """The highest rank that ``needed`` of them have, if the newest has it too."""
    ranks = list(recent)
    if len(ranks) < needed:
        return 0
    return min(ranks[-1], sorted(ranks, reverse=True)[needed - 1])


def _outside(op: str, value: float, low: float | None, high: float | None) -> bool:
    if op == BETWEEN:
        return (low is not None and value < low) or (high is not None and value > high)
    if low is None:
        return False
    return value < low if op == GTE else value > low


def _side_errors(rule: Limits) -> Mapping[str, list[str]]:
    for name in ("warn_high", "act_high", "clear_high"):
        if getattr(rule, name) is not None:
            return {name: [_("An upper limit belongs to “between” only.")]}
    if rule.warn is None or rule.act is None:
        return {}
    if rule.op == GTE and rule.act > rule.warn:
        return {"act": [_("A falling value must pass warn first: with “at least”, act cannot be above warn.")]}
    if rule.op == LTE and rule.act < rule.warn:
        return {"act": [_("A rising value must pass warn first: with “at most”, act cannot be below warn.")]}
    return {}


def _band_errors(rule: Limits) -> Mapping[str, list[str]]:
    for low_name, high_name in (("warn", "warn_high"), ("act", "act_high"), ("clear", "clear_high")):
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


def _clear_errors(rule: Limits) -> Mapping[str, list[str]]:
    """What ends an alert must not itself break a limit."""
    said = [_("An alert cannot end beyond its limit: give a value inside.")]
    for name in ("clear", "clear_high"):
        value = getattr(rule, name)
        if value is not None and level_of(rule, value) is not None:
            return {name: said}
    return {}


def episodes(changes: Iterable[Change[Any]]) -> list[Episode]:
    """Changes as alerts: from when to when, and how far each went."""
    found: list[Episode] = []
    for change in changes:
        if change.what == "opened":
            found.append(Episode(change.point, change.level))
        elif change.what == "raised":
            found[-1].level = ACT
        else:
            found[-1].ended_at = change.point.time
    return found


@dataclass(slots=True)
class Episode:
    """An alert as it would have been."""

    opened_by: Any
    level: str
    ended_at: datetime | None = None

    @property
    def opened_at(self) -> datetime:
        moment: datetime = self.opened_by.time
        return moment
