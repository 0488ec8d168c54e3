"""A profile: the columns of one set of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from monitoring.profiles.columns import Categories, Column, Numbers, merged
from monitoring.profiles.errors import SchemaMismatch
from monitoring.profiles.frame import ColumnFrame, Frame, Kind


@dataclass(frozen=True)
class Profile:
    """Columns by name. ``unframed`` are columns of the data that the frame does not know."""

    rows: int
    columns: Mapping[str, Column]
    unframed: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    """Columns of the frame that were not in the data."""

    @cached_property
    def frame(self) -> Frame:
        """The frame it was counted in, of the columns that were there."""
        return Frame.of(column.frame for column in self.columns.values())

    def as_reference(self) -> Frame:
        """The frame for whatever is compared with this profile: its lattices, and the values that it knows."""
        return Frame.of(_for_others(column) for column in self.columns.values())

    def merged(self, other: Profile) -> Profile:
        """Both sets of rows as one, exactly and in any order. Raises ``SchemaMismatch`` that names the column."""
        lonely = sorted(set(self.columns) ^ set(other.columns))
        if lonely:
            raise SchemaMismatch("only one of the profiles has this column", lonely[0])
        return Profile(
            rows=self.rows + other.rows,
            columns={name: merged(column, other.columns[name]) for name, column in self.columns.items()},
            unframed=self.unframed | other.unframed,
            missing=self.missing | other.missing,
        )


def merge_all(profiles: Iterable[Profile]) -> Profile:
    """At least one profile."""
    found = iter(profiles)
    whole = next(found)
    for profile in found:
        whole = whole.merged(profile)
    return whole


def _for_others(column: Column) -> ColumnFrame:
    if isinstance(column, Numbers):
        return column.frame
    assert isinstance(column, Categories)
    values = frozenset(column.counts)
    if column.frame.kind is Kind.FLAG:
        values |= {"true", "false"}
    return ColumnFrame(column.frame.name, column.frame.kind, None, values)
