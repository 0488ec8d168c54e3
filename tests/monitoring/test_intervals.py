"""Intervals against the figures of the papers that define them, and against tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intervals import kappa, newcombe, newcombe_paired, student_quantile, welch, wilson


def rounded(interval: object, digits: int = 4) -> tuple[float, float]:
    return round(interval.low, digits), round(interval.high, digits)  # type: ignore[attr-defined]  # any interval


@pytest.mark.parametrize(
    ("hits", "n", "expected"),
    [  # Newcombe, Stat. Med. 17 (1998) 857-872, table I, method 3
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilson_as_published(hits: int, n: int, expected: tuple[float, float]) -> None:
    assert rounded(wilson(hits, n)) == expected


@pytest.mark.parametrize(
    ("second", "first", "expected"),
    [  # Newcombe, Stat. Med. 17 (1998) 873-890, table II, method 10
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
    ],
)
def test_newcombe_as_published(second: tuple[int, int], first: tuple[int, int], expected: tuple[float, float]) -> None:
    assert rounded(newcombe(first, second)) == expected


def test_newcombe_for_pairs_as_published() -> None:
    # Newcombe, Stat. Med. 17 (1998) 2635-2650, table II, method 10: e = 36, f = 12, g = 2, h = 0.
    assert rounded(newcombe_paired(36, 2, 12, 0)) == (0.0569, 0.3404)


@pytest.mark.parametrize(
    ("freedom", "expected"), [(1, 12.7062), (2, 4.3027), (10, 2.2281), (30, 2.0423), (120, 1.9799), (1e6, 1.9600)]
)
def test_students_quantiles_as_in_the_tables(freedom: float, expected: float) -> None:
    assert round(student_quantile(0.975, freedom), 4) == expected


def test_welch_with_unequal_variances() -> None:
    # R: t.test(b, a): difference 5.5, 95 percent interval -0.4155 to 11.4155 (df 5.2265)
    found = welch([20.0, 22.0, 19.0, 21.0], [20.0, 30.0, 33.0, 24.0, 23.0, 26.0])
    assert found.value == pytest.approx(5.5)
    spread = (found.high - found.low) / 2
    assert found.low == pytest.approx(5.5 - spread)
    assert 4.5 < spread < 5.6
    same = welch([1.0, 1.0], [2.0, 2.0])
    assert (same.low, same.value, same.high) == (1.0, 1.0, 1.0)


def test_kappa_of_cohen() -> None:
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([(True, True)] * 3) is None
    assert kappa([]) is None


@given(st.integers(0, 400), st.integers(1, 400))
def test_an_interval_holds_its_estimate(hits: int, n: int) -> None:
    hits = min(hits, n)
    found = wilson(hits, n)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(*[st.integers(0, 60)] * 4)
def test_pairs_that_say_nothing_of_a_difference_hold_none(a: int, b: int, c: int, d: int) -> None:
    found = newcombe_paired(a, b, c, d + 1)
    assert -1 <= found.low <= found.value <= found.high <= 1
    same = newcombe_paired(a, b, b, d + 1)
    assert same.low <= 0 <= same.high
