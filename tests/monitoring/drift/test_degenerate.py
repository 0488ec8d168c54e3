"""Columns that break naive code: constant, empty, one row, unseen range, ten thousand categories, type changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.comparing import State, Terms, Verdict, compare
from monitoring.profiles import Profile, SchemaMismatch
from monitoring.statistic import statistics
from tests.monitoring.drift.columns import current_of, normal, pair, reference_of


def stated(before: Any, now: Any, **terms: Any) -> State:
    reference = reference_of(x=before)
    compared = compare(reference, current_of(reference, x=now), Terms(**terms))
    return compared.features[0].state


def test_a_constant_column_that_stays_is_stable() -> None:
    assert stated(np.full(500, 7.3), np.full(400, 7.3)) is State.STABLE
    assert stated(np.zeros(500), np.zeros(50)) is State.STABLE


def test_a_constant_column_that_moves_drifts() -> None:
    assert stated(np.full(500, 7.3), np.full(400, 7.4)) is State.DRIFTED
    assert stated(np.full(500, 7.3), np.full(400, 1e9)) is State.DRIFTED


def test_nulls_everywhere_are_nothing_to_compare() -> None:
    nulls = pa.nulls(50, pa.float64())
    assert stated(nulls, nulls) is State.EMPTY


def test_a_column_that_became_null_is_missing() -> None:
    assert stated(normal(500), pa.nulls(500, pa.float64())) is State.MISSING


def test_one_row_says_nothing() -> None:
    assert stated(normal(500), normal(1, mean=2.5)) is State.EMPTY
    assert stated(normal(1), normal(500)) is State.EMPTY
    assert stated(normal(500), normal(40, mean=9)) is State.DRIFTED


def test_no_rows_are_nothing_to_compare() -> None:
    reference = reference_of(x=normal(500))
    compared = compare(reference, current_of(reference, x=pa.array([], pa.float64())), Terms())
    assert compared.verdict is Verdict.NOTHING
    assert compared.rows == 0


def test_an_unseen_range_drifts_with_the_largest_distance() -> None:
    reference = reference_of(x=normal(1000))
    compared = compare(reference, current_of(reference, x=normal(1000, mean=1e6)), Terms())
    feature = compared.features[0]
    assert feature.state is State.DRIFTED
    assert feature.measured["ks"].value == 1.0
    assert feature.measured["wasserstein_norm"].value == pytest.approx(1e6, rel=0.1)


def test_infinite_and_huge_values_are_counted_and_survived() -> None:
    before = np.append(normal(1000), [np.inf, -np.inf, np.nan, 1e308, -1e308])
    reference = reference_of(x=before)
    column = reference.columns["x"]
    assert (column.n, column.above, column.below, column.nans) == (1002, 1, 1, 1)  # type: ignore[union-attr]  # Numbers
    compared = compare(reference, current_of(reference, x=before), Terms())
    assert compared.features[0].state is State.STABLE


def test_ten_thousand_categories_are_compared() -> None:
    names = np.array([f"city {n}" for n in range(10_000)])
    chance = np.random.default_rng(5)
    assert stated(chance.choice(names, 200_000), chance.choice(names, 200_000)) is State.STABLE
    assert stated(chance.choice(names, 200_000), chance.choice(names[:2000], 200_000)) is State.DRIFTED


def test_a_column_of_identifiers_is_survived() -> None:
    before = pa.array([f"id-{n}" for n in range(60_000)])
    now = pa.array([f"id-{n}" for n in range(50_000, 90_000)])
    assert stated(before, now) is State.STABLE
    first, second = pair(before, now)
    assert first.n == 60_000
    assert second.n == 40_000
    assert "too many" in statistics.get("new_values")().measure(first, second).note


def test_numbers_that_became_words_changed_their_type() -> None:
    assert stated(normal(300), pa.array(["high", "low"] * 150)) is State.TYPE_CHANGED


def test_words_that_became_numbers_changed_their_type() -> None:
    assert stated(pa.array(["1", "2"] * 100), np.array([1, 2] * 100)) is State.TYPE_CHANGED


def test_a_column_that_vanished_is_gone_and_a_new_one_is_told() -> None:
    reference = reference_of(x=normal(300), y=normal(300))
    compared = compare(reference, current_of(reference, x=normal(300), z=normal(300)), Terms())
    assert [(f.name, f.state) for f in compared.features] == [
        ("y", State.GONE),
        ("x", State.STABLE),
        ("z", State.ADDED),
    ]
    assert compared.share == 50.0
    assert compared.verdict is Verdict.DRIFT


def test_new_values_count_from_their_share_on() -> None:
    before = ["a"] * 500 + ["b"] * 500
    assert stated(before, ["a"] * 495 + ["b"] * 485 + ["c"] * 20) is State.NEW_VALUES
    assert stated(before, ["a"] * 495 + ["b"] * 502 + ["c"] * 3) is State.STABLE


def test_a_profile_of_another_reference_is_refused_with_its_column() -> None:
    reference, another = reference_of(x=normal(300)), reference_of(x=normal(300, mean=5))
    with pytest.raises(SchemaMismatch, match=r"^x: "):
        compare(reference, current_of(another, x=normal(300)), Terms())


def test_with_many_rows_the_effect_decides_and_not_the_p_value() -> None:
    reference = reference_of(x=normal(400_000))
    compared = compare(reference, current_of(reference, x=normal(400_000, mean=0.02, seed=2)), Terms())
    feature = compared.features[0]
    assert feature.p_value is not None
    assert feature.p_value < 1e-6
    assert feature.state is State.STABLE


def test_few_rows_need_significance_corrected_for_the_number_of_features() -> None:
    columns = {f"x{n}": normal(60, seed=n) for n in range(40)}
    reference = reference_of(**columns)
    now = {f"x{n}": normal(60, seed=100 + n) for n in range(40)}
    compared = compare(reference, current_of(reference, **now), Terms())
    assert compared.drifted == 0
    assert any((feature.effect or 0) > 0.1 for feature in compared.features)


def test_weights_and_roles_are_heeded() -> None:
    reference = reference_of(x=normal(900), y=normal(900), score=normal(900))
    current = current_of(reference, x=normal(900, mean=3), y=normal(900, seed=9), score=normal(900, mean=1))
    terms = Terms(roles={"score": "prediction"}, weights={"x": 3.0})
    compared = compare(reference, current, terms)
    assert compared.share == 75.0
    assert compared.compared == 2
    assert compare(reference, current, Terms(roles={"x": "ignored", "score": "ignored"})).share == 0.0


def test_terms_that_make_no_sense_are_named() -> None:
    assert set(Terms(effect="magic", alpha=2, warn_share=60, roles={"x": "king"}).problems()) == {
        "effect",
        "alpha",
        "warn_share",
        "roles",
    }
    assert not Terms().problems()


def test_an_empty_profile_has_a_defined_result() -> None:
    reference = reference_of(x=normal(10))
    compared = compare(reference, Profile(0, {}, frozenset(), frozenset({"x"})), Terms())
    assert compared.features[0].state is State.GONE
