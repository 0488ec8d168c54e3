"""The same counts made by DuckDB and PostgreSQL, to the last row; by Spark in `test_spark`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from django.db import connection

from monitoring.profiles import Categories, Kind, Numbers, Profile
from monitoring.profiles.sql import DUCKDB, POSTGRESQL, SPARK, Dialect, query, scan, survey
from tests.monitoring.drift.columns import current_of, reference_of

KINDS = {"amount": Kind.NUMBER, "age": Kind.NUMBER, "city": Kind.CATEGORY, "member": Kind.FLAG, "at": Kind.TIME}


def rows(count: int = 20_000, seed: int = 4) -> pa.Table:
    chance = np.random.default_rng(seed)
    amounts = chance.lognormal(3, 1.2, count)
    amounts[:6] = [np.nan, np.inf, -np.inf, -1e-300, 1e15, -5.0]
    cities = chance.choice(["Aarhus", "Bergen", "Cork", "O'Brien's \"Town\""], count).tolist()
    return pa.table(
        {
            "amount": pa.array(amounts),
            "age": pa.array([None if n % 13 == 0 else int(a) for n, a in enumerate(chance.integers(18, 90, count))]),
            "city": pa.array([None if n % 7 == 0 else c for n, c in enumerate(cities)]),
            "member": pa.array([bool(n % 3) for n in range(count)]),
            "at": pa.array(1_700_000_000 + chance.integers(0, 10**6, count), pa.timestamp("s")),
        }
    )


def same(first: Profile, second: Profile) -> None:
    assert first.rows == second.rows
    for name, one in first.columns.items():
        other = second.columns[name]
        if isinstance(one, Numbers) and isinstance(other, Numbers):
            assert np.array_equal(one.counts, other.counts), name
            for part in ("n", "nulls", "nans", "above", "below", "under", "over", "off", "least", "greatest"):
                assert getattr(one, part) == getattr(other, part), (name, part)
            assert one.mean == pytest.approx(other.mean, rel=1e-9)
        else:
            assert isinstance(one, Categories)
            assert isinstance(other, Categories)
            assert (one.counts, one.nulls, one.other) == (other.counts, other.nulls, other.other), name


def columns_of(table: pa.Table) -> dict[str, pa.Array]:
    return {name: table.column(name).combine_chunks() for name in table.column_names}


def in_duckdb(table: pa.Table) -> Any:
    database = duckdb.connect()
    database.register("told", table)
    database.execute("CREATE TABLE measured AS SELECT * FROM told")
    return lambda text: database.execute(text).fetchall()


def test_duckdb_counts_as_numpy_does() -> None:
    reference = reference_of(**columns_of(rows(seed=9)))
    table = rows()
    same(
        current_of(reference, **columns_of(table)), scan(in_duckdb(table), "measured", reference.as_reference(), DUCKDB)
    )


def test_a_reference_can_be_made_in_duckdb() -> None:
    run = in_duckdb(rows())
    frame = survey(run, "measured", KINDS, DUCKDB, ignored=["at"])
    profile = scan(run, "measured", frame, DUCKDB)
    assert set(profile.columns) == {"amount", "age", "city", "member"}
    age = profile.columns["age"]
    assert isinstance(age, Numbers)
    assert age.is_exact
    same(current_of(profile, **columns_of(rows())), scan(run, "measured", profile.as_reference(), DUCKDB))


def test_more_categories_than_are_told_apart_are_counted_by_the_database_too() -> None:
    reference = reference_of(x=["a", "b"] * 20)
    table = pa.table({"x": ["a"] * 5 + ["b"] * 3 + [f"new {n}" for n in range(25_000)]})
    found = scan(in_duckdb(table), "measured", reference.as_reference(), DUCKDB)
    same(current_of(reference, x=table.column("x").combine_chunks()), found)
    column = found.columns["x"]
    assert isinstance(column, Categories)
    assert column.crowded
    assert column.counts == {"a": 5, "b": 3}


@pytest.fixture
def in_postgresql(db: None) -> Iterator[Any]:
    if connection.vendor != "postgresql":
        pytest.skip("this run has no PostgreSQL; DATABASE_URL names one")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE measured (amount float8, age int, city text, member boolean, at timestamp)"
        )
        cursor.executemany(
            "INSERT INTO measured VALUES (%s, %s, %s, %s, %s)", list(zip(*rows(3000).to_pydict().values(), strict=True))
        )

        def run(text: str) -> Any:
            cursor.execute(text.replace("%", "%%"), [])
            return cursor.fetchall()

        yield run


def test_postgresql_counts_as_numpy_does(in_postgresql: Any) -> None:
    reference = reference_of(**columns_of(rows(seed=9)))
    found = scan(in_postgresql, "measured", reference.as_reference(), POSTGRESQL)
    same(current_of(reference, **columns_of(rows(3000))), found)


def test_a_reference_can_be_made_in_postgresql(in_postgresql: Any) -> None:
    frame = survey(in_postgresql, "measured", KINDS, POSTGRESQL)
    profile = scan(in_postgresql, "measured", frame, POSTGRESQL)
    same(
        current_of(profile, **columns_of(rows(3000))),
        scan(in_postgresql, "measured", profile.as_reference(), POSTGRESQL),
    )


@pytest.mark.parametrize("dialect", [DUCKDB, POSTGRESQL, SPARK])
def test_each_column_is_one_query_that_quotes_what_it_is_given(dialect: Dialect) -> None:
    evil = 'x"`; DROP TABLE y; --'
    frame = reference_of(**{evil: ["it's", "b"]}).as_reference().columns[evil]
    text = query(frame, "measured", dialect)
    assert text.count("GROUP BY") == 1
    assert dialect.name(evil) in text
    assert dialect.name(evil).count(dialect.quote) % 2 == 0
    assert dialect.literal("it's") in text


def test_each_dialect_spells_quotation_marks_its_own_way() -> None:
    assert [each.literal("it's \\ so") for each in (DUCKDB, POSTGRESQL, SPARK)] == [
        "'it''s \\ so'",
        "'it''s \\ so'",
        "'it\\'s \\\\ so'",
    ]
