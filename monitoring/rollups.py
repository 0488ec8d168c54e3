"""Rollups are brought up to date: what ingestion marked as changed is summed up again, hour by hour and day by day.

Ingestion marks, under the lock of the series, from where to where points came (new ones, late ones, revisions). The
sweep takes the same lock, sums up the marked hours that are over, and takes the mark back as far as it came. So a
rollup that is not marked is right, whoever dies when; and it never costs a sender anything but the mark.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from kernel.database import is_postgresql, lock_rows
from monitoring.models import Rollup, Series
from monitoring.selectors.buckets import DAY, HOUR, ceil, floor
from monitoring.selectors.points import IS_LATEST, stored_time

SETTLED = timedelta(minutes=5)
"""An hour is rolled up once it has been over for so long: until then most of its points are still coming."""
AT_ONCE = timedelta(days=31)
"""Longer marks are worked off in pieces, each in a transaction of its own, so that senders wait for none of them."""


def due(now: datetime, limit: int = 2000) -> list[int]:
    """Series with an hour to roll up, those that wait longest first."""
    rows = Series.objects.filter(rollup_from__lt=floor(now - SETTLED, HOUR)).order_by("rollup_from")
    return list(rows.values_list("pk", flat=True)[:limit])


def roll_up(series_id: int, now: datetime | None = None) -> int:
    """Roll up one series as far as its hours are over; returns how many pieces that took."""
    until = floor((now or timezone.now()) - SETTLED, HOUR)
    pieces = 0
    while _next_piece(series_id, until):
        pieces += 1
    return pieces


def _next_piece(series_id: int, until: datetime) -> bool:
    with transaction.atomic():
        series = lock_rows(Series.objects.filter(pk=series_id)).first()
        if series is None or series.rollup_from is None or series.rollup_to is None or series.rollup_from >= until:
            return False
        start = floor(series.rollup_from, HOUR)
        if series.kept_from is not None:  # before that there are no points to sum up: what is rolled up is what is left
            start = max(start, series.kept_from)
        end = min(floor(series.rollup_to, HOUR) + HOUR, until, start + AT_ONCE)
        if start < end:
            _sum_up(series, start, end)
        is_done = end > series.rollup_to
        series.rollup_from, series.rollup_to = (None, None) if is_done else (max(end, start), series.rollup_to)
        series.save(update_fields=["rollup_from", "rollup_to"])
        return not is_done


def _sum_up(series: Series, start: datetime, end: datetime) -> None:
    hour, day = Rollup.Span.HOUR.value, Rollup.Span.DAY.value
    first, last = floor(start, DAY), ceil(end, DAY)
    latest = IS_LATEST if series.revised else "1 = 1"
    hours = (_HOURS_POSTGRESQL if is_postgresql() else _HOURS_SQLITE).replace("{latest}", latest)
    with connection.cursor() as cursor:
        for span, begin, stop in ((hour, start, end), (day, first, last)):
            cursor.execute(_CLEAR, [series.pk, span, stored_time(begin), stored_time(stop)])
        cursor.execute(hours, [series.pk, stored_time(start), stored_time(end)])
        cursor.execute(
            _DAYS_POSTGRESQL if is_postgresql() else _DAYS_SQLITE,
            [series.pk, hour, stored_time(first), stored_time(last)],
        )


_CLEAR = "DELETE FROM monitoring_rollup WHERE series_id = %s AND span = %s AND start >= %s AND start < %s"
_INSERT = "INSERT INTO monitoring_rollup (series_id, span, start, count, total, least, greatest, last_time, last)"
_HOURS_POSTGRESQL = f"""
{_INSERT}
SELECT p.series_id, 3600, date_trunc('hour', p.time, 'UTC'), count(*), sum(p.value), min(p.value), max(p.value),
       max(p.time), (array_agg(p.value ORDER BY p.time DESC, p.step DESC))[1]
FROM monitoring_point p WHERE p.series_id = %s AND p.time >= %s AND p.time < %s AND {{latest}} GROUP BY 1, 3
"""  # noqa: S608  # constants only
# Times are text here: 2026-11-21 10:00:00.
_HOURS_SQLITE = f"""
{_INSERT}
SELECT h.*, (
    SELECT q.value FROM monitoring_point q
    WHERE q.series_id = h.series_id AND q.time = h.last_time ORDER BY q.step DESC, q.revision DESC LIMIT 1
)
FROM (
    SELECT p.series_id AS series_id, 3600, substr(p.time, 1, 13) || ':00:00', count(*), sum(p.value), min(p.value),
           max(p.value), max(p.time) AS last_time
    FROM monitoring_point p WHERE p.series_id = %s AND p.time >= %s AND p.time < %s AND {{latest}} GROUP BY 3
) h
"""  # noqa: S608  # constants only
_DAYS_POSTGRESQL = f"""
{_INSERT}
SELECT series_id, 86400, date_trunc('day', start, 'UTC'), sum(count), sum(total), min(least), max(greatest),
       max(last_time), (array_agg(last ORDER BY start DESC))[1]
FROM monitoring_rollup WHERE series_id = %s AND span = %s AND start >= %s AND start < %s GROUP BY 1, 3
"""  # noqa: S608  # constants only
_DAYS_SQLITE = f"""
{_INSERT}
SELECT d.series_id, 86400, d.day, d.count, d.total, d.least, d.greatest, d.last_time, r.last
FROM (
    SELECT series_id, span, substr(start, 1, 10) || ' 00:00:00' AS day, sum(count) AS count, sum(total) AS total,
           min(least) AS least, max(greatest) AS greatest, max(last_time) AS last_time, max(start) AS newest
    FROM monitoring_rollup WHERE series_id = %s AND span = %s AND start >= %s AND start < %s GROUP BY 3
) d JOIN monitoring_rollup r ON r.series_id = d.series_id AND r.span = d.span AND r.start = d.newest
"""  # noqa: S608  # constants only
