"""A rule tried on the past: the alerts that it would have opened, as it is judged today. Nothing is stored.

The whole range is walked through at once; points that were corrected since count as corrected, and the baseline is
today's. So a trial tells of the rule, not of what people would have seen on that day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from monitoring.condition import Reading
from monitoring.history import readings_of
from monitoring.models import Rule, Series
from monitoring.rules import ACT, BETWEEN, Episode, episodes, limits_of, walk
from monitoring.selectors.points import points_of, points_since
from monitoring.wording import condition_of

DAYS = 90
MOST_SHOWN = 200
TRIED_OVER = timedelta(days=DAYS)


@dataclass(frozen=True, slots=True)
class Trial:
    """What would have happened. ``judged`` are the readings of which the rule can say something."""

    rule: Rule
    start: datetime
    end: datetime
    points: int
    readings: list[Reading] = field(repr=False)
    alerts: list[Episode]

    @property
    def fired(self) -> int:
        return len(self.alerts)

    @property
    def act(self) -> int:
        """How many of them would have been breaches."""
        return sum(1 for alert in self.alerts if alert.level == ACT)

    @property
    def judged(self) -> int:
        least = self.rule.min_n
        return sum(1 for reading in self.readings if not least or (reading.n is not None and reading.n >= least))

    @property
    def shown(self) -> list[Episode]:
        """The newest alerts, the newest first."""
        return self.alerts[: -MOST_SHOWN - 1 : -1]


def trial_of(rule: Rule, series: Series, now: datetime) -> Trial:
    """Try a rule, stored or not, on the last 90 days."""
    start = now - TRIED_OVER
    condition = condition_of(rule)
    reach = condition.reach(timedelta(seconds=series.expected_every_seconds))
    furthest = max((far for far, _near in reach.spans), default=timedelta(0))
    before = reach.points + rule.among - 1
    if furthest:
        points = list(points_of(series, start=start - furthest))
    else:
        points = points_since({series.pk: start}, before=before)[series.pk]
    readings = [reading for reading in readings_of(rule, series, points, until=now) if reading.time <= now]
    found = episodes(walk(condition.held(rule), readings, since=start))
    within = [reading for reading in readings if reading.time >= start]
    return Trial(rule, start, now, sum(1 for point in points if point.time >= start), within, found)


def chart_of(trial: Trial, series: Series) -> dict[str, Any]:
    """The trial as the chart component reads it: values, what they are compared with, and when it would have fired."""
    values = [reading for reading in trial.readings if reading.shown is not None]
    step = max(1, len(values) // 1000)
    opened = {alert.opened_at for alert in trial.alerts}
    values = [reading for n, reading in enumerate(values) if n % step == 0 or reading.time in opened]
    lines: list[dict[str, Any]] = [{"name": _("Value"), "points": [[_iso(r.time), r.shown] for r in values]}]
    if any(reading.against is not None for reading in values):
        against = [[_iso(r.time), r.against] for r in values]
        lines.append({"name": _("Compared with"), "tone": "neutral", "points": against})
    return {
        "kind": "line",
        "unit": series.unit,
        "x": {"type": "time", "min": _iso(trial.start), "max": _iso(trial.end)},
        "y": {"type": "value", "label": series.unit},
        "series": lines,
        "thresholds": list(_thresholds(trial.rule)),
        "markers": [
            {
                "at": _iso(alert.opened_at),
                "label": _("Act") if alert.level == ACT else _("Warn"),
                "tone": "blocked" if alert.level == ACT else "attention",
            }
            for alert in trial.alerts[-MOST_SHOWN:]
        ],
    }


def _thresholds(rule: Rule) -> Iterator[dict[str, Any]]:
    """The limits, where they are values of the series."""
    if rule.condition != "threshold":
        return
    for level, label, tone in (("warn", _("Warn"), "attention"), ("act", _("Act"), "blocked")):
        low, high = limits_of(rule, level)
        for value in (low, high if rule.op == BETWEEN else None):
            if value is not None:
                yield {"value": value, "label": label, "tone": tone}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
