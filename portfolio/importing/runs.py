"""The whole way from bytes to a plan, as the command, the browser and the API all go it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from portfolio.importing.applying import Actor, import_rows
from portfolio.importing.mapping import MappedRow, map_table
from portfolio.importing.plan import Plan
from portfolio.importing.planning import make_plan
from portfolio.importing.profile import Profile
from portfolio.importing.reading import read_table
from portfolio.importing.table import Table


@dataclass(frozen=True, slots=True)
class Read:
    """A file that was read and mapped, before the database was asked anything."""

    profile: Profile
    table: Table
    rows: Sequence[MappedRow]


def read_inventory(content: bytes, profile: Profile, progress: Callable[[int], object] = lambda done: None) -> Read:
    """Raises ``BrokenFile``, and nothing has changed then."""
    table = read_table(
        content,
        encodings=profile.encodings,
        delimiters=profile.delimiters,
        sheet=profile.sheet,
        fits=profile.fits,
    )
    return Read(profile, table, map_table(profile, table, progress))


def preview(read: Read) -> Plan:
    """What importing would do now. Nothing is written."""
    return make_plan(read.profile, read.rows)


def carry_out(read: Read, *, by: Actor, note: str = "", check: Callable[[Plan], object] | None = None) -> Plan:
    """Import it: all of it, in one transaction, or nothing."""
    return import_rows(read.profile, read.rows, by=by, note=note, check=check)
