"""Silence is an alert of its own: a monitor that stopped reporting proves nothing, however good its last value was."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.database import lock_rows
from ledger import SYSTEM, UnitOfWork, unit_of_work
from monitoring.alerting import open_alert, raise_alert, unresolved
from monitoring.models import Series
from monitoring.rules import ACT, WARN
from monitoring.wording import series_name, span
from portfolio.models import Stage, Status

LIVE_STAGES = (Stage.PILOT, Stage.PRODUCTION, Stage.OPERATIONS)
"""Silence matters where a system runs; a measurement of an idea or a proof of concept may stand alone."""
BREACH_AFTER = 3
"""Times the expected interval: so long without a point, and the warning becomes a breach."""


def silent_series(now: datetime) -> QuerySet[Series]:
    """Series that should have reported by now and did not."""
    return Series.objects.filter(
        enabled=True,
        expected_every_seconds__gt=0,
        silent_after__lt=now,
        use_case__stage__in=LIVE_STAGES,
        use_case__status=Status.ACTIVE,
    )


def is_silent(series: Series) -> bool:
    return silent_series(timezone.now()).filter(pk=series.pk).exists()


def judge_silence() -> int:
    """Open an alert for each silent series and raise those silent for much longer; returns how many changed."""
    now = timezone.now()
    silent = silent_series(now)
    known = dict(unresolved().filter(rule__isnull=True, series__in=silent).values_list("series_id", "level"))
    changed = 0
    for series in silent.order_by("pk"):
        if known.get(series.pk) not in {_level(series, now), ACT}:
            with unit_of_work(by=SYSTEM) as uow:
                changed += _speak_of(uow, series.pk, now)
    return changed


def _speak_of(uow: UnitOfWork, series_id: int, now: datetime) -> int:
    series = lock_rows(silent_series(now).filter(pk=series_id).select_related("use_case__unit")).first()
    if series is None:  # it reported meanwhile
        return 0
    level = _level(series, now)
    alert = unresolved().filter(series=series, rule__isnull=True).first()
    if alert is None:
        open_alert(uow, series, rule=None, level=level, message=_message(series, now), point_time=series.last_time)
    elif alert.level == WARN and level == ACT:
        alert.series = series
        raise_alert(uow, alert, message=_message(series, now), point_time=series.last_time)
    else:
        return 0
    return 1


def _level(series: Series, now: datetime) -> str:
    since = series.last_time or series.created_at
    return ACT if (now - since).total_seconds() > BREACH_AFTER * series.expected_every_seconds else WARN


def _message(series: Series, now: datetime) -> str:
    expected = span(series.expected_every_seconds)
    if series.last_time is None:
        said = _("%(name)s has never reported; a value is expected every %(expected)s.")
        return said % {"name": series_name(series), "expected": expected}
    said = _("%(name)s has been silent for %(silent)s; a value is expected every %(expected)s.")
    silent = span((now - series.last_time).total_seconds())
    return said % {"name": series_name(series), "silent": silent, "expected": expected}
