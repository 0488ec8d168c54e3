"""What each kind of rule makes of points. No database."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid
from monitoring.condition import Condition, Ground, Reading, conditions, in_order
from monitoring.rules import ACT, WARN, Draft, level_of, refuse_limits, walk
from monitoring.selectors.points import Sampled

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
START = datetime(2026, 11, 2, 6, tzinfo=UTC)  # a Monday
sizes = st.floats(min_value=0.01, max_value=1000, allow_nan=False)
values = st.lists(st.floats(min_value=-1000, max_value=1000, allow_nan=False), max_size=60)


def points(found: Sequence[float], *, apart: timedelta = DAY, n: int | None = 100) -> list[Sampled]:
    return [Sampled(START + index * apart, 0, value, n) for index, value in enumerate(found)]


def ground(*, baseline: float | None = None, every: timedelta = DAY, days: float = 100) -> Ground:
    return Ground(baseline, every, START + timedelta(days=days))


def kind(key: str, **params: str) -> Condition:
    return conditions.get(key)(params)


def fired(condition: Condition, rule: Draft, found: Sequence[Sampled], on: Ground) -> list[tuple[str, str, datetime]]:
    held = condition.held(rule)
    return [(c.what, c.level, c.point.time) for c in walk(held, condition.readings(found, on))]


def said(condition: Condition, rule: Draft, found: Sequence[Sampled], on: Ground, unit: str = "ratio") -> str:
    change = next(walk(condition.held(rule), condition.readings(found, on)))
    reading: Reading = change.point
    return condition.says(rule, change.level, reading, name="F1 score", unit=unit)


def test_every_kind_is_one_file_and_explains_itself() -> None:
    assert [one.key for one in in_order()] == [
        "threshold",
        "baseline",
        "previous",
        "weekday",
        "missing",
        "page_hinkley",
        "adwin",
    ]
    for one in conditions:
        assert one.ways
        assert str(one.label)
        assert str(one.about).endswith(".")


def test_a_fixed_limit_reads_the_value_itself() -> None:
    rule = Draft(">=", warn=0.85, act=0.8)
    on = ground()
    assert fired(kind("threshold"), rule, points([0.9, 0.84, 0.79]), on) == [
        ("opened", WARN, START + DAY),
        ("raised", ACT, START + 2 * DAY),
    ]
    assert said(kind("threshold"), rule, points([0.84]), on) == "F1 score is 0.84; it should be at least 0.85."
    assert said(kind("threshold"), Draft("between", warn=1, warn_high=15), points([20]), on, "%") == (
        "F1 score is 20%; it should be between 1 and 15%."
    )


# -- Against the baseline --------------------------------------------------------------------------------------------


def test_a_fall_below_the_baseline_is_measured_in_percent_of_it() -> None:
    rule = Draft(">=", warn=5, act=10)
    on = ground(baseline=0.8)
    assert fired(kind("baseline"), rule, points([0.8, 0.76, 0.75, 0.71]), on) == [
        ("opened", WARN, START + 2 * DAY),
        ("raised", ACT, START + 3 * DAY),
    ]
    assert fired(kind("baseline"), rule, points([5.0]), on) == []
    assert said(kind("baseline"), rule, points([0.72]), on) == (
        "F1 score is 0.72, 10% below the baseline of 0.8; at most 5% is allowed."
    )
    assert kind("baseline").asks(rule, ACT, "ratio") == "at most 10% below the baseline"


def test_a_rise_or_either_side_can_be_watched_and_in_the_unit_too() -> None:
    on = ground(baseline=100)
    rise, either = Draft("<=", warn=20), Draft("between", warn=20)
    in_unit = kind("baseline", measured_in="absolute")
    assert [what for what, _l, _t in fired(in_unit, rise, points([79, 121]), on)] == ["opened"]
    assert [time for _w, _l, time in fired(in_unit, either, points([79, 100, 121]), on)] == [
        START,
        START + DAY,
        START + 2 * DAY,
    ]
    reading = next(in_unit.readings(points([130]), on))
    assert in_unit.limit_value(rise, WARN, reading) == 120


def test_without_a_baseline_nothing_is_said() -> None:
    rule = Draft(">=", warn=5)
    assert fired(kind("baseline"), rule, points([0.1]), ground()) == []
    assert fired(kind("baseline"), rule, points([-10]), ground(baseline=0)) == []


@given(values, sizes, st.sampled_from([">=", "<=", "between"]))
def test_a_comparison_fires_exactly_where_the_value_is_that_far_away(found: list[float], size: float, op: str) -> None:
    on = ground(baseline=10)
    condition = kind("baseline", measured_in="absolute")
    held = condition.held(Draft(op, warn=size))
    for reading in condition.readings(points(found), on):
        assert reading.shown is not None
        change = float(f"{reading.shown - 10:.12g}")
        far = {">=": change < -size, "<=": change > size, "between": abs(change) > size}[op]
        assert (level_of(held, reading.value) == WARN) is far


# -- Against the window before ---------------------------------------------------------------------------------------


def test_a_value_is_compared_with_the_one_before() -> None:
    rule = Draft("between", warn=50)
    assert [time for _w, _l, time in fired(kind("previous"), rule, points([10, 14, 30, 31]), ground())] == [
        START + 2 * DAY,
        START + 3 * DAY,
    ]
    assert said(kind("previous"), rule, points([10, 20]), ground()) == (
        "F1 score is 20, 100% above the value before (10); at most 50% is allowed."
    )


def test_weeks_are_compared_with_weeks() -> None:
    condition = kind("previous", size="7")
    steady = [10.0] * 14
    assert len(list(condition.readings(points(steady), ground()))) == 1
    assert fired(condition, Draft(">=", warn=20), points([*steady, *[5.0] * 7]), ground())[0][2] == START + 16 * DAY
    assert condition.reach(DAY).points == 13


@given(values, st.integers(min_value=1, max_value=9))
def test_the_window_before_needs_no_more_history_than_it_says(found: list[float], size: int) -> None:
    condition = kind("previous", size=str(size), measured_in="absolute")
    whole = list(condition.readings(points(found), ground()))
    assert len(whole) == max(0, len(found) - 2 * size + 1)
    if whole:
        tail = points(found)[-condition.reach(DAY).points - 1 :]
        assert next(iter(reversed(list(condition.readings(tail, ground()))))) == whole[-1]


# -- Against the same weekday ----------------------------------------------------------------------------------------


def weekly(weeks: int) -> list[float]:
    """Busy days and quiet weekends."""
    return [100, 110, 105, 108, 112, 20, 15] * weeks


def test_a_quiet_weekend_is_usual_and_a_quiet_monday_is_not() -> None:
    rule = Draft(">=", warn=30, act=60)
    condition = kind("weekday", weeks="4")
    assert fired(condition, rule, points(weekly(6)), ground()) == []
    assert fired(condition, rule, points([*weekly(6), 20]), ground()) == [("opened", ACT, START + 42 * DAY)]
    assert said(condition, rule, points([*weekly(6), 20]), ground(), "requests") == (
        "F1 score is 20 requests, 80% below what is usual on a Monday (100 requests); at most 60% is allowed."
    )


def test_a_single_holiday_does_not_become_the_norm() -> None:
    holiday = weekly(4)
    holiday[7] = 0
    readings = list(kind("weekday", weeks="4").readings(points([*holiday, 100]), ground()))
    assert readings[-1].value == 0


def test_weekdays_need_half_of_the_weeks() -> None:
    condition = kind("weekday", weeks="4")
    assert list(condition.readings(points([*weekly(1), 100]), ground())) == []
    assert len(list(condition.readings(points([*weekly(2), 100]), ground()))) == 1


def test_hourly_values_are_compared_with_the_same_hour() -> None:
    found = [float(hour % 24) + 1 for hour in range(24 * 7 * 3)]
    on = ground(every=HOUR)
    assert all(r.value == 0 for r in kind("weekday", weeks="2").readings(points(found, apart=HOUR), on))


@given(st.lists(st.floats(min_value=1, max_value=1000), min_size=15, max_size=70), st.integers(2, 6))
def test_weekdays_agree_with_the_plain_definition_and_with_the_history_asked_for(
    found: list[float], weeks: int
) -> None:
    condition = kind("weekday", weeks=str(weeks), measured_in="absolute")
    listed = points(found)
    by_time = {reading.time: reading for reading in condition.readings(listed, ground())}
    for index, point in enumerate(listed):
        same = [found[index - 7 * week] for week in range(1, weeks + 1) if index - 7 * week >= 0]
        if 2 * len(same) < weeks:
            assert point.time not in by_time
        else:
            assert by_time[point.time].against == pytest.approx(median(same))
    last = listed[-1]
    spans = condition.reach(DAY).spans
    near = [p for p in listed if any(far >= last.time - p.time >= close for far, close in spans)] + [last]
    alone = [reading for reading in condition.readings(near, ground()) if reading.time == last.time]
    expected = by_time[last.time].against if last.time in by_time else None
    assert (alone[0].against if alone else None) == (None if expected is None else pytest.approx(expected))


# -- Missing values --------------------------------------------------------------------------------------------------


def test_holes_and_silence_are_counted_and_lateness_is_not() -> None:
    condition = kind("missing", windows="5")
    days = [0, 1, 2.4, 3, 5, 6, 7, 8, 9, 10, 11]  # one late, one missing between the third and the fifth day
    found = [Sampled(START + timedelta(days=day), 0, 1.0, None) for day in days]
    on = ground(days=11.2)
    readings = [(reading.time, reading.value) for reading in condition.readings(found, on)]
    assert max(value for _time, value in readings) == 1
    assert readings[-1][0] == START + 11 * DAY
    assert not readings[-1][1]
    later = [(c[0], c[1]) for c in fired(condition, Draft("<=", warn=1, act=3), found, ground(days=20))]
    assert later == [("opened", WARN), ("raised", ACT)]


def test_silence_counts_up_to_the_window_and_a_value_ends_it_once_the_hole_is_past() -> None:
    condition = kind("missing", windows="3")
    quiet = list(condition.readings(points([1.0]), ground(days=50)))
    assert [reading.value for reading in quiet] == [0, 1, 2, 3]
    again = [Sampled(START + timedelta(days=day), 0, 1.0, None) for day in (0, 4, 5, 6, 7, 8)]
    changes = fired(condition, Draft("<=", warn=0), again, ground(days=8))
    assert [change[0] for change in changes] == ["opened", "resolved"]
    assert changes[1][2] == START + 7 * DAY


def test_nothing_is_missing_where_nothing_is_expected_or_ever_came() -> None:
    assert list(kind("missing").readings(points([1]), ground(every=timedelta(0)))) == []
    assert list(kind("missing").readings([], ground())) == []


@given(st.lists(st.floats(min_value=0.2, max_value=6), max_size=30), st.integers(1, 12))
def test_missing_values_are_never_more_than_are_looked_at(gaps: list[float], windows: int) -> None:
    time, found = START, [Sampled(START, 0, 1.0, None)]
    for gap in gaps:
        time += gap * DAY
        found.append(Sampled(time, 0, 1.0, None))
    readings = list(kind("missing", windows=str(windows)).readings(found, ground(days=sum(gaps) + 3)))
    assert all(0 <= reading.value <= windows for reading in readings)
    assert [reading.time for reading in readings] == sorted(reading.time for reading in readings)


# -- What every rule has ---------------------------------------------------------------------------------------------


def test_n_of_m_forgives_what_lies_between() -> None:
    rule = Draft(">=", warn=0.85, needed=3, among=5)
    found = points([0.8, 0.9, 0.8, 0.9, 0.8])
    assert fired(kind("threshold"), rule, found, ground()) == [("opened", WARN, START + 4 * DAY)]
    assert fired(kind("threshold"), rule, points([0.8, 0.8, 0.9, 0.9, 0.9]), ground()) == []


def test_act_is_reached_when_enough_of_them_act() -> None:
    rule = Draft(">=", warn=0.85, act=0.8, needed=2, among=3)
    changes = fired(kind("threshold"), rule, points([0.84, 0.7, 0.84, 0.7]), ground())
    assert [change[:2] for change in changes] == [("opened", WARN), ("raised", ACT)]


def test_an_alert_ends_at_the_limit_of_its_own() -> None:
    edge = [0.84, 0.86, 0.84, 0.86, 0.88]
    flapping = fired(kind("threshold"), Draft(">=", warn=0.85), points(edge), ground())
    assert [change[0] for change in flapping] == ["opened", "resolved", "opened", "resolved"]
    calm = fired(kind("threshold"), Draft(">=", warn=0.85, clear=0.87), points(edge), ground())
    assert [(change[0], change[2]) for change in calm] == [("opened", START), ("resolved", START + 4 * DAY)]


def test_too_small_a_sample_neither_fires_nor_ends_an_alert() -> None:
    rule = Draft(">=", warn=0.85, min_n=50)
    few = [Sampled(START + index * DAY, 0, value, n) for index, (value, n) in enumerate([(0.1, 3), (0.1, None)])]
    assert fired(kind("threshold"), rule, few, ground()) == []
    mixed = [Sampled(START, 0, 0.1, 80), Sampled(START + DAY, 0, 0.9, 3), Sampled(START + 2 * DAY, 0, 0.9, 80)]
    assert fired(kind("threshold"), rule, mixed, ground())[-1] == ("resolved", WARN, START + 2 * DAY)


@given(values, st.integers(1, 4), st.integers(0, 4), st.integers(min_value=0, max_value=59))
def test_walking_in_two_parts_is_walking_once_for_n_of_m_and_hysteresis(
    found: list[float], needed: int, more: int, cut: int
) -> None:
    rule = Draft("<=", warn=10, act=100, needed=needed, among=needed + more, clear=5)
    listed = points(found)
    whole = list(walk(rule, listed))
    first = list(walk(rule, listed[:cut]))
    level = None if not first or first[-1].what == "resolved" else first[-1].level
    since = listed[cut].time if cut < len(listed) else START + 100 * DAY
    before = listed[max(0, cut - rule.among + 1) :]
    assert first + list(walk(rule, before, since=since, level=level)) == whole


@given(values)
def test_the_order_of_points_of_the_past_never_opens_two_alerts_at_once(found: list[float]) -> None:
    shuffled = list(found)
    random.Random(1).shuffle(shuffled)
    changes = list(walk(Draft("<=", warn=0, clear=-5), points(shuffled)))
    opened = 0
    for change in changes:
        opened += {"opened": 1, "resolved": -1, "raised": 0}[change.what]
        assert opened in {0, 1}


@pytest.mark.parametrize(
    ("key", "rule", "field"),
    [
        ("threshold", Draft(">=", warn=0.85, clear=0.8), "clear"),
        ("threshold", Draft("<=", act=2, clear=3), "clear"),
        ("threshold", Draft("between", warn=1, warn_high=2, clear=1.2), "clear_high"),
        ("threshold", Draft(">=", warn=0.85, needed=3, among=2), "needed"),
        ("threshold", Draft(">=", warn=0.85, among=101), "among"),
        ("threshold", Draft(">=", warn=0.85, min_n=-1), "min_n"),
        ("baseline", Draft(">=", warn=-5), "warn"),
        ("baseline", Draft(">=", warn=10, act=5), "act"),
        ("baseline", Draft(">=", warn=10, act_high=5), "act_high"),
        ("baseline", Draft("<", warn=10), "op"),
        ("baseline", Draft(">="), "warn"),
        ("weekday", Draft("between", warn=10, clear=20), "clear"),
        ("missing", Draft(">=", warn=1), "op"),
        ("missing", Draft("<=", warn=10), "warn"),
        ("missing", Draft("<=", warn=1, min_n=5), "min_n"),
    ],
)
def test_contradictory_limits_are_refused_by_their_kind(key: str, rule: Draft, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        refuse_limits(kind(key).problems(rule))
    assert field in caught.value.errors


@pytest.mark.parametrize(
    ("key", "params", "field"),
    [
        ("weekday", {"weeks": "1"}, "weeks"),
        ("weekday", {"weeks": "many"}, "weeks"),
        ("previous", {"size": "0"}, "size"),
        ("baseline", {"measured_in": "inches"}, "measured_in"),
        ("threshold", {"weeks": "4"}, "weeks"),
    ],
)
def test_settings_are_checked_by_their_kind(key: str, params: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        conditions.get(key).check(params)
    assert field in caught.value.errors


def test_settings_left_out_take_their_defaults() -> None:
    assert conditions.get("weekday").check({}) == {"weeks": "4", "measured_in": "percent"}
