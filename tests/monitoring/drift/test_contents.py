"""The domain classifier against values that are known, and on samples that are not as they should be."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from monitoring.contents import sampling, sides
from monitoring.contents.classifier import FOLDS, folds, interval, texts_told_apart, vectors_told_apart
from monitoring.contents.errors import ContentError


def vectors(rows: int, size: int = 8, *, moved: float = 0.0, seed: int = 1) -> Any:
    """Normal vectors, ``moved`` standard deviations away along one direction."""
    found = np.random.default_rng(seed).normal(size=(rows, size))
    return found + moved / math.sqrt(size)


def texts(rows: int, words: str, *, seed: int = 1, length: int = 12) -> list[str]:
    chance = np.random.default_rng(seed)
    return [" ".join(chance.choice(words.split(), length)) for _ in range(rows)]


FRUIT, METAL = "apple pear plum cherry quince", "iron zinc copper nickel cobalt"


# -- Known values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0])
def test_two_normal_clouds_are_told_apart_as_well_as_anybody_could(distance: float) -> None:
    # The best classifier of two normal distributions that are d apart orders Phi(d / sqrt 2) of the pairs rightly.
    best = NormalDist().cdf(distance / math.sqrt(2))
    told = vectors_told_apart(vectors(2000), vectors(2000, moved=distance, seed=2))
    assert told.auc == pytest.approx(best, abs=0.02)
    assert told.low < best < told.high


def test_what_is_the_same_is_not_told_apart_and_the_interval_says_so() -> None:
    held = 0
    for seed in range(20):
        told = vectors_told_apart(vectors(150, 4, seed=2 * seed), vectors(150, 4, seed=2 * seed + 1))
        assert 0.35 < told.auc < 0.65
        held += told.low <= 0.5 <= told.high
    assert held >= 17


def test_two_vocabularies_are_told_apart_nearly_always() -> None:
    told = texts_told_apart(texts(150, FRUIT), texts(150, METAL, seed=2))
    assert told.auc > 0.999
    assert told.low > 0.9


def test_texts_of_one_vocabulary_are_not_told_apart() -> None:
    told = texts_told_apart(texts(300, FRUIT), texts(300, FRUIT, seed=2))
    assert told.low < 0.5 < told.high


def test_a_part_of_new_words_is_found() -> None:
    now = texts(240, FRUIT, seed=2) + texts(60, METAL, seed=3)
    told = texts_told_apart(texts(300, FRUIT), now)
    assert 0.55 < told.auc < 0.75
    assert told.low > 0.5


@pytest.mark.parametrize("auc", [0.5, 0.71, 0.9])
def test_the_interval_solves_its_own_equation(auc: float) -> None:
    before, now = 400, 300
    for bound in interval(auc, before, now):
        many = (before + now) / 4 - 1
        spread = bound * (1 - bound) * (1 + many * ((1 - bound) / (2 - bound) + bound / (1 + bound)))
        assert abs(auc - bound) == pytest.approx(NormalDist().inv_cdf(0.975) * math.sqrt(4 * spread / before / now))


def test_even_a_perfect_auc_has_an_interval() -> None:
    low, high = interval(1.0, 100, 100)
    assert 0.9 < low < 0.98
    assert high == 1.0


# -- What data may hold ----------------------------------------------------------------------------------------------


def test_the_same_rows_twice_are_exactly_not_told_apart() -> None:
    rows = vectors(200)
    assert vectors_told_apart(rows, rows).auc == 0.5
    same = [f"{FRUIT} {n}" for n in range(200)]
    assert texts_told_apart(same, list(reversed(same))).auc == 0.5


def test_rows_that_both_sides_share_hide_no_drift_of_the_rest() -> None:
    shared = vectors(400, seed=9)
    told = vectors_told_apart(np.vstack([shared, vectors(400)]), np.vstack([shared, vectors(400, moved=2.0, seed=2)]))
    # Pairs: a quarter of both new (0.92), half with one shared (about the half of it above), a quarter shared (0.5).
    assert told.auc > 0.65


def test_constants_are_told_apart_if_they_differ() -> None:
    assert texts_told_apart(["yes"] * 100, ["yes"] * 100).auc == 0.5
    assert texts_told_apart(["yes"] * 100, ["no thanks"] * 100).auc == 1.0
    assert vectors_told_apart(np.zeros((100, 3)), np.zeros((100, 3))).auc == 0.5
    assert vectors_told_apart(np.zeros((100, 3)), np.ones((100, 3))).auc == 1.0


def test_texts_without_a_letter_are_texts() -> None:
    assert texts_told_apart(["?!"] * 100, ["…"] * 100).auc >= 0.5


def test_the_same_data_give_the_same_figure() -> None:
    assert vectors_told_apart(vectors(150), vectors(120, seed=2)) == vectors_told_apart(
        vectors(150), vectors(120, seed=2)
    )


def test_every_fold_has_its_share_and_twins_are_together() -> None:
    before, now = [f"b{n}" for n in range(97)] + ["both"] * 7, [f"n{n}" for n in range(31)] + ["both"] * 7
    fold = folds(before, now)
    counts = np.bincount(fold[:97], minlength=FOLDS), np.bincount(fold[104:135], minlength=FOLDS)
    assert all(each.max() - each.min() <= 1 for each in counts)
    assert (fold[97:104] == fold[135:]).all()
    assert np.bincount(fold[97:104], minlength=FOLDS).max() <= 2


# -- Reading ---------------------------------------------------------------------------------------------------------


def side(table: pa.Table, tmp_path: Path, *, column: str = "x", of: Any = sides.of_vectors) -> sides.Side:
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=500)
    kept = sampling.sample(sampling.of_files([tmp_path / "rows.parquet"], column, 2000, lambda _done, _total: None))
    found = of(kept)
    assert isinstance(found, sides.Side)
    return found


def test_lists_of_numbers_are_vectors_and_what_is_no_vector_is_counted(tmp_path: Path) -> None:
    rows = [[1.0, 2.0], None, [float("nan"), 1.0], [1.0, float("inf")], [None, 1.0], [3.0, 4.0]]
    for kind in (pa.list_(pa.float32()), pa.list_(pa.float64(), 2), pa.large_list(pa.float32())):
        found = side(pa.table({"x": pa.array(rows, kind)}), tmp_path)
        assert found.values.tolist() == [[1.0, 2.0], [3.0, 4.0]]
        assert (found.rows, found.empty, found.unusable, found.size) == (6, 1, 3, 2)


def test_numeric_columns_of_a_pattern_are_vectors(tmp_path: Path) -> None:
    table = pa.table({"e_1": [1.0, None, 3.0], "label": ["a", "b", "c"], "e_0": [5, 6, 7]})
    found = side(table, tmp_path, column="e_*")
    assert found.values.tolist() == [[5.0, 1.0], [7.0, 3.0]]
    assert (found.columns, found.unusable) == (("e_0", "e_1"), 1)


def test_texts_are_read_up_to_a_length_and_blank_ones_are_empty(tmp_path: Path) -> None:
    table = pa.table({"x": pa.array(["word " * 1000, "", None, "  ", "ok"]).dictionary_encode()})
    found = side(table, tmp_path, of=sides.of_texts)
    assert [len(text) for text in found.values] == [2000, 2]
    assert (found.rows, found.empty) == (5, 3)


def test_csv_holds_texts_over_several_lines_and_vectors_that_are_written_out(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text('text,vector\n"two\nlines","[1, 2.5]"\nplain,"{3,NaN}"\n,\n')

    def tables(column: str) -> Any:
        return sampling.sample(sampling.of_files([file], column, 2000, lambda _done, _total: None))

    assert sides.of_texts(tables("text")).values == ["two\nlines", "plain"]
    found = sides.of_vectors(tables("vector"))
    assert (found.values.tolist(), found.empty, found.unusable) == ([[1.0, 2.5]], 1, 1)


@pytest.mark.parametrize(
    ("values", "of", "key"),
    [
        (pa.array([[1.0], [1.0, 2.0]]), sides.of_vectors, "several_sizes"),
        (pa.array([[], []], pa.list_(pa.float64())), sides.of_vectors, "odd_size"),
        (pa.array([["a"], ["b"]]), sides.of_vectors, "no_vectors"),
        (pa.array(["a", "b"]), sides.of_vectors, "no_vectors"),
        (pa.array([1.0, 2.0]), sides.of_vectors, "no_vectors"),
        (pa.array([1.0, 2.0]), sides.of_texts, "no_texts"),
        (pa.array([[1.0]]), sides.of_texts, "no_texts"),
    ],
)
def test_what_is_neither_is_refused_by_name(values: Any, of: Any, key: str, tmp_path: Path) -> None:
    with pytest.raises(ContentError) as caught:
        side(pa.table({"x": values}), tmp_path, of=of)
    assert caught.value.key == key


def test_nothing_but_nulls_is_nothing(tmp_path: Path) -> None:
    for values in (pa.nulls(5), pa.array([None] * 5, pa.string())):
        assert side(pa.table({"x": values}), tmp_path, of=sides.of_texts).used == 0
    for values in (pa.nulls(5), pa.array([None] * 5, pa.list_(pa.float32()))):
        assert side(pa.table({"x": values}), tmp_path).used == 0


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ContentError) as caught:
        side(pa.table({"a": [1], "b": [2]}), tmp_path)
    assert caught.value.told == {"name": "x", "there": "a, b"}


def test_of_many_rows_a_fair_sample_is_kept() -> None:
    kept = sampling.Reservoir(most=1000)
    for start in range(0, 100_000, 2000):
        kept.add(pa.table({"x": np.arange(start, start + 2000)}))
    found = kept.table().column("x").to_numpy()
    assert (kept.rows, len(found)) == (100_000, 1000)
    assert (np.diff(found) > 0).all()
    # Tenths of the rows have about a tenth of the sample: 100, give or take four standard deviations.
    assert np.abs(np.bincount(found // 10_000) - 100).max() < 40


def test_a_file_is_read_a_stretch_at_a_time(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    table = pa.table({"x": pa.array(list(chance.normal(size=(20_000, 50)))), "y": chance.normal(size=20_000)})
    file = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(table, file, row_group_size=1000, use_dictionary=False)
    size, before, most = file.stat().st_size, pa.total_allocated_bytes(), 0
    for _stretch in sampling.of_files([file], "x", 2000, lambda _done, _total: None):
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < size / 3


def test_the_web_process_never_loads_the_classifier() -> None:
    told = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; import django; django.setup();"
        "import config.urls; from django.urls import get_resolver; get_resolver().url_patterns;"
        "print([name for name in ('sklearn', 'scipy', 'duckdb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "[]"
