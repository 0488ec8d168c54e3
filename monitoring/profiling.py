"""Making a profile and, from it, a drift report: lease, scan, store, with nothing half done wherever a worker dies.

The scan runs outside any transaction. Profile, report, its points and the end of the lease are one transaction, which
first makes sure that the lease is still ours (``monitoring.leasing``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
from celery.exceptions import SoftTimeLimitExceeded
from django.utils.translation import gettext as _

from kernel.database import lock_rows
from ledger import SYSTEM, UnitOfWork, state, unit_of_work
from monitoring import reporting
from monitoring.connector import ConnectorError
from monitoring.connectors import sql as databases
from monitoring.leasing import MOST_ATTEMPTS, Lost, claim, claimable, held, teller
from monitoring.models import DataProfile
from monitoring.profiles import Frame, Kind, Profile, ProfileError, files, sql, wire
from monitoring.pulling import secret_of
from monitoring.roots import found, one

log = logging.getLogger(__name__)

MOST_FILES = 1000
MOST_BYTES = 200 * 1024**3
MEMORY = "512MB"
"""Of DuckDB."""
DUCKDB = (".duckdb", ".ddb")
DUCKDB_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "memory_limit": MEMORY,
    "threads": "1",
    "lock_configuration": "true",
}
"""It may open the one file and nothing else."""
MADE = ("use_case", "version", "purpose", "name", "state", "rows", "columns", "sha256", "in_force", "reference")
_NAMES = "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {rows})"


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows that lie in a database, and what it takes to ask for them."""

    run: sql.Run
    rows: str
    kinds: dict[str, Kind | None]
    dialect: sql.Dialect


def owed(now: datetime) -> list[UUID]:
    """Profiles that wait for a worker, or whose worker was lost."""
    return list(claimable(DataProfile.objects.all(), now).order_by("created_at").values_list("pk", flat=True)[:100])


def make(profile_id: UUID) -> list[int]:
    """Make one profile, and its report if it has a reference; returns the series to judge."""
    lease = claim(DataProfile.objects.defer("body"), profile_id)
    if lease is None:
        return []
    profile = DataProfile.objects.select_related("use_case__unit", "reference", "source", "version").get(pk=profile_id)
    if profile.attempts > MOST_ATTEMPTS:
        _fail(profile_id, lease, _("The worker was lost each time it was tried; the data may be too large for it."))
        return []
    try:
        with explained():
            counted = _counted(profile, teller(DataProfile.objects.all(), profile_id, lease))
        return _store(profile_id, lease, counted)
    except Lost:
        return []
    except ConnectorError as error:
        _fail(profile_id, lease, error.message)
        return []


def finish(uow: UnitOfWork, profile: DataProfile, counted: Profile) -> list[int]:
    """Keep what was counted: a reference comes into force, anything else is compared. Returns the series to judge."""
    profile.end(DataProfile.ProfileState.DONE)
    profile.progress = 100
    hold(profile, counted)
    if profile.purpose == DataProfile.Purpose.REFERENCE:
        earlier = DataProfile.objects.filter(use_case=profile.use_case, version=profile.version, in_force=True)
        for row in lock_rows(earlier):
            row.in_force = False
            row.save(update_fields=["in_force"])
            uow.record("reference.replaced", subject=row, use_case=profile.use_case, after=state(row, MADE))
        profile.in_force = True
    profile.save()
    uow.record("profile.made", subject=profile, use_case=profile.use_case, after=state(profile, MADE))
    if profile.reference is None:
        return []
    return reporting.report(uow, profile, body_of(profile.reference), counted)


def hold(profile: DataProfile, counted: Profile) -> None:
    """Put the counts into the row, which is not saved."""
    profile.rows, profile.columns = counted.rows, len(counted.columns)
    profile.sha256, profile.body = wire.digest(counted), wire.pack(counted)


def body_of(profile: DataProfile) -> Profile:
    """The profile that was stored. Raises ``ProfileError``."""
    if profile.body is None:
        raise ProfileError("the profile is not made yet")
    return wire.unpack(bytes(profile.body))


