"""Ninety days of metrics of everything that runs, with rules; some of it drifts, some breaks a limit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gates.demonstration.story import Story
from monitoring.catalogue import metrics as catalogue
from monitoring.condition import conditions
from monitoring.models import Point, Rule, Series

DAYS = 90
REPORTED_AT = 6
DRIFT_DAYS = 12
BREACH_DAYS = 3


@dataclass(frozen=True, slots=True)
class Watched:
    """One metric: its usual value, how much it moves, and its limits (low side or high side, or a band)."""

    metric: str
    usual: float
    moves: float
    op: str = ""
    warn: float | None = None
    act: float | None = None
    high: tuple[float, float] | None = None
    kinds: tuple[str, ...] = ()


RUNNING = (
    Watched("dq_completeness", 98.7, 0.25, ">=", 97, 95),
    Watched("psi", 0.045, 0.012, "<=", 0.1, 0.25),
    Watched("prediction_psi", 0.05, 0.012, "<=", 0.1, 0.25),
    Watched("live_vs_offline_drop", 1.1, 0.3, "<=", 3, 5),
    Watched("latency_p95", 610, 45, "<=", 800, 1200),
    Watched("error_rate", 0.42, 0.1, "<=", 1, 2),
    Watched("cost_1k", 2.1, 0.12, "<=", 2.8, 3.4),
    Watched("mean_confidence", 0.87, 0.008, "between", 0.8, 0.7, (0.96, 0.99)),
    Watched("override_rate", 6.2, 1.2, "between", 1, 0.2, (15, 30)),
    Watched("request_volume", 4200, 600),
)
IN_OPERATION = (
    Watched("review_coverage", 100, 0.0, ">=", 100, 98),
    Watched("availability", 99.93, 0.03, ">=", 99.5, 99.0),
    Watched("log_gap_days", 0, 0.0, kinds=("logs",)),
    Watched("feedback_closed", 92.4, 1.8, ">=", 80, 60),
    Watched("appeals_overdue", 0, 0.0),
    Watched("bias_drift", 0.8, 0.2, "<=", 2, 5),
    Watched("cost_vs_budget", 95, 2.5, "<=", 110, 130),
)


# Kind of rule, name, what must not happen, how far before it warns and acts (per cent; for missing values a count).
COMPARED: dict[str, tuple[str, str, str, float, float]] = {
    "request_volume": ("weekday", "Volume usual for the weekday", "between", 45, 70),
    "cost_1k": ("baseline", "Cost near its baseline", "<=", 25, 50),
    "dq_completeness": ("missing", "Reports every day", "<=", 1, 3),
}


def watch(story: Story) -> None:
    """Series, points and rules of a use case that runs at least in a pilot."""
    began = story.passed.get("poc_to_pilot")
    if began is None or story.stage not in ("pilot", "production", "operations", "retired"):
        return
    good = float(story.traits.good)
    quality = Watched(story.traits.metric, good, good * 0.004, ">=", *_limits(story.traits.metric))
    watched = [quality, *RUNNING]
    if story.stage in ("production", "operations", "retired"):
        watched += IN_OPERATION
    for item in watched:
        _series(story, item, began)


def _limits(metric: str) -> tuple[float, float]:
    known = catalogue()[metric]
    assert known.warn is not None
    assert known.act is not None
    assert known.warn.number is not None
    return known.warn.number, known.act.number or known.warn.number


def _series(story: Story, item: Watched, began: datetime) -> None:
    known = catalogue().get(item.metric)
    series = Series(
        id=_series_id(story, item.metric),
        use_case=story.use_case,
        metric=item.metric,
        name=known.name if known else item.metric.replace("_", " ").capitalize(),
        unit=known.unit if known else "%" if "vs" in item.metric else "count",
        direction=known.direction if known else "lower",
        kinds=list(known.monitors) if known else list(item.kinds),
        window_seconds=86400,
        baseline=item.usual,
        baseline_at=began,
        expected_every_seconds=0 if story.stage == "retired" else 2 * 86400,
        created_at=began,
    )
    story.rows.add(series)
    points = list(_points(story, item, began))
    for time, value in points:
        story.rows.add(
            Point(series_id=series.pk, time=time, step=0, revision=0, value=value, received_at=_received(time))
        )
    if points:
        series.last_time, series.last_value = points[-1]
        series.rollup_from, series.rollup_to = points[0][0], points[-1][0]
        series.last_received_at = _received(points[-1][0])
        series.silent_after = points[-1][0] + timedelta(days=2) if series.expected_every_seconds else None
        series.judge_asked_at = story.today
    if item.op:
        _rule(story, series, item, began)
    if item.metric in COMPARED:
        _compared(story, series, item.metric, began)


def _rule(story: Story, series: Series, item: Watched, began: datetime) -> None:
    story.rows.add(
        Rule(
            id=story.id("rule", item.metric),
            series=series,
            name=f"{series.name} inside limits",
            op=item.op,
            warn=item.warn,
            act=item.act,
            warn_high=item.high[0] if item.high else None,
            act_high=item.high[1] if item.high else None,
            reaction="Look at the newest inputs; retrain or roll back when it stays.",
            created_by=story.person("technical_lead"),
            created_at=began,
        )
    )


def _compared(story: Story, series: Series, metric: str, began: datetime) -> None:
    condition, name, op, warn, act = COMPARED[metric]
    story.rows.add(
        Rule(
            id=story.id("rule", f"{metric} {condition}"),
            series=series,
            name=name,
            condition=condition,
            params=conditions.get(condition).check({}),
            op=op,
            warn=warn,
            act=act,
            reaction="Ask the owner of the calling system what changed.",
            created_by=story.person("technical_lead"),
            created_at=began,
        )
    )


def _points(story: Story, item: Watched, began: datetime) -> Iterator[tuple[datetime, float]]:
    """A point a day at 06:00 UTC, and those around each decision further back."""
    newest = story.latest(REPORTED_AT)
    ended = 70 if story.stage == "retired" else -1
    days = [newest - timedelta(days=n) for n in range(DAYS, ended, -1)]
    decided = [d.replace(hour=REPORTED_AT, minute=0, second=0, microsecond=0) for d in story.passed.values()]
    older = [d - timedelta(days=n) for d in decided for n in range(7)]
    moments = sorted({d for d in (*older, *days) if d > began})
    for n, moment in enumerate(moments):
        season = math.sin((n + story.n) / 7 * 2 * math.pi)
        value = item.usual + item.moves * (0.5 * season + story.rng.uniform(-0.6, 0.6))
        yield moment, round(_told(story, item, value, (newest - moment).days), 4)


def _told(story: Story, item: Watched, value: float, days_ago: int) -> float:
    """What the story does to a value: data drift creeps in, or quality falls below its limit."""
    if story.health == "drifting" and item.metric in ("psi", "prediction_psi") and days_ago < DRIFT_DAYS:
        value += (DRIFT_DAYS - days_ago) * 0.0095
    if story.health == "breached" and item.metric == story.traits.metric and days_ago < BREACH_DAYS:
        value -= float(story.traits.good) * 0.13
    return max(value, 0.0) if item.metric != "review_coverage" else 100.0


def _received(time: datetime) -> datetime:
    return time + timedelta(minutes=4)


def _series_id(story: Story, metric: str) -> int:
    """Sequence of its own: stories are counted from 1, and no story watches a hundred metrics."""
    names = [story.traits.metric, *(w.metric for w in (*RUNNING, *IN_OPERATION))]
    return story.n * 100 + names.index(metric)
