"""How sources do, in words: what failed and what to do about it, when they were away, what their series lack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.models import Alert, Point, PullRun, Series, Source

LOOKED_BACK = timedelta(days=30)
MOST_RUNS = 2000
MOST_POINTS = 5000
ADVICE: dict[str, Any] = {
    "unreachable": gettext_lazy(
        "Nobody answers there. Check that the server runs and that the address and port are right."
    ),
    "slow": gettext_lazy("The answer takes too long. Ask for less: a narrower query, a wider step, fewer metrics."),
    "refused": gettext_lazy(
        "The address or path may not be read. Correct it, or have an operator name it in the settings "
        "TOLLGATE_OUTBOUND_ALLOW or TOLLGATE_SOURCE_ROOTS."
    ),
    "answer": gettext_lazy(
        "The server answers with an error. A status of 401 or 403 means that the secret is wrong or has ended; "
        "404 that the address moved; 500 that its owner has to look."
    ),
    "content": gettext_lazy("It answers, but not with what was expected. Press “Test” and correct the settings."),
    "secret": gettext_lazy("The installation's key changed. Edit the source and enter the secret again."),
    "crash": gettext_lazy("The connector itself failed. An operator finds the time of it in the log."),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without a value where one was expected."""

    series: Series | None
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def advice(kind: str) -> str:
    """What to do about a failure of that kind; empty for none."""
    return str(ADVICE.get(kind, ""))


def outages(source: Source, now: datetime) -> list[Gap]:
    """When it could not be read for longer than two of its intervals, in the last 30 days, the newest first."""
    rows = PullRun.objects.filter(
        source=source, outcome=PullRun.Outcome.DONE, finished_at__gte=now - LOOKED_BACK
    ).order_by("-started_at")
    times = [moment for moment in rows.values_list("finished_at", flat=True)[:MOST_RUNS] if moment]
    longest = 2 * timedelta(seconds=source.every_seconds) + timedelta(minutes=1)
    ends = [now, *times] if source.enabled else times
    return [Gap(None, earlier, later) for later, earlier in zip(ends, times, strict=False) if later - earlier > longest]


def gaps(source: Source, series: Sequence[Series], now: datetime) -> list[Gap]:
    """Where the values of its series are further apart than twice what is usual, in the last 30 days."""
    found: dict[int, list[datetime]] = {}
    rows = Point.objects.filter(series_id__in=[one.pk for one in series], revision=0, time__gte=now - LOOKED_BACK)
    for pk, moment in rows.order_by("-time").values_list("series_id", "time")[:MOST_POINTS]:
        found.setdefault(pk, []).append(moment)
    result = []
    for one in series:
        times = found.get(one.pk, [])
        steps = sorted(later - earlier for later, earlier in pairwise(times))
        if not steps:
            continue
        usual = max(steps[len(steps) // 2], timedelta(seconds=1))
        result += [
            Gap(one, earlier, later)
            for later, earlier in pairwise(times)
            if later - earlier > 2 * usual and later - earlier > timedelta(seconds=source.every_seconds)
        ]
    return sorted(result, key=lambda gap: gap.end, reverse=True)


def with_silence(rows: QuerySet[Source]) -> QuerySet[Source]:
    """Sources with ``silent``: how many of their series are in an alert because nothing comes."""
    quiet = Alert.objects.filter(series__source=OuterRef("pk"), rule__isnull=True)
    counted = quiet.exclude(state=Alert.AlertState.RESOLVED).order_by().values("series__source")
    number = Subquery(counted.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
    return rows.annotate(silent=Coalesce(number, 0))


def silence_of(series: Iterable[Series]) -> dict[int, Alert]:
    """The silence alerts that are not over, by series."""
    rows = Alert.objects.filter(series__in=list(series), rule__isnull=True)
    return {alert.series_id: alert for alert in rows.exclude(state=Alert.AlertState.RESOLVED)}


def lag(source: Source, now: datetime) -> timedelta | None:
    """How old the newest point is; None where there is none yet."""
    return None if source.watermark is None else max(now - source.watermark, timedelta(0))


def lag_seconds(source: Source, now: datetime) -> int | None:
    found = lag(source, now)
    return None if found is None else int(found.total_seconds())


def breaker(source: Source, now: datetime) -> str:
    """The state of the breaker in words."""
    if source.health != Source.Health.BROKEN:
        return str(_("closed"))
    if source.next_due_at > now:
        return str(_("open: it is tried again after a cool-down"))
    return str(_("half open: the next pull decides"))
