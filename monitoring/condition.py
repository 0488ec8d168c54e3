"""The contract of a condition: one file in ``monitoring/conditions`` adds a kind of rule.

A condition turns the points of a series into readings: a number a moment, which is held against the rule's limits.
What all rules share (warn and act levels, n of m, a limit of its own for the end, the least sample) is in
``monitoring.rules``. Everything here is pure: no query, and the clock is given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from kernel.errors import Invalid
from kernel.registry import Registry
from monitoring.rules import Limits, Valued, limit_broken
from monitoring.setting import Setting, filled_in


@dataclass(frozen=True, slots=True)
class Reading:
    """What a condition makes of a moment. ``value`` is held against the limits.

    ``shown`` is the measured value behind it and ``against`` what that was compared with, both in the series' unit.
    """

    time: datetime
    value: float
    n: int | None = None
    shown: float | None = None
    against: float | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What a condition may know of the series beside its points."""

    baseline: float | None
    expected_every: timedelta
    until: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """The history that a reading needs: so many ``points`` before it, and ``spans`` of time.

    A span (a, b) is what lies between a and b before the moment of the reading.
    """

    points: int = 0
    spans: tuple[tuple[timedelta, timedelta], ...] = ()


class Condition(ABC):
    """A kind of rule, with the settings of one rule."""

    key: ClassVar[str]
    label: ClassVar[Any]
    about: ClassVar[Any]
    """One sentence for whoever chooses it."""
    order: ClassVar[int] = 100
    settings: ClassVar[tuple[Setting, ...]] = ()
    ways: ClassVar[tuple[tuple[str, Any], ...]]
    """What a rule can ask for: its ``op`` and how that reads. The first is what a new rule starts with."""
    has_band: ClassVar[bool] = False
    limit_help: ClassVar[Any] = ""
    """What to give as a limit, for whoever fills it in."""
    needs_baseline: ClassVar[bool] = False
    needs_interval: ClassVar[bool] = False
    ticks: ClassVar[bool] = False
    """It may change while no point comes."""
    counts_sample: ClassVar[bool] = True

    def __init__(self, params: Mapping[str, str]) -> None:
        self.params = {setting.name: params.get(setting.name) or setting.default for setting in self.settings}

    @classmethod
    def check(cls, params: Mapping[str, Any]) -> dict[str, str]:
        """The settings, complete and trimmed. Raises ``Invalid`` with an error per setting."""
        clean, errors = filled_in(cls.settings, params, unknown=_("This kind of rule has no such setting."))
        if errors:
            name, said = next(iter(errors.items()))
            raise Invalid(f"{name}: {said[0]}", errors=errors)
        return clean

    @abstractmethod
    def problems(self, rule: Limits) -> dict[str, list[str]]:
        """What is wrong with the limits, by field."""

    def held(self, rule: Limits) -> Limits:
        """The limits as readings are held against them."""
        return rule

    def reach(self, every: timedelta) -> Reach:
        """The history that one reading needs."""
        return Reach()

    @abstractmethod
    def readings(self, points: Sequence[Any], ground: Ground) -> Iterator[Reading]:
        """A reading for every moment of which something can be said, in order. Points are ``Valued``."""

    @abstractmethod
    def asks(self, rule: Limits, level: str, unit: str) -> str:
        """What the level asks for, such as "at least 0.85"; empty when the rule has no such level."""

    @abstractmethod
    def says(self, rule: Limits, level: str, reading: Reading, *, name: str, unit: str) -> str:
        """One sentence for an alert: what was measured and what it should have been."""

    def limit_value(self, rule: Limits, level: str, reading: Reading) -> float | None:
        """The limit that was broken, in the unit of the series; None where it is no value of the series."""
        return limit_broken(self.held(rule), reading.value, level)

    def limit_unit(self, unit: str) -> str:
        """The unit of the limits."""
        return unit


def reading_of(point: Valued, value: float, against: float | None = None) -> Reading:
    return Reading(point.time, value, n=point.n, shown=point.value, against=against)


conditions: Registry[type[Condition]] = Registry("condition of a rule")


def in_order() -> list[type[Condition]]:
    return sorted(conditions, key=lambda kind: (kind.order, kind.key))
