"""The contract of a criterion type: one file in ``gates/criteria`` adds one.

A type judges in a pure function: no query, no clock, no I/O. What it needs to know is loaded before, for
all use cases at once, by the fact loaders it names in ``needs``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from kernel.registry import Registry

P = TypeVar("P")
Facts = Mapping[str, Any]
"""Loader key -> what was loaded for one use case."""


class Outcome(StrEnum):
    """What the engine can say of one criterion. Missing, stale and error block like not met."""

    MET = "met"
    NOT_MET = "not_met"
    MISSING = "missing"
    STALE = "stale"
    WAIVED = "waived"
    NOT_APPLICABLE = "not_applicable"
    ERROR = "error"

    @property
    def passes(self) -> bool:
        return self in (Outcome.MET, Outcome.WAIVED, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold for one tier: ``observed op value``, in ``unit``."""

    measure: str
    op: str
    value: Decimal
    unit: str = ""
    low: Decimal | None = None

    def holds(self, observed: Decimal) -> bool:
        if self.low is not None and observed < self.low:
            return False
        if self.op == ">=":
            return observed >= self.value
        if self.op == "<=":
            return observed <= self.value
        return observed == self.value

    def text(self) -> str:
        words = {">=": "at least", "<=": "at most", "==": "exactly"}
        shown = f"{words[self.op]} {plain(self.value)}"
        if self.low is not None:
            shown = f"{plain(self.low)} to {plain(self.value)}"
        return with_unit(shown, self.unit)


@dataclass(frozen=True, slots=True)
class Ref:
    """A pointer to one row that a finding rests on."""

    kind: str
    id: str
    label: str
    digest: str = ""

    def plain(self) -> dict[str, str]:
        return {"kind": self.kind, "id": self.id, "label": self.label, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Ask(Generic[P]):
    """What one criterion asks of one use case: parameters, limit and validity at its tier."""

    criterion: str
    params: P
    bound: Bound | None = None
    validity_days: int | None = None
    invalidated_by: tuple[str, ...] = ()
    gate: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the engine says of one criterion, with everything a person needs to act on it."""

    outcome: Outcome
    observed: str = ""
    required: str = ""
    reason: str = ""
    evidence: tuple[Ref, ...] = field(default=())
    valid_until: datetime | None = None


class CriterionType(ABC, Generic[P]):
    """One way of judging. Register the class with ``@criterion_types.register``."""

    key: ClassVar[str]
    label: ClassVar[Any]
    passes_when: ClassVar[Any]
    """One sentence for people: what has to be true."""
    accepts: ClassVar[type]
    """The dataclass of its parameters."""
    needs: ClassVar[tuple[str, ...]]
    place: ClassVar[str]
    """Key of the use case tab where people settle it."""
    signs: ClassVar[bool] = False
    """True when it reads the sign-offs themselves, which cannot be part of what is signed."""
    needs_bound: ClassVar[bool] = False

    @abstractmethod
    def judge(self, ask: Ask[P], facts: Facts, at: datetime) -> Finding: ...

    @abstractmethod
    def remedy(self, ask: Ask[P]) -> str:
        """What a person can do to make it pass, in words."""


criterion_types: Registry[type[CriterionType[Any]]] = Registry("criterion type")


def met(ask: Ask[Any], *, observed: str, reason: str, **more: Any) -> Finding:
    return Finding(Outcome.MET, observed, more.pop("required", _required(ask)), reason, **more)


def not_met(ask: Ask[Any], *, observed: str, reason: str, **more: Any) -> Finding:
    return Finding(Outcome.NOT_MET, observed, more.pop("required", _required(ask)), reason, **more)


def missing(ask: Ask[Any], *, reason: str, **more: Any) -> Finding:
    return Finding(Outcome.MISSING, more.pop("observed", ""), more.pop("required", _required(ask)), reason, **more)


def error(ask: Ask[Any], *, reason: str) -> Finding:
    return Finding(Outcome.ERROR, "", _required(ask), reason)


def aged(ask: Ask[Any], finding: Finding, facts: Facts, as_of: datetime, at: datetime, *, what: str) -> Finding:
    """``finding`` with its expiry, or *stale* when ``as_of`` is too old or a later change voided it.

    ``as_of`` is when the evidence came to be. Only something that would pass can be stale: what is not met
    stays not met, which says more.
    """
    until = as_of + timedelta(days=ask.validity_days) if ask.validity_days else None
    if finding.valid_until is not None:
        until = min(until, finding.valid_until) if until else finding.valid_until
    if finding.outcome is not Outcome.MET:
        return finding
    change = latest_change(ask, facts, at)
    if change is not None and change[1] > as_of:
        reason = f"{what} is from {day(as_of)}; since then this changed: {change[0]} ({day(change[1])})."
        return Finding(Outcome.STALE, finding.observed, finding.required, reason, finding.evidence, change[1])
    if until is not None and until <= at:
        reason = f"{what} is from {day(as_of)} and was valid until {day(until)}."
        return Finding(Outcome.STALE, finding.observed, finding.required, reason, finding.evidence, until)
    return Finding(finding.outcome, finding.observed, finding.required, finding.reason, finding.evidence, until)


def latest_change(ask: Ask[Any], facts: Facts, at: datetime) -> tuple[str, datetime] | None:
    """The newest change, up to ``at``, that voids evidence for this criterion: (word, when)."""
    changes = facts.get("changes") or {}
    found = [(word, changes[word]) for word in ask.invalidated_by if word in changes and changes[word] <= at]
    return max(found, key=lambda pair: pair[1]) if found else None


def plain(value: Decimal | int | None) -> str:
    """A number as people read it: no exponent, no trailing zeros."""
    if value is None:
        return "–"
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


UNSPOKEN = frozenset({"", "count", "index", "ratio", "0-1", "score", "target unit"})
"""Units that say nothing beside their number."""


def with_unit(text: str, unit: str) -> str:
    return text if unit in ("", "count", "index", "ratio") else f"{text} {unit}"


def day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def listed(words: Any) -> str:
    """ "a, b and c" from keys with underscores."""
    shown = [str(word).replace("_", " ") for word in words]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def _required(ask: Ask[Any]) -> str:
    return ask.bound.text() if ask.bound else ""
