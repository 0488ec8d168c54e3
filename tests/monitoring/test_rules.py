"""What a rule says of points. No database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid
from monitoring.rules import ACT, WARN, Draft, check_limits, episodes, judge, level_of, limit_broken, walk
from monitoring.selectors.points import Sampled

START = datetime(2026, 11, 21, tzinfo=UTC)
AT_LEAST = Draft(">=", warn=0.85, act=0.8)
AT_MOST = Draft("<=", warn=1, act=2)
BAND = Draft("between", warn=1, warn_high=15, act=0.2, act_high=30)


def series(values: Sequence[float]) -> list[Sampled]:
    return [Sampled(START + timedelta(minutes=index), 0, value, None) for index, value in enumerate(values)]


@pytest.mark.parametrize(
    ("rule", "value", "level"),
    [
        (AT_LEAST, 0.9, None),
        (AT_LEAST, 0.85, None),
        (AT_LEAST, 0.84, WARN),
        (AT_LEAST, 0.8, WARN),
        (AT_LEAST, 0.79, ACT),
        (AT_MOST, 1, None),
        (AT_MOST, 1.5, WARN),
        (AT_MOST, 2.1, ACT),
        (BAND, 10, None),
        (BAND, 0.5, WARN),
        (BAND, 20, WARN),
        (BAND, 0.1, ACT),
        (BAND, 31, ACT),
        (Draft("<=", act=2), 1.9, None),
        (Draft(">=", warn=5), 4, WARN),
    ],
)
def test_the_limit_itself_is_inside(rule: Draft, value: float, level: str | None) -> None:
    assert level_of(rule, value) == level


def test_several_in_a_row_are_needed_when_the_rule_says_so() -> None:
    rule = Draft(">=", warn=0.85, act=0.8, needed=3, among=3)
    assert judge(rule, series([0.7, 0.7])) is None
    assert judge(rule, series([0.7, 0.7, 0.7])) == ACT
    assert judge(rule, series([0.7, 0.84, 0.7])) == WARN
    assert judge(rule, series([0.7, 0.9, 0.7])) is None


def test_no_points_say_nothing() -> None:
    assert judge(AT_LEAST, []) is None


def test_an_alert_opens_rises_and_ends() -> None:
    changes = list(walk(AT_LEAST, series([0.9, 0.84, 0.82, 0.7, 0.83, 0.9, 0.7])))
    assert [(change.what, change.level) for change in changes] == [
        ("opened", WARN),
        ("raised", ACT),
        ("resolved", ACT),
        ("opened", ACT),
    ]


def test_an_open_alert_changes_nothing_while_it_lasts() -> None:
    assert list(walk(AT_LEAST, series([0.84, 0.83]), level=WARN)) == []


def test_points_before_the_start_only_count_towards_the_row() -> None:
    rule = Draft(">=", warn=0.85, needed=3, among=3)
    found = list(walk(rule, series([0.8, 0.8, 0.8]), since=START + timedelta(minutes=2)))
    assert [change.what for change in found] == ["opened"]
    assert list(walk(rule, series([0.8, 0.8, 0.8, 0.9]), since=START + timedelta(minutes=3))) == []


def test_the_nearer_edge_of_a_band_is_the_limit_that_broke() -> None:
    assert limit_broken(BAND, 20, WARN) == 15
    assert limit_broken(BAND, 0.5, WARN) == 1


def test_a_rule_is_tried_on_history() -> None:
    tried = episodes(walk(AT_LEAST, series([0.9, 0.84, 0.9, 0.7, 0.9, 0.84, 0.7])))
    assert [alert.level for alert in tried] == [WARN, ACT, ACT]
    assert [alert.ended_at is None for alert in tried] == [False, False, True]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (Draft(">=", warn=0.8, act=0.9), "act"),
        (Draft("<=", warn=2, act=1), "act"),
        (Draft("<="), "warn"),
        (Draft("<", warn=1), "op"),
        (Draft("<=", warn=1, needed=0), "needed"),
        (Draft("<=", warn=float("nan")), "warn"),
        (Draft("<=", warn=1, warn_high=2), "warn_high"),
        (Draft("between", warn=1), "warn_high"),
        (Draft("between", warn=5, warn_high=1), "warn_high"),
        (Draft("between", warn=1, warn_high=15, act=2, act_high=30), "act"),
    ],
)
def test_contradictory_limits_are_refused_with_a_sentence(rule: Draft, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_limits(rule)
    assert field in caught.value.errors
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("rule", [AT_LEAST, AT_MOST, BAND, Draft("between", act=0, act_high=1)])
def test_consistent_limits_pass(rule: Draft) -> None:
    check_limits(rule)


values = st.lists(st.floats(min_value=0, max_value=1, allow_nan=False), max_size=40)


@given(values, st.integers(min_value=1, max_value=5))
def test_walking_ends_where_judging_does(found: list[float], consecutive: int) -> None:
    rule = Draft(">=", warn=0.85, act=0.8, needed=consecutive, among=consecutive)
    points = series(found)
    open_now = None
    for change in walk(rule, points):
        open_now = None if change.what == "resolved" else change.level
    if judge(rule, points) is not None:
        assert open_now is not None
    if points and level_of(rule, points[-1].value) is None:
        assert open_now is None
    elif open_now is None and points:
        assert judge(rule, points) is None


@given(values, st.integers(min_value=1, max_value=39))
def test_walking_in_two_parts_is_walking_once(found: list[float], cut: int) -> None:
    points = series(found)
    whole = list(walk(AT_LEAST, points))
    first = list(walk(AT_LEAST, points[:cut]))
    level = None if not first or first[-1].what == "resolved" else first[-1].level
    assert first + list(walk(AT_LEAST, points[cut:], level=level)) == whole
