"""Conditions that look for a change in a stream: found soon after it, not found where there is none."""

from __future__ import annotations

import random

import pytest

from monitoring.rules import ACT, Draft
from tests.monitoring.test_conditions import DAY, START, fired, ground, kind, points, said

LIMITS = {"page_hinkley": (12.0, 20.0), "adwin": (0.8, 1.0)}
BOTH = pytest.mark.parametrize("key", sorted(LIMITS))


def stream(count: int, *, after: float = 0.0, change_at: int = 10**6, seed: int = 3) -> list[float]:
    """Accuracies of labelled results around 0.9 that fall by ``after`` at ``change_at``."""
    chance = random.Random(seed)
    return [0.9 + chance.gauss(0, 0.01) - (after if n >= change_at else 0.0) for n in range(count)]


def rule_of(key: str) -> Draft:
    warn, act = LIMITS[key]
    return Draft("<=", warn=warn, act=act)


@BOTH
def test_a_fall_of_labelled_results_is_found_soon(key: str) -> None:
    found = fired(kind(key), rule_of(key), points(stream(260, after=0.05, change_at=180)), ground(days=300))
    assert found
    _what, _level, when = found[0]
    assert START + 180 * DAY <= when <= START + 215 * DAY
    assert any(level == ACT for _what, level, _when in found)


@BOTH
def test_a_rise_is_a_change_too(key: str) -> None:
    assert fired(kind(key), rule_of(key), points(stream(260, after=-0.06, change_at=180)), ground(days=300))


@BOTH
def test_noise_is_none(key: str) -> None:
    alarms = sum(
        bool(fired(kind(key), rule_of(key), points(stream(150, seed=seed)), ground(days=200))) for seed in range(12)
    )
    assert alarms <= 1


@BOTH
def test_a_constant_series_and_a_short_one_say_nothing(key: str) -> None:
    assert not fired(kind(key), rule_of(key), points([0.9] * 80), ground())
    assert not fired(kind(key), rule_of(key), points([0.9, 0.1, 0.9, 0.1]), ground())


@BOTH
def test_a_change_is_forgotten_once_the_window_has_passed(key: str) -> None:
    changes = fired(
        kind(key, window="100"), rule_of(key), points(stream(320, after=0.08, change_at=150)), ground(days=400)
    )
    assert changes[-1][0] == "resolved"


@BOTH
def test_the_alert_tells_what_it_is_and_what_it_was(key: str) -> None:
    text = said(kind(key), rule_of(key), points(stream(260, after=0.05, change_at=180)), ground(days=300))
    assert text.startswith("F1 score changed: it is 0.8")
    assert "was about 0.9" in text or "was about 0.89" in text


@BOTH
def test_only_one_way_of_asking_is_possible(key: str) -> None:
    assert "op" in kind(key).problems(Draft(">=", warn=1))
    assert kind(key).problems(rule_of(key)) == {}
