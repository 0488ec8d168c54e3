"""A range of a series thinned out: least, greatest, mean and last value of each of some hundred spans of time.

Computed in the database. Short ranges are read from the points. Where a bucket holds two hours or more, whole hours
come from their rollups (whole days, where it holds two days), and points fill in what is not rolled up yet; buckets
then begin with an hour (or day) and there may be fewer of them. Both ways give the same numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from kernel.database import is_postgresql
from monitoring.models import Rollup, Series
from monitoring.selectors.points import IS_LATEST, moment_of, rows_of, stored_time

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORTH_IT = 2
"""A rollup is read where a bucket holds at least so many of them."""
_FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Points of one span of time, summed up. ``start`` is where the span begins, ``time`` the newest point in it."""

    start: datetime
    time: datetime
    min: float
    max: float
    mean: float
    last: float
    count: int


class _Part(NamedTuple):
    """What one source knows of one bucket."""

    number: int
    time: datetime
    low: float
    high: float
    mean: float
    last: float
    points: int


class _Grid(NamedTuple):
    """Equal spans from ``origin`` on."""

    origin: datetime
    width: timedelta

    def number(self, moment: datetime) -> int:
        return (moment - self.origin) // self.width

    def start(self, number: int) -> datetime:
        return self.origin + number * self.width


def first_time(series: Series) -> datetime | None:
    """When the oldest point was measured that is there, or was there and is rolled up."""
    rows = rows_of(
        "SELECT min(p.time) FROM monitoring_point p WHERE p.series_id = %s UNION ALL "
        "SELECT min(r.start) FROM monitoring_rollup r WHERE r.series_id = %s AND r.span = %s AND %s",
        [series.pk, series.pk, Rollup.Span.HOUR.value, series.kept_from is not None],
    )
    found = [moment_of(value) for (value,) in rows if value is not None]
    return min(found, default=None)


def buckets(series: Series, *, start: datetime, end: datetime, count: int) -> list[Bucket]:
    """``start`` to before ``end`` cut into at most ``count`` equal spans. Empty spans are left out."""
    width = max((end - start) / count, timedelta(microseconds=1))
    unit = _unit(series, start, width)
    if unit is None:
        grid = _Grid(start, width)
        parts = _from_points(series, grid, start, end)
    else:
        grid = _aligned(start, end, count, unit)
        parts = _from_rollups(series, grid, start, end, unit)
    return [_bucket(grid, start, part) for part in parts]


def floor(moment: datetime, unit: timedelta) -> datetime:
    """The beginning of the hour or day, in UTC."""
    return moment - (moment - _FIRST_DAY) % unit


def ceil(moment: datetime, unit: timedelta) -> datetime:
    return moment + (_FIRST_DAY - moment) % unit


def _unit(series: Series, start: datetime, width: timedelta) -> timedelta | None:
    """What the buckets are read from: days, hours, or None for the points themselves."""
    if width >= WORTH_IT * DAY:
        return DAY
    if width >= WORTH_IT * HOUR or (series.kept_from is not None and start < series.kept_from):
        return HOUR
    return None


def _aligned(start: datetime, end: datetime, count: int, unit: timedelta) -> _Grid:
    origin = floor(start, unit)
    return _Grid(origin, math.ceil((end - origin) / count / unit) * unit)


def _from_rollups(series: Series, grid: _Grid, start: datetime, end: datetime, unit: timedelta) -> list[_Part]:
    """Rollups as far as they are up to date, and points before and after them."""
    gone = series.kept_from
    first = floor(start, unit) if gone is not None and start < gone else min(ceil(start, unit), end)
    current = floor(series.rollup_from, unit) if series.rollup_from is not None else floor(end, unit)
    last = max(min(current, floor(end, unit)), first, min(gone, ceil(end, unit)) if gone is not None else first)
    parts = _from_points(series, grid, start, min(first, end)) if start < first else []
    if first < last:
        parts = [*parts, *_rolled(series, grid, first, last, unit)]
    return _merged([*parts, *(_from_points(series, grid, last, end) if last < end else [])])


def _merged(parts: Iterable[_Part]) -> list[_Part]:
    """One part a bucket; the later ones of a bucket come later in ``parts``."""
    found: dict[int, _Part] = {}
    for part in parts:
        known = found.get(part.number)
        if known is not None:
            count = known.points + part.points
            mean = known.mean * (known.points / count) + part.mean * (part.points / count)
            low, high = min(known.low, part.low), max(known.high, part.high)
            part = _Part(part.number, part.time, low, high, mean, part.last, count)  # noqa: PLW2901  # the two in one
        found[part.number] = part
    return [found[number] for number in sorted(found)]


