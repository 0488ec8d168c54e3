"""Points are kept as long as their series says; rollups stay.

What somebody relied on stays too: the newest point of each series, the points that alerts are about, and the points
that were the newest when a fact of a decision was read (higher apps name these moments, see ``in_use_at``). So a gate
judged anew for a date in the past finds the values that it found then.

A point that comes later than its series keeps is taken like any other, appears in no rollup, and goes with the next
sweep.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from kernel.database import is_postgresql, lock_rows
from ledger import SYSTEM, unit_of_work
from monitoring.models import Alert, Point, Series
from monitoring.selectors.buckets import DAY, first_time, floor
from monitoring.selectors.points import last_points, rows_of, stored_time

AT_ONCE = timedelta(days=31)
"""Longer stretches are deleted in pieces, each in a transaction of its own."""
WORTH_IT = timedelta(days=7)
"""Points go a week at a time, so that the ledger does not tell of each series every day."""

InUse = Callable[[UUID], Iterable[datetime]]
_asked: list[InUse] = []


def in_use_at(moments: InUse) -> InUse:
    """Register a function that names the moments at which facts of a use case were read for a decision."""
    if moments not in _asked:
        _asked.append(moments)
    return moments


def due(now: datetime, limit: int = 2000) -> list[int]:
    """Series with points that are older than they are kept; a query for each length of time that occurs."""
    found: list[int] = []
    for days in sorted(set(Series.objects.values_list("keep_days", flat=True).distinct()), key=lambda days: days or 0):
        kept = settings.TOLLGATE_POINTS_KEEP_DAYS if days is None else days
        if kept:
            which = "s.keep_days IS NULL" if days is None else "s.keep_days = %s"
            values = [*([] if days is None else [days]), floor(now - timedelta(days=kept), DAY) - WORTH_IT, limit]
            found += [pk for (pk,) in rows_of(_DUE.replace("{which}", which), values)]
    return found[:limit]


def forget(series_id: int, now: datetime | None = None) -> int:
    """Delete what one series need not keep; returns how many points. Nothing goes that is not rolled up."""
    now = now or timezone.now()
    deleted, is_done = 0, False
    while not is_done:
        count, is_done = _next_piece(series_id, now)
        deleted += count
    return deleted


def days_kept(series: Series) -> int:
    """How many days points of this series are kept; 0 is for ever."""
    return int(settings.TOLLGATE_POINTS_KEEP_DAYS if series.keep_days is None else series.keep_days)


def _next_piece(series_id: int, now: datetime) -> tuple[int, bool]:
    """Delete the oldest month that may go; returns how many points that were, and whether it was the last."""
    with unit_of_work(by=SYSTEM) as uow:
        series = lock_rows(Series.objects.filter(pk=series_id).select_related("use_case__unit")).first()
        if series is None or not days_kept(series):
            return 0, True
        horizon = floor(now - timedelta(days=days_kept(series)), DAY)
        if series.rollup_from is not None:  # only what is summed up may go
            horizon = min(horizon, floor(series.rollup_from, DAY))
        oldest = series.kept_from or first_time(series)
        if oldest is None or oldest >= horizon:
            return 0, True
        until = min(horizon, floor(oldest, DAY) + AT_ONCE)
        count = _delete(series, until)
        before, series.kept_from = series.kept_from, until
        series.save(update_fields=["kept_from"])
        if count:
            uow.record(
                "points.forgotten",
                subject=series,
                use_case=series.use_case,
                before={"kept_from": before},
                after={"kept_from": until, "points": count},
            )
        return count, until >= horizon


def _delete(series: Series, until: datetime) -> int:
    keys = _in_use(series)
    times, steps = [time for time, _step in keys], [step for _time, step in keys]
    with connection.cursor() as cursor:
        if is_postgresql():
            cursor.execute(_DELETE_POSTGRESQL, [series.pk, until, times, steps])
        else:
            listed = json.dumps([[stored_time(time), step] for time, step in keys])
            cursor.execute(_DELETE_SQLITE, [series.pk, stored_time(until), listed])
        return int(cursor.rowcount)


def _in_use(series: Series) -> list[tuple[datetime, int]]:
    """Time and step of the points that somebody relied on; every revision of them stays."""
    alerts = Alert.objects.filter(series=series).values_list("point_time", "opened_at")
    moments = {moment for ask in _asked for moment in ask(series.use_case_id)} | {opened for _time, opened in alerts}
    keys = {(point.time, point.step) for moment in moments for point in last_points([series.pk], moment).values()}
    times = [time for time, _opened in alerts if time is not None]
    keys |= set(Point.objects.filter(series_id=series.pk, time__in=times).values_list("time", "step"))
    if series.last_time is not None:
        keys.add((series.last_time, series.last_step))
    return sorted(keys)


_DUE = """
SELECT s.id FROM monitoring_series s
WHERE s.last_time IS NOT NULL AND {which} AND EXISTS (
    SELECT 1 FROM monitoring_point p
    WHERE p.series_id = s.id AND p.time < %s AND (s.kept_from IS NULL OR p.time >= s.kept_from)
)
ORDER BY s.id LIMIT %s
"""
_DELETE_POSTGRESQL = """
DELETE FROM monitoring_point p WHERE p.series_id = %s AND p.time < %s AND NOT EXISTS (
    SELECT 1 FROM unnest(%s::timestamptz[], %s::bigint[]) AS k(time, step) WHERE k.time = p.time AND k.step = p.step
)
"""
_DELETE_SQLITE = """
DELETE FROM monitoring_point AS p WHERE p.series_id = %s AND p.time < %s AND NOT EXISTS (
    SELECT 1 FROM json_each(%s) k
    WHERE json_extract(k.value, '$[0]') = p.time AND json_extract(k.value, '$[1]') = p.step
)
"""
