"""What a series keeps of its points (the newest, when silence begins, what has to be rolled up again), and its upkeep.

The state of thousands of series is then one query that touches no point. Past the ORM, for it is done with each batch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import orjson
from django.db import connection

from kernel.database import is_postgresql
from ledger import UnitOfWork
from monitoring.models.series import silence_begins
from monitoring.selectors.points import stored_time

ASK_AGAIN_AFTER = timedelta(seconds=30)
"""A judgement that was asked for this long ago and has not happened is asked for again."""

Row: TypeAlias = tuple[int, str, int, float, int | None]
"""A point on its way in: series, time (text in UTC, as ``wire.time_text`` writes it), step, value, n.

A plain tuple: a class would cost more than everything else that is done with it here.
"""


@dataclass(slots=True)
class Known:
    """What a series keeps, as it stands under the lock; the fields are those of the model."""

    id: int
    created_at: datetime
    expected_every_seconds: int
    last_time: datetime | None
    last_step: int
    last_value: float | None
    last_n: int | None
    last_received_at: datetime | None
    silent_after: datetime | None
    revised: bool
    judge_asked_at: datetime | None
    rollup_from: datetime | None
    rollup_to: datetime | None


def locked(ids: Iterable[int]) -> list[Known]:
    """The series of a batch, locked until the transaction ends, in one order by everybody."""
    with connection.cursor() as cursor:
        if is_postgresql():
            cursor.execute(_LOCK_POSTGRESQL, [list(ids)])
            return [Known(*row) for row in cursor.fetchall()]
        cursor.execute(_LOCK_SQLITE, [orjson.dumps(list(ids)).decode()])
        return [_from_sqlite(row) for row in cursor.fetchall()]


Ends: TypeAlias = dict[int, tuple[str, Row]]
"""Of each series of a batch the time of its oldest row, and its newest row."""


def ends_of(rows: Sequence[Row]) -> Ends:
    """The ends of each series; the rows come in the order of series, time and step."""
    return {series: (rows[first][1], rows[last - 1]) for series, first, last in _stretches([row[0] for row in rows])}


def _stretches(ids: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Where each number begins and ends in a list in order."""
    first = 0
    while first < len(ids):
        last = bisect_right(ids, ids[first], first)
        yield ids[first], first, last
        first = last


def touch(uow: UnitOfWork, series: Sequence[Known], ends: Ends, *, revised: bool, now: datetime) -> list[int]:
    """Bring what series keep up to date with new rows; returns those whose judgement must be asked for."""
    to_judge = []
    for one in series:
        oldest, (_pk, text, step, value, n) = ends[one.id]
        time = _moment(text)
        if one.last_time is None or (time, step) >= (one.last_time, one.last_step):
            if n is not None or (time, step) != (one.last_time, one.last_step):
                one.last_n = n
            one.last_time, one.last_step, one.last_value = time, step, value
            one.silent_after = silence_begins(time, one.expected_every_seconds)
        one.last_received_at = now
        one.revised = one.revised or revised
        one.rollup_from = min(one.rollup_from or time, _moment(oldest))
        one.rollup_to = max(one.rollup_to or time, time)
        if one.judge_asked_at is None or now - one.judge_asked_at > ASK_AGAIN_AFTER:
            one.judge_asked_at = now
            to_judge.append(one.id)
    _save(uow, series)
    return to_judge


def _save(uow: UnitOfWork, series: Sequence[Known]) -> None:
    if is_postgresql():
        values = [{"id": one.id, **{name: getattr(one, name) for name in _TOUCHED}} for one in series]
        uow.write_at_end(_TOUCH_ALL, [orjson.dumps(values).decode()])
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            _TOUCH_EACH, [[*(_stored(getattr(one, name)) for name in _TOUCHED), one.id] for one in series]
        )


_TOUCHED = (
    "last_time",
    "last_step",
    "last_value",
    "last_n",
    "last_received_at",
    "silent_after",
    "revised",
    "judge_asked_at",
    "rollup_from",
    "rollup_to",
)
_COLUMNS = f"s.id, s.created_at, s.expected_every_seconds, {', '.join(f's.{name}' for name in _TOUCHED[:7])}"
_COLUMNS += ", s.judge_asked_at, s.rollup_from, s.rollup_to"
_LOCK_POSTGRESQL = f"""
SELECT {_COLUMNS} FROM monitoring_series s
WHERE s.id = ANY(%s) ORDER BY s.id FOR UPDATE OF s
"""  # noqa: S608  # constants only
_LOCK_SQLITE = f"""
SELECT {_COLUMNS} FROM monitoring_series s WHERE s.id IN (SELECT value FROM json_each(%s)) ORDER BY s.id
"""  # noqa: S608  # constants only
_TOUCH_EACH = f"UPDATE monitoring_series SET {', '.join(f'{name} = %s' for name in _TOUCHED)} WHERE id = %s"  # noqa: S608  # constants only
_TOUCH_ALL = f"""
UPDATE monitoring_series s SET {", ".join(f"{name} = t.{name}" for name in _TOUCHED)}
FROM jsonb_to_recordset(%s::jsonb) AS t(
    id bigint, last_time timestamptz, last_step bigint, last_value float8, last_n integer,
    last_received_at timestamptz, silent_after timestamptz, revised boolean, judge_asked_at timestamptz,
    rollup_from timestamptz, rollup_to timestamptz
)
WHERE s.id = t.id
"""  # noqa: S608  # constants only


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _stored(value: Any) -> Any:
    return stored_time(value) if isinstance(value, datetime) else value


def _from_sqlite(row: Sequence[Any]) -> Known:
    """SQLite gives times as text in UTC, or as times without a zone."""
    known = Known(*row)
    for name in ("created_at", "last_time", "last_received_at", "silent_after", "judge_asked_at", *_TOUCHED[-2:]):
        value = getattr(known, name)
        if value is not None:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else value
            setattr(known, name, moment.replace(tzinfo=UTC))
    known.revised = bool(known.revised)
    return known
