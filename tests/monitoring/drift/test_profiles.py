"""Profiles: counts that add up exactly, in any order and on any machine."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitoring.profiles import Categories, Kind, Numbers, Profile, ProfileError, SchemaMismatch, files
from monitoring.profiles.columns import Column
from monitoring.profiles.exact import exact, read, rounded, spelled
from monitoring.profiles.files import count, scan, scan_reference
from monitoring.profiles.frame import lattice_for
from monitoring.profiles.profile import merge_all
from monitoring.profiles.wire import as_json, digest, from_json, pack, unpack
from tests.monitoring.drift.columns import current_of, held, normal, reference_of

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def mixed(rows: int, seed: int = 1) -> dict[str, Any]:
    chance = np.random.default_rng(seed)
    amounts = chance.lognormal(3, 1, rows)
    amounts[::17] = np.nan
    return {
        "amount": pa.array(amounts),
        "age": pa.array(chance.integers(18, 90, rows)),
        "city": pa.array(chance.choice(["Aarhus", "Bergen", "Cork"], rows)),
        "member": pa.array([None if n % 11 == 0 else bool(n % 3) for n in range(rows)]),
        "at": pa.array(1_700_000_000 + chance.integers(0, 10**6, rows), pa.timestamp("s")),
    }


def numbers(profile: Profile, name: str) -> Numbers:
    column = profile.columns[name]
    assert isinstance(column, Numbers)
    return column


def test_every_row_of_every_column_is_counted_once() -> None:
    profile = reference_of(**mixed(5000))
    for column in profile.columns.values():
        assert column.rows == 5000
    amount = numbers(profile, "amount")
    assert int(amount.counts.sum()) + amount.under + amount.over == amount.n == 5000 - amount.nans
    kinds = {name: column.frame.kind for name, column in profile.columns.items()}
    assert kinds == {
        "amount": Kind.NUMBER,
        "age": Kind.NUMBER,
        "city": Kind.CATEGORY,
        "member": Kind.FLAG,
        "at": Kind.TIME,
    }


def test_mean_and_deviation_are_those_of_the_rows() -> None:
    values = normal(20_000, mean=1e6, spread=0.5)
    column = numbers(reference_of(x=values), "x")
    assert column.mean == pytest.approx(values.mean(), rel=1e-12)
    assert column.deviation == pytest.approx(values.std(), rel=1e-9)
    assert (column.least, column.greatest) == (values.min(), values.max())


def test_parts_merge_to_the_same_digest_in_any_order() -> None:
    whole = mixed(6000)
    reference = reference_of(**whole)
    parts = [
        current_of(reference, **{name: column.slice(start, 2000) for name, column in whole.items()})
        for start in (0, 2000, 4000)
    ]
    digests = {digest(merge_all(order)) for order in itertools.permutations(parts)}
    assert len(digests) == 1
    left = parts[0].merged(parts[1]).merged(parts[2])
    right = parts[0].merged(parts[1].merged(parts[2]))
    assert digest(left) == digest(right)
    for name in ("age", "amount"):
        at_once = numbers(current_of(reference, **whole), name)
        assert np.array_equal(numbers(left, name).counts, at_once.counts)


def test_too_many_categories_are_told_apart_in_any_order() -> None:
    reference = reference_of(x=["a", "b", "c"] * 10)
    parts = [current_of(reference, x=["a"] * (1 + n) + [f"new {n}-{i}" for i in range(8000)]) for n in range(4)]
    assert not any(part.columns["x"].crowded for part in parts)  # type: ignore[union-attr]  # Categories
    digests = set()
    for order in itertools.permutations(parts):
        column = merge_all(order).columns["x"]
        assert isinstance(column, Categories)
        assert column.crowded
        assert column.counts == {"a": 10}
        assert column.other == 32_000
        digests.add(digest(merge_all(order)))
    assert len(digests) == 1


def test_profiles_of_different_schemas_are_refused_by_the_column_that_differs() -> None:
    first, second = reference_of(x=normal(100), y=normal(100)), reference_of(x=normal(100))
    with pytest.raises(SchemaMismatch, match=r"^y: only one of the profiles"):
        first.merged(second)
    with pytest.raises(SchemaMismatch, match=r"^x: one profile counts from .* different references"):
        second.merged(reference_of(x=normal(100, mean=4)))
    with pytest.raises(SchemaMismatch, match=r"^x: one profile counts a number"):
        second.merged(reference_of(x=["a", "b"]))


@given(st.lists(FINITE, max_size=30))
def test_exact_sums_do_not_depend_on_their_order(values: list[float]) -> None:
    total = sum(map(exact, values))
    assert total == sum(map(exact, sorted(values)))
    assert read(spelled(total)) == total
    assert all(rounded(exact(value)) == value for value in values)


@given(st.lists(FINITE, min_size=1, max_size=60))
@example([2.225073858507e-311])
@example([5e-324, 1e-323])
def test_any_numbers_are_counted_in_some_lattice(values: list[float]) -> None:
    profile = reference_of(x=pa.array(values, pa.float64()))
    column = numbers(profile, "x")
    assert column.n == len(values)
    assert int(column.counts.sum()) + column.under + column.over == len(values)
    assert digest(unpack(pack(profile))) == digest(profile)


def test_a_profile_survives_its_own_json() -> None:
    profile = reference_of(**mixed(3000))
    again = from_json(as_json(profile))
    assert digest(again) == digest(profile)
    assert as_json(again) == as_json(profile)
    assert len(pack(profile)) < 60_000


def test_the_digest_does_not_depend_on_the_order_of_columns_and_tells_one_row() -> None:
    rows = mixed(1000)
    profile = reference_of(**rows)
    turned = Profile(profile.rows, dict(reversed(list(profile.columns.items()))))
    assert digest(turned) == digest(profile)
    assert digest(current_of(profile, **{name: c.slice(1) for name, c in rows.items()})) != digest(profile)


def test_counts_may_come_as_pairs_from_elsewhere() -> None:
    profile = reference_of(x=normal(500))
    told = as_json(profile)
    column = numbers(profile, "x")
    told["columns"][0]["counts"] = [[cell, int(n)] for cell, n in enumerate(column.counts) if n]
    assert digest(from_json(told)) == digest(profile)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": 7}, "x: the counts of its cells"),
        ({"nulls": -1}, "x: nulls is a whole number"),
        ({"nulls": 3}, "x: it counts 503 rows where the profile has 500"),
        ({"least": "0x1p9", "greatest": "0x1p2"}, "x: least and greatest"),
        ({"total": "zz"}, "x: invalid literal"),
        ({"counts": [[99_999, 1]]}, "x: counts are pairs"),
        ({"counts": {"bytes": 2, "data": "AAAA"}}, "x: its counts are not"),
        ({"frame": {"name": "x", "kind": "number"}}, "x: numbers and times have a lattice"),
        ({"frame": {"name": "x", "kind": "poem"}}, "the frame of a column cannot be read"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(change: dict[str, Any], said: str) -> None:
    told = as_json(reference_of(x=normal(500)))
    told["columns"][0] |= change
    with pytest.raises(ProfileError, match=said):
        from_json(told)


@pytest.mark.parametrize("told", [None, [], {"format": "other"}, {"format": "tollgate-profile/1", "columns": 3}])
def test_what_is_no_profile_is_refused(told: Any) -> None:
    with pytest.raises(ProfileError):
        from_json(told)


def test_files_are_read_a_row_group_at_a_time_with_the_same_result(tmp_path: Path) -> None:
    rows = mixed(7000)
    table = pa.table(rows)
    pyarrow.parquet.write_table(table, tmp_path / "all.parquet", row_group_size=900)
    pyarrow.parquet.write_table(table.slice(0, 3000), tmp_path / "a.parquet")
    pyarrow.parquet.write_table(table.slice(3000), tmp_path / "b.parquet")
    reference = scan_reference([tmp_path / "all.parquet"])
    assert reference.rows == 7000
    told: list[tuple[int, int]] = []
    frame = reference.as_reference()
    both = scan([tmp_path / "a.parquet", tmp_path / "b.parquet"], frame, progress=lambda *at: told.append(at))
    for name in rows:
        first, second = reference.columns[name], both.columns[name]
        if isinstance(first, Numbers) and isinstance(second, Numbers):
            assert np.array_equal(first.counts, second.counts), name
            assert (first.n, first.nulls, first.nans, first.over) == (second.n, second.nulls, second.nans, second.over)
        elif isinstance(first, Categories) and isinstance(second, Categories):
            assert (first.counts, first.nulls) == (second.counts, second.nulls), name
    assert told[-1][0] == told[-1][1]


def test_csv_is_counted_like_parquet(tmp_path: Path) -> None:
    rows = {name: column for name, column in mixed(4000).items() if name not in {"at", "member"}}
    table = pa.table(rows)
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    pyarrow.csv.write_csv(table, tmp_path / "rows.csv")
    reference = scan_reference([tmp_path / "rows.parquet"])
    told = scan([tmp_path / "rows.csv"], reference.as_reference())
    assert told.rows == 4000
    assert np.array_equal(numbers(told, "amount").counts, numbers(reference, "amount").counts)
    assert numbers(told, "amount").missing == numbers(reference, "amount").missing
    assert told.columns["city"].n == 4000
    own = scan_reference([tmp_path / "rows.csv"])
    assert {name: c.frame.kind.value for name, c in own.columns.items()} == {
        "amount": "number",
        "age": "number",
        "city": "category",
    }


def test_words_among_the_numbers_of_a_csv_are_counted_as_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1.5\n2.5\n3\n")
    (tmp_path / "b.csv").write_text("x\n1.5\noops\nNA\n\n2\n")
    frame = scan_reference([tmp_path / "a.csv"]).as_reference()
    column = numbers(scan([tmp_path / "b.csv"], frame), "x")
    assert (column.n, column.wrong) == (2, 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b""), ("a.parquet", b"PAR1 this is none"), ("a.txt", b"x"), ("b.csv", b"a,a\n1,2\n")],
)
def test_files_that_are_none_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ProfileError):
        scan_reference([tmp_path / name])


def test_columns_of_lists_have_no_profile(tmp_path: Path) -> None:
    table = pa.table({"x": [1.0, 2.0], "tags": [["a"], ["b", "c"]]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert set(scan_reference([tmp_path / "a.parquet"]).columns) == {"x"}


def test_columns_can_be_left_out(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"x": [1.0], "name": ["Ada"]}), tmp_path / "a.parquet")
    assert set(files.scan_reference([tmp_path / "a.parquet"], ignored=["name"]).columns) == {"x"}


def test_stretches_of_any_length_count_the_same() -> None:
    rows = mixed(3000)
    reference = reference_of(**rows)
    by_few: dict[str, Column] = dict(count(held(rows, stretch=7), reference.as_reference()).columns)
    at_once = current_of(reference, **rows).columns
    for name in ("amount", "age", "at"):
        assert np.array_equal(by_few[name].counts, at_once[name].counts)  # type: ignore[arg-type]  # Numbers


def test_one_outlier_does_not_push_everything_into_one_cell() -> None:
    sample = np.sort(normal(10_000))
    lattice = lattice_for(sample, float(sample[0]), 1e12, whole=False)
    assert lattice.hi < 20
    assert lattice.width < 0.005
