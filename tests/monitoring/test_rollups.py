"""Rollups say what the points say, also after late points and revisions, and whoever dies when."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from ledger import SYSTEM
from monitoring import rollups, tasks
from monitoring.models import Point, Rollup, Series
from monitoring.selectors import buckets as read
from monitoring.selectors import first_time, points_of
from monitoring.selectors.buckets import DAY, HOUR, Bucket, ceil, floor
from monitoring.services import push_points
from tests.factories.monitoring import SeriesFactory

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, tzinfo=UTC)


def push(series: Series, *points: tuple[datetime, float]) -> Series:
    push_points(batch=[{"series": series.pk, "time": time, "value": value} for time, value in points], by=SYSTEM)
    series.refresh_from_db()
    return series


def rolled(series: Series) -> Series:
    rollups.roll_up(series.pk)
    series.refresh_from_db()
    return series


def history(days: int, seed: int = 1) -> Series:
    """A series with a point every 20 minutes or so, with gaps."""
    chance = random.Random(seed)  # a repeatable one
    times = [START + timedelta(minutes=20 * number, seconds=chance.randrange(900)) for number in range(days * 72)]
    kept = [time for time in times if chance.random() > 0.2 and not 5 <= time.day <= 6]
    return push(SeriesFactory.create(), *((time, round(chance.gauss(1, 0.3), 3)) for time in kept))


def by_hand(series: Series, found: list[Bucket], end: datetime) -> list[tuple[float, float, float, float, int]]:
    """What the buckets should say, computed from the points one by one."""
    points = list(points_of(series))
    starts = [bucket.start for bucket in found]
    groups = [
        [point.value for point in points if begin <= point.time < stop]
        for begin, stop in zip(starts, [*starts[1:], end], strict=True)
    ]
    return [(min(group), max(group), sum(group) / len(group), group[-1], len(group)) for group in groups]


def said(found: list[Bucket]) -> list[tuple[float, float, float, float, int]]:
    return [(one.min, one.max, one.mean, one.last, one.count) for one in found]


def check(series: Series, start: datetime, end: datetime, count: int) -> list[Bucket]:
    found = read(series, start=start, end=end, count=count)
    assert 0 < len(found) <= count
    expected = by_hand(series, found, end)
    assert [one[-2:] for one in said(found)] == [one[-2:] for one in expected]
    assert said(found) == [pytest.approx(one) for one in expected]
    return found


def test_an_hour_and_its_day_are_summed_up() -> None:
    series = rolled(push(SeriesFactory.create(), *((START + timedelta(minutes=n), float(n)) for n in range(90))))
    first, second = Rollup.objects.filter(span=Rollup.Span.HOUR).order_by("start")
    (day,) = Rollup.objects.filter(span=Rollup.Span.DAY)
    assert (first.start, first.count, first.total, first.least, first.greatest, first.last) == (
        START,
        60,
        1770,
        0,
        59,
        59,
    )
    assert (second.count, second.last_time) == (30, START + timedelta(minutes=89))
    assert (day.start, day.count, day.total, day.last) == (START, 90, 4005, 89)
    assert (series.rollup_from, series.rollup_to) == (None, None)


@pytest.mark.parametrize(("days", "count"), [(40, 300), (40, 100), (40, 7), (40, 2000), (3, 10), (1, 1)])
def test_long_ranges_read_from_rollups_say_what_the_points_say(days: int, count: int) -> None:
    series = rolled(history(40))
    offset = timedelta(minutes=37)
    check(series, START + offset, START + timedelta(days=days) - offset, count)


def test_long_ranges_touch_few_points() -> None:
    series = rolled(history(20))
    Point.objects.update(value=1000)  # would show
    found = read(series, start=START, end=START + timedelta(days=20), count=100)
    assert max(bucket.max for bucket in found) < 10


def test_what_is_not_rolled_up_yet_is_read_from_its_points() -> None:
    series = rolled(history(10))
    push(series, (START + timedelta(days=12, minutes=5), 50.0))
    assert series.rollup_from is not None
    found = check(series, START, START + timedelta(days=13), 60)
    assert found[-1].last == 50.0


def test_a_late_point_is_seen_before_and_after_the_next_rollup() -> None:
    series = rolled(history(20))
    late = START + timedelta(days=9, minutes=1)
    push(series, (late, 77.0))
    for _ in range(2):
        found = check(series, START, START + timedelta(days=20), 100)
        assert max(bucket.max for bucket in found) == 77.0
        rolled(series)
    assert series.rollup_from is None


def test_a_revision_replaces_what_was_summed_up() -> None:
    time = START + timedelta(hours=3)
    series = rolled(push(SeriesFactory.create(), (time, 5.0), (time + timedelta(minutes=1), 1.0)))
    rolled(push(series, (time, 2.0)))
    hour = Rollup.objects.get(span=Rollup.Span.HOUR)
    day = Rollup.objects.get(span=Rollup.Span.DAY)
    assert (hour.count, hour.total, hour.greatest) == (2, 3.0, 2.0)
    assert (day.count, day.total, day.greatest) == (2, 3.0, 2.0)


def test_the_last_of_an_hour_is_the_latest_revision_of_the_highest_step() -> None:
    time = START + timedelta(minutes=30)
    series = SeriesFactory.create()
    for step, value in ((2, 1.0), (1, 9.0), (2, 3.0)):
        push_points(batch=[{"series": series.pk, "time": time, "step": step, "value": value}], by=SYSTEM)
    rolled(series)
    assert Rollup.objects.get(span=Rollup.Span.HOUR).last == 3.0


def test_the_hour_that_runs_is_left_until_it_is_over() -> None:
    now = timezone.now()
    series = rolled(push(SeriesFactory.create(), (now - timedelta(hours=5), 1.0), (now - timedelta(minutes=1), 2.0)))
    assert Rollup.objects.filter(span=Rollup.Span.HOUR).count() == 1
    assert series.rollup_from == floor(now - rollups.SETTLED, HOUR)
    assert rollups.due(now) == []
    assert rollups.due(now + timedelta(hours=2)) == [series.pk]


def test_long_marks_are_worked_off_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "AT_ONCE", timedelta(days=3))
    series = history(10)
    assert rollups.roll_up(series.pk) == 3
    check(rolled(series), START, START + timedelta(days=10), 50)


def test_death_between_two_pieces_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "AT_ONCE", timedelta(days=3))
    series = history(10)
    sum_up, calls = rollups._sum_up, []

    def die_in_the_third(*args: object) -> None:
        sum_up(*args)  # type: ignore[arg-type]  # as given
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(rollups, "_sum_up", die_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        rollups.roll_up(series.pk)
    series.refresh_from_db()
    assert series.rollup_from == START + timedelta(days=6)
    check(series, START, START + timedelta(days=10), 50)
    monkeypatch.setattr(rollups, "_sum_up", sum_up)
    check(rolled(series), START, START + timedelta(days=10), 50)


def test_the_sweep_finds_what_is_owed() -> None:
    series = [history(2, seed) for seed in range(3)]
    assert tasks.roll_up_points() == 3
    assert tasks.roll_up_points() == 0
    for one in series:
        one.refresh_from_db()
        assert one.rollup_from is None


def test_a_range_without_points_has_no_buckets() -> None:
    series = rolled(history(1))
    assert read(series, start=START - timedelta(days=300), end=START, count=10) == []
    assert first_time(SeriesFactory.create(metric="psi")) is None


@pytest.mark.parametrize("unit", [HOUR, DAY])
def test_floor_and_ceil_are_in_utc(unit: timedelta) -> None:
    moment = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    assert floor(moment, unit) <= moment <= ceil(moment, unit)
    assert ceil(floor(moment, unit), unit) == floor(moment, unit)
    assert ceil(moment, unit) - floor(moment, unit) == unit
