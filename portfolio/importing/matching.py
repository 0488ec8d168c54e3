"""Which use case a row came as before: found again although it was corrected, moved, or stands among its like.

The rule, in this order, each use case and each row being paired once:

1. the whole row is the same (its digest);
2. the identifying columns are the same; of several such rows, those go together that have most cells in common, and
   where that does not decide, those that come first in the file;
3. everything but the identifying columns and the unit is the same, and on both sides there is just one like it: it was
   renamed or moved.

What is left of the rows is new. What is left of the use cases is not in the file; they stay as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from portfolio.importing.mapping import MappedRow, identity_of
from portfolio.importing.profile import Profile
from portfolio.models import UseCase

MAX_COMPARISONS = 250_000
MIN_REST = 3
"""Fewer filled cells than this beside the identifying ones tell nothing."""

NO_SIGN = ""
"""Of what has nothing to be recognised by."""

T = TypeVar("T")
Pairs = dict[int, UseCase]
"""Row number -> the use case that it came as."""


def without_repeats(rows: Iterable[MappedRow]) -> tuple[list[MappedRow], dict[int, int]]:
    """The rows that are not an exact repeat of an earlier one, and row number -> number of the row it repeats."""
    first: dict[str, int] = {}
    kept: list[MappedRow] = []
    repeats: dict[int, int] = {}
    for row in rows:
        if row.digest in first:
            repeats[row.number] = first[row.digest]
        else:
            first[row.digest] = row.number
            kept.append(row)
    return kept, repeats


def pair(profile: Profile, rows: Iterable[MappedRow], known: Iterable[UseCase]) -> Pairs:
    """The use cases that the rows came as before."""
    left = _Left([*rows], sorted(known, key=lambda each: (each.source_row or 0, each.source_key)))
    left.join_one_to_one(lambda row: row.digest, lambda each: each.source_digest)
    if left.rows and left.known:
        identities = {each.pk: identity_of(profile, each.source_data) for each in left.known}
        left.join_alike(lambda row: row.identity, lambda each: identities[each.pk])
        identifying = _identifying(profile)
        left.join_one_to_one(
            lambda row: _rest(profile, row.data, identifying),
            lambda each: _rest(profile, each.source_data, identifying),
        )
    return left.pairs


@dataclass
class _Left:
    """Rows and use cases that are not paired yet, each in the order of the file."""

    rows: list[MappedRow]
    known: list[UseCase]

    def __post_init__(self) -> None:
        self.pairs: Pairs = {}

    def join_one_to_one(self, of_row: Callable[[MappedRow], Hashable], of_known: Callable[[UseCase], Hashable]) -> None:
        """Pair what is the same and has nothing else like it on either side."""
        rows, known = _grouped(self.rows, of_row), _grouped(self.known, of_known)
        for sign, members in rows.items():
            others = known.get(sign, [])
            if sign != NO_SIGN and len(members) == 1 and len(others) == 1:
                self.pairs[members[0].number] = others[0]
        self._drop_paired()

    def join_alike(self, of_row: Callable[[MappedRow], Hashable], of_known: Callable[[UseCase], Hashable]) -> None:
        """Pair within each group of the same identity, the most alike first."""
        rows, known = _grouped(self.rows, of_row), _grouped(self.known, of_known)
        for sign, members in rows.items():
            self._join_group(members, known.get(sign, []))
        self._drop_paired()

    def _join_group(self, rows: list[MappedRow], known: list[UseCase]) -> None:
        if len(rows) * len(known) > MAX_COMPARISONS:
            self.pairs.update({row.number: each for row, each in zip(rows, known, strict=False)})
            return
        ranked = sorted(
            (-_in_common(row.data, each.source_data), at, there)
            for at, row in enumerate(rows)
            for there, each in enumerate(known)
        )
        taken_rows: set[int] = set()
        taken_known: set[int] = set()
        for _merit, at, there in ranked:
            if at not in taken_rows and there not in taken_known:
                taken_rows.add(at)
                taken_known.add(there)
                self.pairs[rows[at].number] = known[there]

    def _drop_paired(self) -> None:
        taken = {each.pk for each in self.pairs.values()}
        self.rows = [row for row in self.rows if row.number not in self.pairs]
        self.known = [each for each in self.known if each.pk not in taken]


def _grouped(items: Iterable[T], sign: Callable[[T], Hashable]) -> dict[Hashable, list[T]]:
    groups: dict[Hashable, list[T]] = defaultdict(list)
    for item in items:
        groups[sign(item)].append(item)
    return groups


def _in_common(one: Mapping[str, str], other: Mapping[str, str]) -> int:
    return sum(other.get(label) == cell for label, cell in one.items())


def _identifying(profile: Profile) -> set[str]:
    """Columns that say what and where a row is: those of its identity, and the name of its unit, which goes with it."""
    unit_name = profile.unit.name.column if profile.unit.name else ""
    return {profile.words.fold(name) for name in (*profile.identity, profile.unit.code.column, unit_name)}


def _rest(profile: Profile, data: Mapping[str, str], identifying: set[str]) -> str:
    """A digest of the cells that do not identify; empty if there is too little of them to tell rows apart."""
    cells = {label: cell.strip() for label, cell in data.items() if profile.words.fold(label) not in identifying}
    filled = sorted((label, cell) for label, cell in cells.items() if cell)
    if len(filled) < MIN_REST:
        return ""
    return hashlib.sha256(json.dumps(filled, ensure_ascii=False).encode()).hexdigest()