def _bucket(grid: _Grid, start: datetime, part: _Part) -> Bucket:
    return Bucket(max(grid.start(part.number), start), *part[1:])


def _rolled(series: Series, grid: _Grid, start: datetime, end: datetime, unit: timedelta) -> list[_Part]:
    span = int(unit.total_seconds())
    seconds = grid.width.total_seconds()
    sql = _ROLLED_POSTGRESQL if is_postgresql() else _ROLLED_SQLITE
    rows = rows_of(sql, [grid.origin, seconds, series.pk, span, start, end])
    return [_Part(int(number), moment_of(time), *more) for number, time, *more in rows]


def _from_points(series: Series, grid: _Grid, start: datetime, end: datetime) -> list[_Part]:
    first, last = grid.number(start), grid.number(end - timedelta(microseconds=1))
    edges = [
        (number, max(grid.start(number), start), min(grid.start(number + 1), end)) for number in range(first, last + 1)
    ]
    latest = IS_LATEST if series.revised else "1 = 1"  # most series never are, and the check costs as much as the read
    if is_postgresql():
        numbers, starts, stops = (list(column) for column in zip(*edges, strict=True))
        rows = rows_of(_BUCKETS_POSTGRESQL.replace("{latest}", latest), [numbers, starts, stops, series.pk, series.pk])
    else:
        spans = json.dumps([[number, stored_time(begin), stored_time(stop)] for number, begin, stop in edges])
        rows = rows_of(_BUCKETS_SQLITE.replace("{latest}", latest), [spans, series.pk, series.pk])
    return [_Part(int(number), moment_of(time), *more) for number, time, *more in rows]


# A range of the index for each bucket: grouping by a computed bucket would sort every point, for nobody can tell the
# planner how few buckets there are.
_BUCKETS_POSTGRESQL = """
SELECT b.number, l.time, a.low, a.high, a.mean, l.value, a.points
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS b(number, start, stop)
CROSS JOIN LATERAL (
    SELECT p.time, p.value FROM monitoring_point p
    WHERE p.series_id = %s AND p.time >= b.start AND p.time < b.stop
    ORDER BY p.time DESC, p.step DESC, p.revision DESC LIMIT 1
) l
CROSS JOIN LATERAL (
    SELECT min(p.value) AS low, max(p.value) AS high, avg(p.value) AS mean, count(*) AS points FROM monitoring_point p
    WHERE p.series_id = %s AND p.time >= b.start AND p.time < b.stop AND {latest}
) a
ORDER BY b.number
"""
# A cross join keeps the order of the tables: the spans first.
_BUCKETS_SQLITE = """
WITH b AS (
    SELECT json_extract(value, '$[0]') AS number, json_extract(value, '$[1]') AS start,
           json_extract(value, '$[2]') AS stop FROM json_each(%s)
), a AS (
    SELECT b.number, max(p.time) AS time, min(p.value) AS low, max(p.value) AS high, avg(p.value) AS mean,
           count(*) AS points
    FROM b CROSS JOIN monitoring_point p
    WHERE p.series_id = %s AND p.time >= b.start AND p.time < b.stop AND {latest} GROUP BY b.number
)
SELECT a.number, a.time, a.low, a.high, a.mean, (
    SELECT value FROM monitoring_point
    WHERE series_id = %s AND time = a.time ORDER BY step DESC, revision DESC LIMIT 1
), a.points
FROM a ORDER BY a.number
"""
_ROLLED = """
WITH r AS (
    SELECT {number} AS number, start, count, total, least, greatest, last, last_time FROM monitoring_rollup
    WHERE series_id = %s AND span = %s AND start >= %s AND start < %s
), a AS (
    SELECT number, max(last_time) AS time, max(start) AS newest, min(least) AS low, max(greatest) AS high,
           sum(total) / sum(count) AS mean, CAST(sum(count) AS bigint) AS points
    FROM r GROUP BY number
)
SELECT a.number, a.time, a.low, a.high, a.mean, r.last, a.points
FROM a JOIN r ON r.number = a.number AND r.start = a.newest ORDER BY a.number
"""
_ROLLED_POSTGRESQL = _ROLLED.replace("{number}", "floor(extract(epoch FROM start - %s::timestamptz) / %s)::bigint")
_ROLLED_SQLITE = _ROLLED.replace(
    "{number}", "CAST((strftime('%%s', start) - strftime('%%s', %s)) / CAST(%s AS REAL) AS INTEGER)"
)
