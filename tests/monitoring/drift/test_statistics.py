"""Statistics from counts, held against SciPy 1.17, Evidently 0.7.23, NannyML 0.13.1 and frouros on the same rows.

The stored values were computed by those packages on the rows that ``_rows`` makes; the packages are not needed here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from monitoring.profiles.columns import Column
from monitoring.profiles.tails import chi2_sf, kolmogorov_sf
from monitoring.statistic import ANY, PEERS, Measured, statistics
from tests.monitoring.drift.columns import normal, pair


def _rows() -> tuple[Any, Any, Any, Any]:
    chance = np.random.default_rng(12345)
    before, now = np.round(chance.normal(0, 1, 20_000), 6), np.round(chance.normal(0.15, 1.1, 15_000), 6)
    letters = chance.choice(list("abcdef"), 20_000, p=[0.4, 0.25, 0.15, 0.1, 0.07, 0.03])
    others = chance.choice(list("abcdefg"), 15_000, p=[0.37, 0.25, 0.15, 0.12, 0.07, 0.03, 0.01])
    return before, now, letters, others


@pytest.fixture(scope="module")
def numbers() -> tuple[Column, Column]:
    return pair(*_rows()[:2])


@pytest.fixture(scope="module")
def letters() -> tuple[Column, Column]:
    return pair(*_rows()[2:])


def measured(key: str, columns: tuple[Column, Column], by: str = "") -> Measured:
    return statistics.get(key)().measure(*columns, by)


def test_ks_is_scipys_within_its_certified_error(numbers: tuple[Column, Column]) -> None:
    found = measured("ks", numbers)
    assert found.value is not None
    assert found.error is not None
    assert found.value <= 0.06655 <= found.value + found.error
    assert found.value == pytest.approx(0.06655, abs=0.001)
    assert found.p_value is not None
    assert 1e-35 < found.p_value < 1e-30


def test_wasserstein_is_scipys_within_a_cell(numbers: tuple[Column, Column]) -> None:
    found = measured("wasserstein_norm", numbers)
    assert found.error is not None
    assert found.value == pytest.approx(0.14025827378976438, abs=found.error)
    assert found.value == pytest.approx(0.14025827378976438, rel=0.005)
    assert measured("wasserstein_norm", numbers, "nannyml").value == pytest.approx(0.1403990842833334, rel=0.005)


@pytest.mark.parametrize(
    ("key", "by", "exact"),
    [
        ("psi", "", 0.028577495368321156),
        ("psi", "evidently", 0.03349856601117474),
        ("psi", "frouros", 0.03159021912596238),
        ("js", "evidently", 0.06414461048367869),
        ("js", "nannyml", 0.07908960109893062),
        ("hellinger", "nannyml", 0.06642575460308563),
    ],
)
def test_binned_numbers_are_within_two_percent_of_a_peer(
    numbers: tuple[Column, Column], key: str, by: str, exact: float
) -> None:
    assert measured(key, numbers, by).value == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize(
    ("key", "by", "exact"),
    [
        ("psi", "evidently", 0.05249294410589942),
        ("js", "evidently", 0.06542584526888234),
        ("js", "nannyml", 0.0785844488662495),
        ("js", "", 0.0785844488662495),
        ("hellinger", "", 0.0763913725006952),
    ],
)
def test_categories_give_exactly_what_a_peer_gives(
    letters: tuple[Column, Column], key: str, by: str, exact: float
) -> None:
    found = measured(key, letters, by)
    assert found.value == pytest.approx(exact, rel=1e-9)
    assert found.error == 0.0


def test_chi_square_is_the_two_sample_test_of_scipy(letters: tuple[Column, Column]) -> None:
    found = measured("chi2", letters)
    assert found.value == pytest.approx((255.7117677992198 / 35_000) ** 0.5, rel=1e-9)
    assert found.p_value == pytest.approx(2.466606161948579e-52, rel=1e-6)


def test_chi_square_of_two_categories_is_corrected_as_nannyml_does() -> None:
    before, now = np.repeat(["a", "b"], [7891, 5033]), np.repeat(["a", "b"], [5602, 3670])
    assert measured("chi2", pair(before, now), "nannyml").p_value == pytest.approx(0.34365184278054695, rel=1e-9)


def test_chi_square_as_evidently_takes_the_reference_for_the_truth() -> None:
    _x, _y, before, now = _rows()
    found = measured("chi2", pair(before, now[now != "g"]), "evidently")
    assert found.p_value == pytest.approx(2.35870661078153e-19, rel=1e-6)


def test_two_samples_of_one_distribution_are_rarely_significant() -> None:
    p_values = []
    for seed in range(60):
        chance = np.random.default_rng(seed)
        found = measured("chi2", pair(chance.choice(list("abcd"), 4000), chance.choice(list("abcd"), 4000)))
        assert found.p_value is not None
        p_values.append(found.p_value)
    assert 0 <= sum(p < 0.05 for p in p_values) <= 9
    assert 0.3 < sum(p_values) / len(p_values) < 0.7


def test_whole_numbers_are_exact_and_say_so() -> None:
    chance = np.random.default_rng(3)
    before, now = chance.poisson(20, 9000).astype(float), chance.poisson(21, 7000).astype(float)
    columns = pair(before, now)
    values = np.arange(0, 80)
    gaps = np.abs([(before <= v).mean() - (now <= v).mean() for v in values])
    assert measured("ks", columns).value == pytest.approx(gaps.max(), abs=1e-12)
    assert measured("ks", columns).error == 0.0
    assert measured("wasserstein_norm", columns).value == pytest.approx(gaps.sum() / before.std(), abs=1e-9)
    assert measured("wasserstein_norm", columns).error == 0.0


def test_l_infinity_is_the_largest_change_of_a_share(letters: tuple[Column, Column]) -> None:
    assert measured("linf", letters).value == pytest.approx(7891 / 20_000 - 5602 / 15_000)


def test_new_categories_are_counted_in_percent_of_the_rows_with_a_value(letters: tuple[Column, Column]) -> None:
    assert measured("new_values", letters).value == pytest.approx(100 * 152 / 15_000)


def test_missing_values_shift_in_percentage_points() -> None:
    before = [1.0, None, 2.0, 3.0]
    now = [1.0, None, float("nan"), 3.0]
    assert measured("missing_shift", pair(before, now)).value == pytest.approx(25.0)


def test_a_far_outlier_is_counted_in_the_distance() -> None:
    before = normal(50_000)
    now = np.append(before[:-5], [1e6] * 5)
    found = measured("wasserstein_norm", pair(before, now))
    assert found.value == pytest.approx(5e6 / 50_000 / before.std(), rel=0.01)


@pytest.mark.parametrize(
    ("d", "n", "p"),
    [  # scipy.stats.kstwo.sf
        (0.4, 5, 0.3087999999999995),
        (0.2, 40, 0.07048187616884194),
        (0.12, 140, 0.03252638258561632),
        (0.06, 500, 0.05243463489026223),
        (0.02, 10_000, 0.0006616848639387309),
    ],
)
def test_kolmogorovs_p_value_is_scipys(d: float, n: int, p: float) -> None:
    assert kolmogorov_sf(d, n) == pytest.approx(p, rel=1e-4)


def test_p_values_end_at_nought_and_one() -> None:
    assert kolmogorov_sf(0.0, 100) == 1.0
    assert kolmogorov_sf(1.0, 100) == 0.0
    assert kolmogorov_sf(0.3, 0) == 1.0
    assert chi2_sf(0.0, 3) == 1.0
    assert chi2_sf(float("inf"), 3) == 0.0
    assert chi2_sf(3.841458820694124, 1) == pytest.approx(0.05, rel=1e-9)


def test_every_statistic_states_its_definition_and_those_of_peers() -> None:
    for statistic in statistics:
        assert len(str(statistic.definition)) > 30, statistic.key
        assert len(statistic.__doc__ or "") > 40, statistic.key
        assert set(statistic.by) <= set(PEERS), statistic.key
        assert statistic.kinds <= ANY
        assert statistic.warn is not None


def test_the_same_data_have_no_distance(numbers: tuple[Column, Column], letters: tuple[Column, Column]) -> None:
    for columns in (numbers, letters):
        for statistic in statistics:
            for by in ("", *statistic.by):
                found = statistic().measure(columns[0], columns[0], by)
                assert found.value is None or found.value == pytest.approx(0, abs=1e-7), (statistic.key, by)


def test_the_auc_of_calibrated_scores_is_known_without_labels() -> None:
    chance = np.random.default_rng(8)
    scores, later = chance.beta(2, 4, 60_000), chance.beta(5, 8, 60_000)
    exact = []
    for each in (scores, later):
        labels = chance.random(len(each)) < each
        ranks = np.argsort(np.argsort(each)) + 1
        wins = ranks[labels].sum() - labels.sum() * (labels.sum() + 1) / 2
        exact.append(wins / (labels.sum() * (~labels).sum()))
    found = measured("estimated_auc_drop", pair(scores, later))
    assert found.value == pytest.approx(exact[0] - exact[1], abs=0.01)
    assert f"{exact[1]:.2f}" in found.note or f"{exact[1]:.1f}" in found.note


def test_what_is_no_probability_has_no_estimated_auc() -> None:
    assert measured("estimated_auc_drop", pair(normal(500), normal(500))).value is None
    assert "the same" in measured("estimated_auc_drop", pair(np.zeros(50), np.zeros(50))).note
