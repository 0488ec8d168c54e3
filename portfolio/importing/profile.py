"""What a profile says: which column becomes which field, in which words, and what does not become anything.

The YAML that it is written in is described in docs/import-profiles.md and read by ``profile_format``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final

Value = str | bool | tuple[str, ...] | None
"""What a field is given. None: nothing is stated. A date is ISO text here, so that a value is always JSON."""


class Kind(StrEnum):
    TEXT = "text"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LIST = "list"
    DATE = "date"


class By(StrEnum):
    """How a row finds the use case that it came as before."""

    SOURCE = "source"
    """By the row itself: the profile's identifying columns and what else is the same."""
    KEY = "key"
    """By the key of the use case, whoever opened it."""


class Unknown(StrEnum):
    """What happens to a value that the map does not know and that no ``unknown`` value stands in for."""

    REPORT = "report"
    IGNORE = "ignore"


class NotGiven:
    """Told apart from None, which a profile may mean."""

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven()


_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "´": "'"})
_DASHES = str.maketrans(dict.fromkeys("–—‐‑", "-"))
_NUMBERING = re.compile(r"^\s*\(?[a-zA-Z0-9]\)\s*")
_SPACES = re.compile(r"\s+")
RULES: Mapping[str, Callable[[str], str]] = {
    "numbering": lambda text: _NUMBERING.sub("", text),
    "quotes": lambda text: text.translate(_QUOTES),
    "dashes": lambda text: text.translate(_DASHES),
    "collapse": lambda text: _SPACES.sub(" ", text),
    "trim": lambda text: text.strip(),
    "final_stop": lambda text: text.rstrip(".").rstrip(),
    "casefold": str.casefold,
}


@dataclass(frozen=True, slots=True)
class Words:
    """When two texts count as the same: the rules that the profile names, in the order of ``RULES``."""

    rules: frozenset[str]

    def fold(self, text: str) -> str:
        return _folded(text, self.rules)


@lru_cache(maxsize=50_000)
def _folded(text: str, rules: frozenset[str]) -> str:
    for name, change in RULES.items():
        if name in rules:
            text = change(text)
    return text


@dataclass(frozen=True, slots=True)
class Dates:
    """How days are written, and which are believable."""

    formats: tuple[str, ...] = ("%Y-%m-%d",)
    earliest: date = date(1970, 1, 1)
    latest: date = date(2100, 12, 31)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one column becomes one value. Keys of ``map`` and ``empty_words`` are folded already."""

    kind: Kind
    column: str = ""
    """Empty: the value is ``constant``, whatever the row says."""
    constant: Value = None
    choices: Mapping[str, str] = field(default_factory=dict)
    """Of a choice without a map: folded value or label -> value."""
    map: Mapping[str, Value] | None = None
    default: Value | NotGiven = NOT_GIVEN
    """Taken for an empty cell, silently."""
    empty: Value | NotGiven = NOT_GIVEN
    """Taken for an empty cell, and reported."""
    unknown: Value | NotGiven = NOT_GIVEN
    """Taken for a value that is not known; that it is not known is reported in any case."""
    on_unknown: Unknown = Unknown.REPORT
    empty_words: frozenset[str] | None = None
    """What counts as empty here, instead of the profile's own list."""
    split: tuple[str, ...] = ()
    """The cell lists several values, divided by any of these (or is a JSON list)."""
    prefer: tuple[str, ...] = ()
    """Of several values, the first of these that is among them."""
    when: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Only if each of these fields of the row has one of these values."""
    required: bool = False
    shorten: bool = False
    """A text that is too long for its field is cut, and that is reported; the whole stays in the source data."""
    max_length: int | None = None
    one_line: bool = False


@dataclass(frozen=True, slots=True)
class Declaration:
    """A column that declares something for a higher app: ``target`` is, say, the identifier of a practice."""

    target: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class UnitRule:
    """Which business unit a row belongs to: by code, made from the name if there is none yet and that is allowed."""

    code: Rule
    name: Rule | None = None
    create: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    title: str
    description: str
    file: str
    by: By
    identity: tuple[str, ...]
    key: Rule | None
    """Where the use case's key stands, if the file has it."""
    unit: UnitRule
    root_code: str
    root_name: str
    fields: Mapping[str, tuple[Rule, ...]]
    """Field -> rules to try in turn; the first that states a value wins."""
    checks: tuple[Rule, ...]
    """Columns that become no field but are checked and reported all the same."""
    declarations: Mapping[str, tuple[Declaration, ...]]
    """Section (the key of a sink) -> what is declared for it."""
    required: tuple[str, ...]
    kept: frozenset[str]
    """Fields that a use case which is there already keeps, whatever the file says."""
    words: Words
    empty_words: frozenset[str]
    dates: Dates
    encodings: tuple[str, ...] = ("cp1252",)
    delimiters: tuple[str, ...] = ()
    sheet: str = ""
    unguard: bool = False
    """Cells were guarded against spreadsheets that run formulas: the apostrophe before them is no part of the value."""

    @property
    def columns(self) -> frozenset[str]:
        """Every column that the profile speaks of, folded."""
        rules = [rule for each in self.fields.values() for rule in each]
        rules += [*self.checks, *(each.rule for section in self.declarations.values() for each in section)]
        rules += [self.unit.code, *([self.unit.name] if self.unit.name else []), *([self.key] if self.key else [])]
        named = {rule.column for rule in rules if rule.column} | {*self.identity, *self.required}
        return frozenset(self.words.fold(column) for column in named)

    def fits(self, header: Sequence[str]) -> int:
        """How many names of a header the profile knows."""
        return len(self.columns & {self.words.fold(name) for name in header})
