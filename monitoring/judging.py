"""Rules meet points: alerts are opened, raised and resolved.

Judging is asked for by ingestion (``judge_asked_at``) and done by a worker, in sets: how many queries it takes does
not depend on how many series are judged, as long as no alert changes. Doing it twice changes nothing. Points of the
last day that came since the last judgement are walked through one by one, so that a short breach between two
judgements is on record too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.database import is_postgresql, lock_rows
from ledger import SYSTEM, UnitOfWork, unit_of_work
from monitoring.alerting import open_alert, raise_alert, resolve_alerts, unresolved
from monitoring.condition import Reading, conditions
from monitoring.history import Points, history, readings_of
from monitoring.models import Alert, Rule, Series
from monitoring.rules import Change, Valued, walk
from monitoring.selectors.points import stored_time
from monitoring.silence import silent_series
from monitoring.wording import breach_text, condition_of
from portfolio.signals import announce_change

LOOK_BACK = timedelta(hours=24)
ASKED_LONG_AGO = timedelta(seconds=30)


@dataclass(slots=True)
class Judged:
    """What a judgement came to. ``again`` are series that received points meanwhile."""

    changes: int = 0
    again: list[int] = field(default_factory=list)


def judge(series_ids: Iterable[int], *, announced: bool = True) -> Judged:
    """Judge the rules of these series on what came since they were judged last.

    Not ``announced``, the use cases are announced only where an alert changed.
    """
    result = Judged()
    series = _loaded(sorted(set(series_ids)))
    starts = {one.pk: start for one in series if (start := _start(one)) is not None}
    points = history(series, starts)
    for one in series:
        if _has_changes(one, points, starts):
            with unit_of_work(by=SYSTEM) as uow:
                result.changes += _settle(uow, one.pk, points, starts)
    _see(series, points)
    result.again = _finish(series, announced=announced)
    return result


def owed() -> list[int]:
    """Series whose judgement was asked for a while ago and has not happened: the message was lost."""
    rows = Series.objects.filter(judge_asked_at__lt=timezone.now() - ASKED_LONG_AGO).order_by("judge_asked_at")
    return list(rows.values_list("pk", flat=True)[:5000])


def ticking() -> list[int]:
    """Series that miss a value while a rule watches for that: time alone can break it."""
    kinds = [kind.key for kind in conditions if kind.ticks]
    watching = Rule.objects.filter(enabled=True, condition__in=kinds).values("series")
    rows = silent_series(timezone.now()).filter(pk__in=watching, last_time__isnull=False)
    return list(rows.order_by("-silent_after").values_list("pk", flat=True)[:5000])


def _loaded(ids: Sequence[int], *related: str) -> list[Series]:
    rows = Series.objects.filter(pk__in=ids).prefetch_related(
        Prefetch("rules", Rule.objects.filter(enabled=True).order_by("created_at", "pk")),
        Prefetch("alerts", unresolved()),
    )
    # What changes an alert needs more of the series than what finds out that nothing changes.
    return list((rows.select_related(*related) if related else rows).order_by("pk"))


def _start(series: Series) -> datetime | None:
    """From when points are judged: what was judged last counts again, for it may have been revised."""
    if series.last_time is None:
        return None
    if series.judged_through is None:
        return series.last_time
    return min(series.last_time, max(series.judged_through, timezone.now() - LOOK_BACK))


def _has_changes(series: Series, points: Points, starts: Mapping[int, datetime]) -> bool:
    return _speaks_again(series) or any(
        True for rule in series.rules.all() for _change in _walk(series, rule, points, starts)
    )


def _walk(series: Series, rule: Rule, points: Points, starts: Mapping[int, datetime]) -> Iterable[Change[Reading]]:
    if not series.enabled:
        return ()
    alert = _alert_of(series, rule)
    level = alert.level if alert else None
    readings = readings_of(rule, series, points.get(series.pk, ()), until=timezone.now())
    return walk(condition_of(rule).held(rule), readings, since=starts.get(series.pk), level=level)


def _settle(uow: UnitOfWork, series_id: int, points: Points, starts: Mapping[int, datetime]) -> int:
    """Carry out the changes of one series under its lock; two workers that judge it at once agree."""
    lock_rows(Series.objects.filter(pk=series_id)).get()
    changes = 0
    for series in _loaded([series_id], "use_case__unit"):
        for rule in series.rules.all():
            alert = _alert_of(series, rule)
            for change in _walk(series, rule, points, starts):
                alert = _apply(uow, series, rule, alert, change)
                changes += 1
        if _speaks_again(series):
            changes += len(resolve_alerts(uow, _silence_of(series), note=_("It reports again.")))
    return changes


def _apply(uow: UnitOfWork, series: Series, rule: Rule, alert: Alert | None, change: Change[Reading]) -> Alert | None:
    if alert is not None and change.what == "resolved":
        resolve_alerts(uow, [alert])
        return None
    told: dict[str, Any] = {
        "message": breach_text(rule, series, change.point, change.level),
        "value": change.point.shown,
        "limit": condition_of(rule).limit_value(rule, change.level, change.point),
        "point_time": change.point.time,
    }
    if alert is None:
        return open_alert(uow, series, rule=rule, level=change.level, **told)
    return raise_alert(uow, alert, **told)


def _alert_of(series: Series, rule: Rule) -> Alert | None:
    return next((alert for alert in _alerts(series) if alert.rule_id == rule.pk), None)


def _silence_of(series: Series) -> list[Alert]:
    return [alert for alert in _alerts(series) if alert.rule_id is None]


def _alerts(series: Series) -> list[Alert]:
    """The unresolved alerts, which were prefetched; each knows its series without asking."""
    found = list(series.alerts.all())
    for alert in found:
        alert.series = series
    return found


def _speaks_again(series: Series) -> bool:
    if not _silence_of(series):
        return False
    return series.silent_after is None or series.silent_after > timezone.now()


def _see(series: Sequence[Series], points: Points) -> None:
    """Open alerts show the newest value that keeps them open."""
    seen = []
    for one in series:
        newest: Valued | None = points[one.pk][-1] if points.get(one.pk) else None
        for alert in _alerts(one):
            if newest is not None and alert.rule_id is not None and alert.point_time != newest.time:
                if alert.value is not None:  # else it is about values that did not come
                    alert.value = newest.value
                alert.point_time, alert.last_seen_at = newest.time, timezone.now()
                seen.append(alert)
    if seen:
        still_open = set(unresolved().filter(pk__in=[alert.pk for alert in seen]).values_list("pk", flat=True))
        Alert.objects.bulk_update(
            [alert for alert in seen if alert.pk in still_open], ["value", "point_time", "last_seen_at"]
        )


def _finish(series: Sequence[Series], *, announced: bool = True) -> list[int]:
    """Note how far was judged and announce the use cases; returns the series that received points meanwhile."""
    if not series:
        return []
    with unit_of_work(by=SYSTEM) as uow:
        done = _note_judged(series)
        for use_case_id in sorted({one.use_case_id for one in series}) if announced else ():
            announce_change(uow, use_case_id, "metrics")
    return [one.pk for one in series if one.pk not in done and one.last_received_at is not None]


def _note_judged(series: Sequence[Series]) -> set[int]:
    rows = [(one.pk, one.last_time, one.last_received_at) for one in series if one.last_received_at is not None]
    with connection.cursor() as cursor:
        if is_postgresql():
            ids, times, received = ([row[column] for row in rows] for column in range(3))
            cursor.execute(_NOTE_ALL, [ids, times, received])
            return {pk for (pk,) in cursor.fetchall()}
        done = set()
        for pk, time, seen in rows:
            values: list[Any] = [stored_time(time) if time else None, pk, stored_time(seen)]
            cursor.execute(_NOTE_ONE, values)
            if cursor.rowcount:
                done.add(pk)
        return done


# Only where nothing was received since it was read: else the newer points would never be judged.
_NOTE_ONE = """
UPDATE monitoring_series SET judged_through = %s, judge_asked_at = NULL WHERE id = %s AND last_received_at = %s
"""
_NOTE_ALL = """
UPDATE monitoring_series s SET judged_through = seen.through, judge_asked_at = NULL
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS seen(id, through, received)
WHERE s.id = seen.id AND s.last_received_at = seen.received
RETURNING s.id
"""
