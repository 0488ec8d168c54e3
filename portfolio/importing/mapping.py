"""One row by one profile: values for fields, declarations for higher apps, and what is wrong. No database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from django.utils.text import slugify

from kernel.canonical import digest
from portfolio.importing.cells import Reading, read_cell
from portfolio.importing.problems import BrokenFile, Problem
from portfolio.importing.profile import By, Profile, Rule, Value
from portfolio.importing.sink import Declared
from portfolio.importing.table import HEADER_ROW, SourceRow, Table

GUARDED = frozenset("=+-@\t\r\n")
"""What ``kernel.exports`` puts an apostrophe before."""
PROGRESS_EVERY = 250


@dataclass(slots=True)
class MappedRow:
    """What one row says. ``values`` holds only fields whose columns the file has."""

    number: int
    data: dict[str, str]
    """Column -> cell, exactly as in the file, without the blank ones."""
    digest: str
    """Of the whole row; space around a cell and the kind of line break make no difference."""
    identity: str
    """Digest of the identifying columns, the same for rows that name the same thing."""
    key: str
    unit_code: str
    unit_name: str
    values: dict[str, Value]
    declared: dict[str, dict[str, Declared]]
    problems: list[Problem] = field(default_factory=list)


def map_table(profile: Profile, table: Table, progress: Callable[[int], object] = lambda done: None) -> list[MappedRow]:
    """Every row mapped. ``BrokenFile`` if a column that the profile needs is missing, or a value in such a column."""
    columns = Columns(profile, table.columns)
    rows: list[MappedRow] = []
    broken: list[Problem] = []
    for done, row in enumerate(table.rows, start=1):
        rows.append(_map_row(profile, columns, table, row, broken))
        if done % PROGRESS_EVERY == 0:
            progress(done)
    if broken:
        first = broken[0]
        more = f" and {len(broken) - 1} more such rows" if len(broken) > 1 else ""
        raise BrokenFile(f"Row {first.row}, {first.column}: {first.message}{more}.", problems=broken)
    if rows:
        rows[0].problems[:0] = columns.missing
    return rows


class Columns:
    """Where each column that the profile speaks of stands in this file."""

    def __init__(self, profile: Profile, header: Sequence[str]) -> None:
        self._fold = profile.words.fold
        self._header = header
        self._unguard = profile.unguard
        self._places: dict[str, int] = {}
        for place, label in enumerate(header):
            self._places.setdefault(self._fold(label), place)
        needed = {profile.unit.code.column, *profile.identity, *profile.required}
        needed |= {rule.column for rules in profile.fields.values() for rule in rules if rule.required}
        needed |= {profile.key.column} if profile.key and profile.by is By.KEY else set()
        lacking = sorted(name for name in needed if name and not self.has(name))
        if lacking:
            raise BrokenFile(
                f"Row 1 lacks {'the column' if len(lacking) == 1 else 'the columns'} "
                f"{', '.join(f'“{name}”' for name in lacking)}, which the profile {profile.name} needs.",
                hint="Choose the profile that the file was made for.",
            )
        self.missing = self._missing(profile)

    def has(self, column: str) -> bool:
        return self._fold(column) in self._places

    def cell(self, row: SourceRow, column: str) -> str:
        """The cell under a column; nothing, if the file lacks it."""
        place = self._places.get(self._fold(column))
        if place is None:
            return ""
        cell = row.cells[place]
        return cell[1:] if self._unguard and cell[:1] == "'" and cell[1:2] in GUARDED else cell

    def label(self, column: str) -> str:
        """A column as the file spells it."""
        place = self._places.get(self._fold(column))
        return column if place is None else self._header[place]

    def _missing(self, profile: Profile) -> list[Problem]:
        rules = chain(
            chain.from_iterable(profile.fields.values()),
            (each.rule for section in profile.declarations.values() for each in section),
            profile.checks,
        )
        names = dict.fromkeys(rule.column for rule in rules if rule.column and not self.has(rule.column))
        return [Problem(HEADER_ROW, name, "the file lacks this column: nothing was taken from it") for name in names]


def _map_row(profile: Profile, columns: Columns, table: Table, row: SourceRow, broken: list[Problem]) -> MappedRow:
    data = table.named(row)
    tidy = {label: text for label, cell in data.items() if (text := cell.replace("\r\n", "\n").strip())}
    reading = Reading(profile, row.number, columns.label)
    fixed = _fixed(profile, columns, row, broken, reading)
    return MappedRow(
        number=row.number,
        data=data,
        digest=digest(tidy),
        identity=_identity(profile, [columns.cell(row, name) for name in profile.identity] or [fixed["key"]]),
        key=fixed["key"],
        unit_code=fixed["unit"],
        unit_name=fixed["unit_name"] or fixed["unit_label"],
        values=_values(profile, columns, row, broken, reading),
        declared=_declared(profile, columns, row, reading),
        problems=_checked(profile, columns, row, reading),
    )


def _fixed(
    profile: Profile, columns: Columns, row: SourceRow, broken: list[Problem], reading: Reading
) -> dict[str, str]:
    """What decides where the row belongs."""
    unit = _text(profile.unit.code, columns, row, broken, reading)
    code = slugify(unit)[:50]
    if unit and not code:
        broken.append(Problem(row.number, profile.unit.code.column, "no unit code can be made of this"))
    key = _text(profile.key, columns, row, broken, reading) if profile.key else ""
    if key and (slugify(key) != key.lower() or len(key) > 40):
        said = "a key has letters, digits and dashes, 40 at most"
        broken.append(Problem(row.number, profile.key.column if profile.key else "", said))
    name = profile.unit.name
    return {
        "unit": code,
        "unit_label": unit,
        "unit_name": _text(name, columns, row, broken, reading) if name else "",
        "key": key,
    }


def _text(rule: Rule, columns: Columns, row: SourceRow, broken: list[Problem], reading: Reading) -> str:
    value = _stated(rule, columns, row, broken, reading)
    return value if isinstance(value, str) else ""


def _values(
    profile: Profile, columns: Columns, row: SourceRow, broken: list[Problem], reading: Reading
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, rules in profile.fields.items():
        usable = [rule for rule in rules if not rule.column or columns.has(rule.column)]
        if not usable:
            continue
        values[name] = None
        for rule in usable:
            if not all(str(values.get(other)) in allowed for other, allowed in rule.when.items()):
                continue
            values[name] = _stated(rule, columns, row, broken, reading)
            if values[name] is not None:
                break
    return values


def _stated(rule: Rule, columns: Columns, row: SourceRow, broken: list[Problem], reading: Reading) -> Value:
    if not rule.column:
        return rule.constant
    value = read_cell(rule, columns.cell(row, rule.column), reading)
    if rule.required and value in (None, "", ()):
        broken.append(Problem(row.number, rule.column, "this is needed, and it is empty or not known"))
    return value


def _declared(profile: Profile, columns: Columns, row: SourceRow, reading: Reading) -> dict[str, dict[str, Declared]]:
    found: dict[str, dict[str, Declared]] = {}
    for section, entries in profile.declarations.items():
        answers = found[section] = {}
        for entry in entries:
            cell = columns.cell(row, entry.rule.column)
            answer = read_cell(entry.rule, cell, reading)
            if isinstance(answer, str):
                answers[entry.target] = Declared(answer, cell.replace("\r\n", "\n").strip())
    return found


def _checked(profile: Profile, columns: Columns, row: SourceRow, reading: Reading) -> list[Problem]:
    for rule in profile.checks:
        read_cell(rule, columns.cell(row, rule.column), reading)
    # A column that two rules read is reported once.
    return list(dict.fromkeys(reading.problems))


def _identity(profile: Profile, cells: Sequence[str]) -> str:
    text = json.dumps([profile.words.fold(cell) for cell in cells], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def identity_of(profile: Profile, data: Mapping[str, str]) -> str:
    """The identity of a row that was imported before, from the cells that were kept with it."""
    folded: dict[str, str] = {}
    for label, cell in data.items():
        folded.setdefault(profile.words.fold(label), cell)
    return _identity(profile, [folded.get(profile.words.fold(name), "") for name in profile.identity])
