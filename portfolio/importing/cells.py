"""One cell by one rule: the value that it states, or None; what is not known is reported, never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache

from portfolio.importing.problems import Problem, quoted
from portfolio.importing.profile import Dates, Kind, NotGiven, Profile, Rule, Unknown, Value

TRUE = frozenset({"yes", "y", "true", "1"})
FALSE = frozenset({"no", "n", "false", "0"})
LIST_MARKS = (";", "\n")
_EXCEL_EPOCH = date(1899, 12, 30).toordinal()


@dataclass(slots=True)
class Reading:
    """The row being read, and what was found wrong in it so far."""

    profile: Profile
    row: int
    label: Callable[[str], str] = str
    """A column as the file itself spells it."""
    problems: list[Problem] = field(default_factory=list)

    def report(self, rule: Rule, message: str) -> None:
        self.problems.append(Problem(self.row, self.label(rule.column), message))


class NotKnown(Exception):
    """The text is no value of its kind; the message says why."""


def read_cell(rule: Rule, cell: str, reading: Reading) -> Value:
    """What the cell states under the rule. An empty cell and an unknown value state nothing, or what the rule says."""
    text = cell.strip()
    folded = reading.profile.words.fold(text)
    empty = reading.profile.empty_words if rule.empty_words is None else rule.empty_words
    if not text or folded in empty:
        return _empty(rule, reading)
    if rule.split:
        return _several(rule, text, reading)
    try:
        return _one(rule, text, folded, reading)
    except NotKnown as why:
        return _unknown(rule, str(why), reading)


def _empty(rule: Rule, reading: Reading) -> Value:
    if not isinstance(rule.empty, NotGiven):
        reading.report(rule, f"this is empty: taken as {_spelled(rule.empty)}, as the profile says")
        return rule.empty
    return None if isinstance(rule.default, NotGiven) else rule.default


def _unknown(rule: Rule, why: str, reading: Reading) -> Value:
    if not isinstance(rule.unknown, NotGiven):
        reading.report(rule, f"{why}: taken as {_spelled(rule.unknown)}, as the profile says")
        return rule.unknown
    if rule.on_unknown is Unknown.REPORT:
        reading.report(rule, f"{why}; nothing was taken from it")
    return None


def _one(rule: Rule, text: str, folded: str, reading: Reading) -> Value:
    if rule.map is not None:
        if folded in rule.map:
            return rule.map[folded]
        raise NotKnown(f"{quoted(text)} is not known to the profile")
    match rule.kind:
        case Kind.BOOLEAN:
            return _truth(text)
        case Kind.CHOICE:
            if folded in rule.choices:
                return rule.choices[folded]
            raise NotKnown(f"{quoted(text)} is none of: {', '.join(sorted(set(rule.choices.values())))}")
        case Kind.DATE:
            return _day(text, reading.profile.dates)
        case Kind.LIST:
            return tuple(dict.fromkeys(_parts(text, LIST_MARKS)))
    return _text(rule, text, reading)


def _several(rule: Rule, text: str, reading: Reading) -> Value:
    """Of the values that a cell lists, the one that the rule prefers; for a list field, all of them."""
    found: list[Value] = []
    for part in _parts(text, rule.split):
        folded = reading.profile.words.fold(part)
        try:
            found.append(_one(rule, part, folded, reading))
        except NotKnown as why:
            found.append(_unknown(rule, str(why), reading))
    stated = [value for value in found if value is not None]
    if rule.kind is Kind.LIST:
        return tuple(dict.fromkeys(item for value in stated for item in (value if isinstance(value, tuple) else ())))
    return next((value for value in rule.prefer if value in stated), stated[0] if stated else None)


def _parts(text: str, marks: Sequence[str]) -> list[str]:
    """The items of a JSON list of texts, or of a text divided by the marks."""
    if text.startswith("[") and text.endswith("]"):
        try:
            items = json.loads(text)
        except ValueError:
            items = None
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            return [item.strip() for item in items if item.strip()]
    for mark in marks[1:]:
        text = text.replace(mark, marks[0])
    return [part.strip() for part in text.split(marks[0]) if part.strip()]


def _truth(text: str) -> bool:
    if text.casefold() in TRUE:
        return True
    if text.casefold() in FALSE:
        return False
    raise NotKnown(f"{quoted(text)} is neither yes nor no")


def _text(rule: Rule, text: str, reading: Reading) -> str:
    said = " ".join(text.split()) if rule.one_line else text.replace("\r\n", "\n")
    if rule.max_length is None or len(said) <= rule.max_length:
        return said
    if not rule.shorten:
        raise NotKnown(f"{quoted(said)} has {len(said)} characters, more than the {rule.max_length} there is room for")
    reading.report(rule, f"shortened from {len(said)} to {rule.max_length} characters; the whole is in the source data")
    return said[: rule.max_length - 1].rstrip() + "…"


def _day(text: str, dates: Dates) -> str:
    day = _parsed(text, dates.formats)
    if day is None:
        raise NotKnown(f"{quoted(text)} is no date that the profile knows")
    if day < dates.earliest:
        serial = day.toordinal() - _EXCEL_EPOCH
        guess = f"; a spreadsheet shows the year {serial} as this day when it takes it for a day count"
        hint = guess if dates.earliest.year <= serial <= dates.latest.year else ""
        raise NotKnown(f"{quoted(text)} is implausible, before {dates.earliest.isoformat()}{hint}")
    if day > dates.latest:
        raise NotKnown(f"{quoted(text)} is implausible, after {dates.latest.isoformat()}")
    return day.isoformat()


@lru_cache(maxsize=20_000)
def _parsed(text: str, formats: tuple[str, ...]) -> date | None:
    for shape in formats:
        try:
            return datetime.strptime(text, shape).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _spelled(value: Value) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(value)
    return f"“{value}”"
