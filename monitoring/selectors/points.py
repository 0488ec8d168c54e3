"""Points read past the ORM: the newest of many series, and a range of one.

Of every (time, step) only the latest revision counts; what came later than ``at`` is not seen by a date in the past.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from kernel.database import is_postgresql
from monitoring.models import Series

CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead of ours a sender's clock may be."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A point as it is read: the latest revision of its time and step."""

    time: datetime
    step: int
    value: float
    n: int | None


def last_points(series_ids: Sequence[int], at: datetime) -> dict[int, Sampled]:
    """The newest point of each series that had been received by ``at``; one query, an index look-up per series."""
    rows = rows_of(_LAST_POSTGRESQL if is_postgresql() else _LAST_SQLITE, [_ids(series_ids), at + CLOCK_SKEW, at])
    return {series: Sampled(moment_of(time), step, value, n) for series, time, step, value, n in rows}


def recent_points(series_ids: Sequence[int], count: int) -> dict[int, list[Sampled]]:
    """The newest ``count`` points of each series, the oldest of them first; one query."""
    rows = rows_of(_RECENT_POSTGRESQL if is_postgresql() else _RECENT_SQLITE, [_ids(series_ids), count])
    found: dict[int, list[Sampled]] = {series: [] for series in series_ids}
    for series, time, step, value, n in rows:
        found[series].append(Sampled(moment_of(time), step, value, n))
    for points in found.values():
        points.sort(key=lambda point: (point.time, point.step))
    return found


def points_since(starts: Mapping[int, datetime], *, before: int = 0) -> dict[int, list[Sampled]]:
    """The points of each series from its own start on, and about ``before`` points before it; one query."""
    if not starts:
        return {}
    if is_postgresql():
        sql, parameters = _SINCE_POSTGRESQL, [list(starts), list(starts.values())]
    else:
        sql, parameters = _SINCE_SQLITE, [json.dumps([[pk, stored_time(start)] for pk, start in starts.items()])]
    found: dict[int, list[Sampled]] = {pk: [] for pk in starts}
    rows = rows_of(
        sql.replace("{start}", _EARLIER if before else "s.start"), [*parameters, *([before] if before else [])]
    )
    for series, time, step, value, n in rows:
        found[series].append(Sampled(moment_of(time), step, value, n))
    return found


def points_within(spans: Iterable[tuple[int, datetime, datetime]]) -> dict[int, list[Sampled]]:
    """The points of each (series, from, to), both ends included, in order and each once; one query."""
    asked = list(spans)
    if not asked:
        return {}
    if is_postgresql():
        sql, parameters = _WITHIN_POSTGRESQL, [list(column) for column in zip(*asked, strict=True)]
    else:
        listed = [[pk, stored_time(start), stored_time(end)] for pk, start, end in asked]
        sql, parameters = _WITHIN_SQLITE, [json.dumps(listed)]  # type: ignore[list-item]  # one text for all of them
    found: dict[int, list[Sampled]] = {pk: [] for pk, _start, _end in asked}
    for series, time, step, value, n in rows_of(sql, parameters):
        found[series].append(Sampled(moment_of(time), step, value, n))
    return found


def points_of(
    series: Series, *, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
) -> Iterator[Sampled]:
    """The points of one series from ``start`` to before ``end``, in order of time and step."""
    where, parameters = _range(series, start, end)
    sql = f"SELECT p.time, p.step, p.value, p.n FROM monitoring_point p WHERE {where} ORDER BY p.time, p.step"  # noqa: S608  # constants only
    if limit is not None:
        sql, parameters = f"{sql} LIMIT %s", [*parameters, limit]
    for time, step, value, n in rows_of(sql, parameters):
        yield Sampled(moment_of(time), step, value, n)