@contextmanager
def explained() -> Iterator[None]:
    """Whatever data does becomes a ``ConnectorError`` that a person can read."""
    import duckdb  # here and below: the web knows this module too, and needs neither DuckDB nor its memory

    try:
        yield
    except ProfileError as error:
        raise ConnectorError("content", _worded(error)) from None
    except SoftTimeLimitExceeded:
        raise ConnectorError("slow", _("Reading it took too long.")) from None
    except (pa.ArrowException, duckdb.Error, OSError, UnicodeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ConnectorError("content", _("The data cannot be read: %(what)s.") % {"what": first.rstrip(".")}) from None
    except MemoryError:
        raise ConnectorError("content", _("The data needs more memory than there is.")) from None


def _worded(error: ProfileError) -> str:
    if error.where:
        return _("Column %(name)s: %(what)s.") % {"name": error.where, "what": error.message}
    return _("The data cannot be profiled: %(what)s.") % {"what": error.message}


def _counted(profile: DataProfile, tell: Callable[[int, int], None]) -> Profile:
    """Rows are read here and stay here. Raises ``ConnectorError`` or ``ProfileError``."""
    if profile.origin == DataProfile.Origin.PUSHED:
        return body_of(profile)
    frame = body_of(profile.reference).as_reference() if profile.reference else None
    if profile.origin == DataProfile.Origin.SQL:
        return _from_postgresql(profile, frame, tell)
    if Path(profile.path).suffix.lower() in DUCKDB:
        return _from_duckdb(profile, frame, tell)
    paths = files_of(profile.path)
    if frame is None:
        return files.scan_reference(paths, ignored=profile.ignored, progress=tell)
    return files.scan(paths, frame, progress=tell)


def files_of(path: str) -> list[Path]:
    """The Parquet and CSV files that a path names. Raises ``ConnectorError``."""
    paths = list(found(path, files.PARQUET + files.CSV))
    if not paths:
        raise ConnectorError("content", _("There is no Parquet or CSV file in %(path)s.") % {"path": path})
    if len(paths) > MOST_FILES or sum(each.stat().st_size for each in paths) > MOST_BYTES:
        raise ConnectorError("content", _("Give at most 1,000 files and 200 GB at once."))
    return paths


def _from_duckdb(profile: DataProfile, frame: Frame | None, tell: Callable[[int, int], None]) -> Profile:
    """A table of a DuckDB file, counted by DuckDB itself, which may open that file and nothing else."""
    import duckdb

    with duckdb.connect(str(one(profile.path)), read_only=True, config=DUCKDB_CONFIG) as database:
        rows = sql.DUCKDB.name(profile.query)

        def run(text: str) -> list[Any]:
            tell(0, 0)
            return database.execute(text).fetchall()

        kinds = {str(name): _duckdb_kind(str(kind)) for name, kind in run(_NAMES.format(rows=rows))}
        return _pushed_down(_Table(run, rows, kinds, sql.DUCKDB), frame, profile.ignored)


def _from_postgresql(profile: DataProfile, frame: Frame | None, tell: Callable[[int, int], None]) -> Profile:
    """A query of a source's database, counted there in a read-only transaction."""
    source = profile.source
    if source is None:
        raise ConnectorError("content", _("Its source was deleted."))
    rows = f"({profile.query.rstrip().rstrip(';')})"
    with databases.asked(source.config, secret_of(source)) as ask:

        def run(text: str) -> list[Any]:
            tell(0, 0)
            return ask(text)[1]

        names, _rows = ask(f"SELECT * FROM {rows} t LIMIT 0")  # noqa: S608  # checked to be one SELECT, run read-only
        kinds = {name: _postgresql_kind(oid) for name, oid in names}
        return _pushed_down(_Table(run, rows, kinds, sql.POSTGRESQL), frame, profile.ignored)


def _pushed_down(table: _Table, frame: Frame | None, ignored: list[str]) -> Profile:
    run, rows, dialect = table.run, table.rows, table.dialect
    known = {name: kind for name, kind in table.kinds.items() if kind is not None}
    if not known:
        raise ProfileError("there is no column that can be counted")
    frame = frame or sql.survey(run, rows, known, dialect, ignored=ignored)
    changed = {name for name, kind in known.items() if name in frame.columns and _is_text(kind, frame, name)}
    profile = sql.scan(run, rows, frame, dialect, there=[name for name in known if name not in changed])
    # Words where numbers were: the database would refuse to cast them, and they are no numbers in any case.
    words = {name: sql.words(frame.columns[name], run, rows, dialect) for name in changed}
    return Profile(profile.rows, {**profile.columns, **words}, profile.unframed, profile.missing - changed)


def _is_text(kind: Kind, frame: Frame, name: str) -> bool:
    return frame.columns[name].kind.is_counted_in_cells and not kind.is_counted_in_cells


def _duckdb_kind(name: str) -> Kind | None:
    if name == "BOOLEAN":
        return Kind.FLAG
    if name.startswith(("TIMESTAMP", "DATE")):
        return Kind.TIME
    if name.startswith(("DECIMAL", "FLOAT", "DOUBLE", "REAL")) or name.endswith(("INT", "INTEGER")):
        return Kind.NUMBER
    return Kind.CATEGORY if name.startswith(("VARCHAR", "ENUM", "UUID")) else None


def _postgresql_kind(oid: int) -> Kind | None:
    """By the type's number, as pg_type.dat lists them."""
    known = {16: Kind.FLAG, 1082: Kind.TIME, 1114: Kind.TIME, 1184: Kind.TIME}
    known |= dict.fromkeys((20, 21, 23, 700, 701, 1700), Kind.NUMBER)
    known |= dict.fromkeys((25, 1042, 1043, 2950, 18), Kind.CATEGORY)
    return known.get(oid)


def _store(profile_id: UUID, lease: UUID, counted: Profile) -> list[int]:
    try:
        with explained(), unit_of_work(by=SYSTEM) as uow:
            return finish(uow, _held(profile_id, lease), counted)
    except ConnectorError as error:
        _fail(profile_id, lease, error.message)
        return []


def _fail(profile_id: UUID, lease: UUID, said: str) -> None:
    try:
        with unit_of_work(by=SYSTEM) as uow:
            profile = _held(profile_id, lease)
            profile.end(DataProfile.ProfileState.FAILED, said)
            profile.save(update_fields=DataProfile.ENDS)
            uow.record(
                "profile.failed", subject=profile, use_case=profile.use_case, after=state(profile, MADE), note=said
            )
    except Lost:
        log.info("profile %s was taken from its worker", profile_id)


def _held(profile_id: UUID, lease: UUID) -> DataProfile:
    return held(DataProfile.objects.select_related("use_case__unit", "reference", "version"), profile_id, lease)
