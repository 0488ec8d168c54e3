"""The bulk path into the points table, past the ORM, inside the unit of work of whoever brings the points.

A point is named by series, time and step. A new one is revision 0. The same value again changes nothing. Another value
becomes the next revision and overwrites nothing: a decision may have used the earlier one.

Two batches may meet. Revision 0 is inserted in the order of the keys, so that they cannot wait for each other in a
circle; whoever comes second sees the first one's rows after its commit. Later revisions are written only under the
locks of their series.

Looking for a conflict at every row costs PostgreSQL as much again as the row. Nearly all batches bring times between
which their series have nothing yet: that is asked once a series, and then the rows are inserted as they are. If another
batch with the same points was under way at that moment, the unique key refuses, and they are inserted row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import IntegrityError, connection

from accounts.models import User
from kernel.database import insertion, is_postgresql
from ledger import UnitOfWork, state
from monitoring.models import IngestBatch, Source
from monitoring.newest import Ends, Row, ends_of, locked, touch
from monitoring.selectors.points import stored_time

RECEIVED = "points.received"


class Home(NamedTuple):
    """The use case that series belong to, for the audit entry."""

    use_case_id: UUID
    unit_path: str


@dataclass(slots=True)
class Stored:
    """What became of the points. ``to_judge`` are the series whose rules are to be judged soon."""

    received: int = 0
    inserted: int = 0
    revised: int = 0
    to_judge: list[int] = field(default_factory=list)
    batches: list[UUID] = field(default_factory=list)

    @property
    def stored(self) -> int:
        return self.inserted + self.revised

    @property
    def unchanged(self) -> int:
        return self.received - self.stored

    def add(self, other: Stored) -> None:
        self.received += other.received
        self.inserted += other.inserted
        self.revised += other.revised
        self.to_judge += other.to_judge
        self.batches += other.batches


def store(
    uow: UnitOfWork,
    rows: Sequence[Row],
    *,
    home: Home,
    digest: str,
    now: datetime,
    sent_by: User | None = None,
    source: Source | None = None,
) -> Stored:
    """Store points of existing series of one use case; record one ``points.received`` if anything changed.

    ``rows`` holds every key once (``unique`` makes it so); ``digest`` is the SHA-256 of what was sent; ``now`` is
    when the points count as received. Who stores for several use cases does so in the order of their ids.
    """
    result = Stored(received=len(rows))
    if not rows:
        return result
    uow.write_now()  # another batch of this unit may have touched the same series
    rows = sorted(rows)
    ends = ends_of(rows)
    with connection.cursor() as cursor:
        write = _Writer(cursor, rows, ends, now)
        result.inserted = write.new()
        series = locked(ends)
        if result.inserted < len(rows):
            result.revised = write.revisions()
    if result.stored:
        result.to_judge = touch(uow, series, ends, revised=bool(result.revised), now=now)
        _record(uow, result, home, IngestBatch(received_at=now, sha256=digest, sent_by=sent_by, source=source))
    return result


def unique(rows: Sequence[Row]) -> tuple[Sequence[Row], int | None]:
    """The rows with every key once, and the index of the first row that contradicts an earlier one, if any."""
    if len({(series, time, step) for series, time, step, _value, _n in rows}) == len(rows):
        return rows, None
    kept: dict[tuple[int, str, int], Row] = {}
    for index, row in enumerate(rows):
        known = kept.setdefault(row[:3], row)
        if known[3:] != row[3:]:
            return [], index
    return list(kept.values()), None


class _Writer:
    """The statements of one batch, whose rows come in the order of their keys.

    On PostgreSQL a few rows travel as values and more of them as one array a column, which costs the server less than a
    staging table up to some thousand rows, and one round trip instead of three; above that they are copied into a
    staging table, which is this connection's own and empty after each transaction. On SQLite some hundred rows share a
    statement, and a staging table is needed for revisions only.
    """

    def __init__(self, cursor: Any, rows: Sequence[Row], ends: Ends, now: datetime) -> None:
        self.cursor = cursor
        self.rows = rows
        self.ends = ends
        self.received = stored_time(now)
        self.source = ""
        self.values: list[Any] = []

    def new(self) -> int:
        """Insert what is not there yet as revision 0; returns how many."""
        if not is_postgresql():
            return self._new_on_sqlite()
        self._offer()
        if len(self.rows) >= FEW and (inserted := self._new_between_nothing()):
            return inserted
        return self._new_beside_others()

    def _new_between_nothing(self) -> int:
        """All of them if no series has any point between the times that come; else none."""
        series, spans = zip(*self.ends.items(), strict=True)
        values = [self.received, *self.values, list(series)]
        values += [
            [_with_zone(oldest) for oldest, _newest in spans],
            [_with_zone(newest[1]) for _oldest, newest in spans],
        ]
        try:
            self.cursor.execute(_INSERT_BETWEEN_NOTHING.format(rows=self.source), values)
        except IntegrityError as error:
            if getattr(error.__cause__, "pgcode", "") != UNIQUE_VIOLATION:
                raise
            self.cursor.execute("ROLLBACK TO SAVEPOINT between_nothing")
            return 0
        return int(self.cursor.rowcount)

    def _new_beside_others(self) -> int:
        self.cursor.execute(_INSERT_ALL.format(rows=self.source), [self.received, *self.values])
        return int(self.cursor.rowcount)

    def _new_on_sqlite(self) -> int:
        rows, inserted = self.rows, 0
        whole = len(rows) - len(rows) % AT_ONCE
        # Straight to the driver: Django would look for the places of all values anew each time, and a statement for
        # each row would hand the interpreter to another thread and take it back as often.
        with connection.wrap_database_errors:
            for start in range(0, whole, AT_ONCE):
                values = chain.from_iterable(rows[start : start + AT_ONCE])
                inserted += connection.connection.execute(_INSERT_MANY, (self.received, *values)).rowcount
        if whole < len(rows):
            self.cursor.executemany(_INSERT_EACH, [(*row, self.received) for row in rows[whole:]])
            inserted += self.cursor.rowcount
        return inserted

    def revisions(self) -> int:
        """Insert the next revision of what is there with another value; returns how many."""
        if is_postgresql():
            self.cursor.execute(_REVISE_POSTGRESQL.format(rows=self.source), [self.received, *self.values])
        else:
            for statement in _STAGING_SQLITE:
                self.cursor.execute(statement)
            self.cursor.executemany("INSERT INTO monitoring_staging VALUES (%s, %s, %s, %s, %s)", self.rows)
            self.cursor.execute(_REVISE_SQLITE, [self.received])
        return int(self.cursor.rowcount)

    def _offer(self) -> None:
        """Say where statements find the rows."""
        if len(self.rows) > COPY_ABOVE:
            self.cursor.execute(_STAGING_POSTGRESQL)
            # \N is COPY's null. Numbers and our own spelling of times need no escaping.
            lines = [f"{s}\t{t}+00\t{k}\t{v!r}\t{n if n is not None else _NULL}" for s, t, k, v, n in self.rows]
            self.cursor.copy_expert(_COPY, StringIO("\n".join(lines)))
            self.source = "monitoring_staging"
        elif len(self.rows) < FEW:
            self.source = _VALUES + _ONE_MORE * (len(self.rows) - 1) + ")"
            self.values = [value for s, t, k, v, n in self.rows for value in (s, _with_zone(t), k, v, n)]
        else:
            series, times, steps, values, counts = zip(*self.rows, strict=True)
            self.source = _ARRAYS
            self.values = [
                _array(series),
                f"{{{'+00,'.join(times)}+00}}",
                _array(steps),
                _array(values),
                _array(counts),
            ]


def _array(column: Sequence[float | None]) -> str:
    """A column of numbers as PostgreSQL's array: the shortest digits that read back as the same, and null."""
    return f"{{{orjson.dumps(column).decode()[1:-1]}}}"


