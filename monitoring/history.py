"""The points that judging needs: those to be judged, and as many before them as the rules look back upon.

For any number of series in three queries: those that look back a few points, those that look back many, and those
that look back to the same time of earlier weeks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from monitoring.condition import Ground, Reach, Reading
from monitoring.models import Rule, Series
from monitoring.selectors.points import Sampled, points_since, points_within
from monitoring.wording import condition_of

FEW = 24
Points = Mapping[int, Sequence[Sampled]]


def history(series: Sequence[Series], starts: Mapping[int, datetime]) -> dict[int, list[Sampled]]:
    """The points of each series from its start on, and what its enabled rules need before it."""
    needs = {one.pk: [_reach(rule, one) for rule in one.rules.all()] for one in series if one.pk in starts}
    before = {pk: max((reach.points for reach in reaches), default=0) for pk, reaches in needs.items()}
    found: dict[int, list[Sampled]] = {}
    for many in (False, True):
        some = {pk: starts[pk] for pk, count in before.items() if (count > FEW) is many}
        found |= points_since(some, before=max((before[pk] for pk in some), default=0))
    spans = [span for pk, reaches in needs.items() for span in _spans(pk, reaches, found.get(pk, ()))]
    for pk, earlier in points_within(spans).items():
        known = {(point.time, point.step) for point in found[pk]}
        missing = [point for point in earlier if (point.time, point.step) not in known]
        found[pk] = sorted([*missing, *found[pk]], key=lambda point: (point.time, point.step))
    return found


def readings_of(rule: Rule, series: Series, points: Sequence[Sampled], *, until: datetime) -> Iterator[Reading]:
    """What the rule makes of the points."""
    return condition_of(rule).readings(points, ground_of(series, until))


def ground_of(series: Series, until: datetime) -> Ground:
    return Ground(series.baseline, timedelta(seconds=series.expected_every_seconds), until)


def _reach(rule: Rule, series: Series) -> Reach:
    reach = condition_of(rule).reach(timedelta(seconds=series.expected_every_seconds))
    points = reach.points + rule.among - 1
    # Points of one time and different steps, and those judged a second time, are counted among them.
    return Reach(points=2 * points, spans=reach.spans)


def _spans(pk: int, reaches: Iterable[Reach], points: Sequence[Sampled]) -> Iterator[tuple[int, datetime, datetime]]:
    if not points:
        return
    first, last = points[0].time, points[-1].time
    for reach in reaches:
        for far, near in reach.spans:
            yield pk, first - far, last - near