_LAST_POSTGRESQL = """
SELECT s.id, p.time, p.step, p.value, p.n
FROM unnest(%s::bigint[]) AS s(id)
CROSS JOIN LATERAL (
    SELECT time, step, value, n FROM monitoring_point
    WHERE series_id = s.id AND time <= %s AND received_at <= %s
    ORDER BY time DESC, step DESC, revision DESC LIMIT 1
) p
"""
_LAST_SQLITE = """
SELECT s.value, p.time, p.step, p.value, p.n
FROM json_each(%s) s
JOIN monitoring_point p ON p.rowid = (
    SELECT q.rowid FROM monitoring_point q
    WHERE q.series_id = s.value AND q.time <= %s AND q.received_at <= %s
    ORDER BY q.time DESC, q.step DESC, q.revision DESC LIMIT 1
)
"""
# A later revision of the same time and step hides an earlier one.
IS_LATEST = """NOT EXISTS (
    SELECT 1 FROM monitoring_point r
    WHERE r.series_id = p.series_id AND r.time = p.time AND r.step = p.step AND r.revision > p.revision
)"""
_RECENT_POSTGRESQL = f"""
SELECT s.id, p.time, p.step, p.value, p.n
FROM unnest(%s::bigint[]) AS s(id)
CROSS JOIN LATERAL (
    SELECT time, step, value, n FROM monitoring_point p
    WHERE series_id = s.id AND {IS_LATEST}
    ORDER BY time DESC, step DESC LIMIT %s
) p
"""  # noqa: S608  # constants only
_RECENT_SQLITE = f"""
SELECT s.value, p.time, p.step, p.value, p.n
FROM json_each(%s) s
JOIN monitoring_point p ON p.rowid IN (
    SELECT p.rowid FROM monitoring_point p
    WHERE p.series_id = s.value AND {IS_LATEST}
    ORDER BY p.time DESC, p.step DESC LIMIT %s
)
"""  # noqa: S608  # constants only
# No start of ours is before 2000; where there are fewer points before it, all of them are taken.
_EARLIER = """COALESCE((
    SELECT q.time FROM monitoring_point q
    WHERE q.series_id = s.id AND q.time < s.start ORDER BY q.time DESC LIMIT 1 OFFSET %s
), '1999-01-01 00:00:00+00')"""
# Each series is looked up by the key: OFFSET 0 keeps the planner, which guesses too many points a series, from reading
# the whole table once for all of them, and so does asking for the latest revision as a value and not as a join.
_LOOKED_UP = """SELECT p.series_id, p.time, p.step, p.value, p.n FROM monitoring_point p
    WHERE p.series_id = s.id AND {within} AND p.revision = (
        SELECT max(r.revision) FROM monitoring_point r
        WHERE r.series_id = p.series_id AND r.time = p.time AND r.step = p.step
    )
    OFFSET 0"""
_SINCE_POSTGRESQL = f"""
SELECT p.* FROM unnest(%s::bigint[], %s::timestamptz[]) AS s(id, start)
CROSS JOIN LATERAL ({_LOOKED_UP.format(within="p.time >= {start}")}) p
ORDER BY p.series_id, p.time, p.step
"""  # noqa: S608  # constants only
_SINCE_SQLITE = f"""
WITH s AS (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS start FROM json_each(%s))
SELECT p.series_id, p.time, p.step, p.value, p.n
FROM s JOIN monitoring_point p ON p.series_id = s.id AND p.time >= {{start}}
WHERE {IS_LATEST}
ORDER BY p.series_id, p.time, p.step
"""  # noqa: S608  # constants only
_WITHIN_POSTGRESQL = f"""
SELECT DISTINCT p.* FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS s(id, start, stop)
CROSS JOIN LATERAL ({_LOOKED_UP.format(within="p.time >= s.start AND p.time <= s.stop")}) p
ORDER BY p.series_id, p.time, p.step
"""  # noqa: S608  # constants only
_WITHIN_SQLITE = f"""
WITH s AS (
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS start, json_extract(value, '$[2]') AS stop
    FROM json_each(%s)
)
SELECT DISTINCT p.series_id, p.time, p.step, p.value, p.n
FROM s JOIN monitoring_point p ON p.series_id = s.id AND p.time >= s.start AND p.time <= s.stop
WHERE {IS_LATEST}
ORDER BY p.series_id, p.time, p.step
"""  # noqa: S608  # constants only


def _range(series: Series, start: datetime | None, end: datetime | None) -> tuple[str, list[Any]]:
    where = ["p.series_id = %s"]
    parameters: list[Any] = [series.pk]
    if start is not None:
        where.append("p.time >= %s")
        parameters.append(start)
    if end is not None:
        where.append("p.time < %s")
        parameters.append(end)
    if series.revised:  # most series never are, and the check costs as much as the read
        where.append(IS_LATEST)
    return " AND ".join(where), parameters


def rows_of(sql: str, parameters: Iterable[Any]) -> list[tuple[Any, ...]]:
    values: list[Any] = [stored_time(value) if isinstance(value, datetime) else value for value in parameters]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _ids(series_ids: Sequence[int]) -> object:
    return list(series_ids) if is_postgresql() else json.dumps(list(series_ids))


def stored_time(moment: datetime) -> datetime | str:
    """A time as the database stores it: SQLite keeps text in UTC without its zone."""
    return moment if is_postgresql() else str(moment.astimezone(UTC).replace(tzinfo=None))


def moment_of(value: datetime | str) -> datetime:
    """A stored time with its zone: SQLite gives text or a time without one, depending on the expression."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