def _with_zone(time: str) -> str:
    return f"{time}+00"


COPY_ABOVE = 5000
FEW = 20
"""Below that many rows the shortest statements are the cheapest."""
UNIQUE_VIOLATION = "23505"
AT_ONCE = 250
"""Rows of one statement on SQLite: beyond that nothing is gained, and 32,766 values are the most that it takes."""
_ARRAYS = "unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::float8[], %s::integer[])"
_VALUES = "(VALUES (%s::bigint, %s::timestamptz, %s::bigint, %s::float8, %s::integer)"
_ONE_MORE = ", (%s, %s, %s, %s, %s)"
_NULL = r"\N"
_STAGING_POSTGRESQL = """
CREATE TEMPORARY TABLE IF NOT EXISTS monitoring_staging
    (series_id bigint, time timestamptz, step bigint, value float8, n integer) ON COMMIT DELETE ROWS;
DELETE FROM monitoring_staging
"""
_STAGING_SQLITE = (
    """CREATE TEMPORARY TABLE IF NOT EXISTS monitoring_staging
    (series_id integer, time datetime, step bigint, value real, n integer)""",
    "DELETE FROM monitoring_staging",
)
_COPY = "COPY monitoring_staging (series_id, time, step, value, n) FROM STDIN"
_INSERT_ALL = """
INSERT INTO monitoring_point (series_id, time, step, revision, value, n, received_at)
SELECT series_id, time, step, 0, value, n, %s::timestamptz FROM {rows} AS s(series_id, time, step, value, n)
ON CONFLICT DO NOTHING
"""
# The savepoint ends with the transaction, which saves a round trip. LIMIT 1: else the planner, which guesses how many
# points there are in between, may choose to read the whole table.
_INSERT_BETWEEN_NOTHING = """
SAVEPOINT between_nothing;
INSERT INTO monitoring_point (series_id, time, step, revision, value, n, received_at)
SELECT series_id, time, step, 0, value, n, %s::timestamptz FROM {rows} AS s(series_id, time, step, value, n)
WHERE NOT EXISTS (
    SELECT 1 FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS b(series_id, oldest, newest)
    CROSS JOIN LATERAL (
        SELECT 1 FROM monitoring_point p
        WHERE p.series_id = b.series_id AND p.time BETWEEN b.oldest AND b.newest LIMIT 1
    ) AS between_them
)
"""
_INSERT_EACH = """
INSERT INTO monitoring_point (series_id, time, step, revision, value, n, received_at)
VALUES (%s, %s, %s, 0, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
_INSERT_MANY = f"""
INSERT INTO monitoring_point (series_id, time, step, revision, value, n, received_at)
SELECT column1, column2, column3, 0, column4, column5, ?1 FROM (VALUES {", ".join(["(?, ?, ?, ?, ?)"] * AT_ONCE)})
WHERE true ON CONFLICT DO NOTHING
"""  # noqa: S608  # constants only
# A repeat that leaves n out does not take back the n that was given before. Of each key the latest revision is looked
# up by itself: a join would have the planner guess how many rows come, and read the whole points table.
_REVISE_POSTGRESQL = """
INSERT INTO monitoring_point (series_id, time, step, revision, value, n, received_at)
SELECT s.series_id, s.time, s.step, p.revision + 1, s.value, COALESCE(s.n, p.n), %s::timestamptz
FROM {rows} AS s(series_id, time, step, value, n)
CROSS JOIN LATERAL (
    SELECT q.revision, q.value, q.n FROM monitoring_point q
    WHERE q.series_id = s.series_id AND q.time = s.time AND q.step = s.step
    ORDER BY q.revision DESC LIMIT 1
) p
WHERE p.value <> s.value OR COALESCE(s.n, p.n, -1) <> COALESCE(p.n, -1)
"""
_REVISE_SQLITE = """
INSERT INTO monitoring_point (series_id, time, step, revision, value, n, received_at)
SELECT s.series_id, s.time, s.step, p.revision + 1, s.value, COALESCE(s.n, p.n), %s
FROM monitoring_staging s
JOIN monitoring_point p ON p.rowid = (
    SELECT q.rowid FROM monitoring_point q
    WHERE q.series_id = s.series_id AND q.time = s.time AND q.step = s.step
    ORDER BY q.revision DESC LIMIT 1
)
WHERE p.value <> s.value OR COALESCE(s.n, p.n, -1) <> COALESCE(p.n, -1)
"""


def _record(uow: UnitOfWork, result: Stored, home: Home, batch: IngestBatch) -> None:
    batch.use_case_id, batch.points = home.use_case_id, result.received
    batch.stored, batch.revised = result.stored, result.revised
    uow.write_at_end(*insertion([batch]))
    result.batches.append(batch.pk)
    uow.record(
        RECEIVED,
        subject=batch,
        use_case=home.use_case_id,
        unit=home.unit_path,
        after=state(batch, ("points", "stored", "revised", "sha256", "source")),
    )
