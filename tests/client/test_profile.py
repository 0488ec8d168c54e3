"""Data that is counted where it is: by DuckDB and PostgreSQL, sent with a machine's token, compared by the product."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import psycopg2
import pyarrow as pa
import pyarrow.parquet
import pytest
from django.db import connection
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from tollgate_client.cli import main

from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from monitoring import profiling, services
from monitoring.models import DataProfile
from monitoring.profiles.files import scan
from monitoring.profiles.wire import as_json
from monitoring.services.profiles import Answers
from portfolio.models import UseCase
from tests.factories.accounts import ServiceAccountFactory, give, token_for
from tests.factories.portfolio import UseCaseFactory
from tests.monitoring.drift import stories
from tests.monitoring.drift.stories import customers

Run = Callable[..., int]


@pytest.fixture
def use_case(transactional_db: None) -> UseCase:
    return UseCaseFactory.create()


@pytest.fixture
def reference(use_case: UseCase, tmp_path: Path, settings: Settings) -> DataProfile:
    settings.SOURCE_ROOTS = [str(tmp_path)]
    return stories.reference(tmp_path, use_case)


@pytest.fixture
def tollgate(reference: DataProfile, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", reference.use_case)
    _token, key = token_for(machine)
    monkeypatch.setenv("TOLLGATE_TOKEN", key)
    return lambda *given: main(
        ["--url", live_server.url, "profile", *given, "--use-case", reference.use_case.key, "--name", "Week 47"]
    )


def sent() -> DataProfile:
    profile = DataProfile.objects.get(purpose="current")
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert profile.state == "done", profile.error
    return profile


def states(profile: DataProfile) -> dict[str, str]:
    return dict(profile.reports.get().results.values_list("name", "state"))


def test_a_file_is_counted_where_it_is_as_the_product_would_count_it(
    tollgate: Run, reference: DataProfile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    income = np.where(np.arange(900) % 90 == 0, np.nan, np.arange(900) * 1000.0 - 5000)
    income[1] = np.inf
    table = customers(900, seed=2, older=20).set_column(1, "income", pa.array(income))
    file = tmp_path / "week.parquet"
    pyarrow.parquet.write_table(table, file)
    assert tollgate(str(file), "--to", "2026-11-01T00:00:00Z") == 0, capsys.readouterr().err
    profile = sent()
    assert f"/monitoring/profiles/{profile.pk}/" in capsys.readouterr().out
    assert states(profile)["age"] == "drifted"
    assert profile.reports.get().as_of.isoformat().startswith("2026-11-01")
    counted = as_json(scan([file], profiling.body_of(reference).as_reference()))
    brought = as_json(profiling.body_of(profile))
    for ours, theirs in zip(counted["columns"], brought["columns"], strict=True):
        for name in ("counts", "nulls", "n", "nans", "above", "under", "over", "least", "greatest", "off"):
            if name in ours:
                assert theirs[name] == ours[name], (ours["frame"]["name"], name)


def test_columns_that_are_gone_new_or_words_are_told_and_no_crash(tollgate: Run, tmp_path: Path) -> None:
    table = customers(500).drop_columns(["income"]).set_column(0, "age", pa.array(["old", "young"] * 250))
    pyarrow.parquet.write_table(table.append_column("extra", pa.array([1] * 500)), tmp_path / "week.parquet")
    assert tollgate(str(tmp_path / "week.parquet")) == 0
    found = states(sent())
    assert found == found | {"age": "type_changed", "income": "gone", "extra": "added"}


def test_a_table_or_a_query_of_a_duckdb_file_is_counted(tollgate: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "lake.duckdb")
    with duckdb.connect(file) as database:
        database.register("told", customers(700, seed=3))
        database.execute("CREATE TABLE requests AS SELECT * FROM told")
    assert tollgate(file) == 2
    assert tollgate(file, "--table", "missing") == 2
    assert tollgate(file, "--query", "SELECT * FROM requests LIMIT 600;") == 0
    assert sent().rows == 600


def test_a_query_of_postgresql_is_counted(tollgate: Run) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("this run has no PostgreSQL; DATABASE_URL names one")
    told = connection.settings_dict
    url = f"postgresql://{told['USER']}@{told['HOST'] or 'localhost'}:{told['PORT'] or 5432}/{told['NAME']}"
    with psycopg2.connect(url) as beside, beside.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS brought")
        cursor.execute(
            "CREATE TABLE brought AS SELECT 80 + n % 9 AS age, 'north' AS region FROM generate_series(1, 500) n"
        )
    try:
        assert tollgate(url, "--table", "brought") == 0
        profile = sent()
        assert (profile.rows, states(profile)["age"], states(profile)["income"]) == (500, "drifted", "gone")
    finally:
        with psycopg2.connect(url) as beside, beside.cursor() as cursor:
            cursor.execute("DROP TABLE brought")


def test_what_is_not_there_is_said(
    tollgate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tollgate(str(tmp_path / "none.parquet")) == 2
    assert tollgate("notes.txt") == 2
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert tollgate(str(tmp_path / "none.parquet")) == 2
    assert "pip install 'duckdb'" in capsys.readouterr().err
    assert not DataProfile.objects.filter(purpose="current").exists()


@pytest.mark.django_db(transaction=True)
def test_a_use_case_without_a_reference_refuses(
    use_case: UseCase, live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    monkeypatch.setenv("TOLLGATE_TOKEN", token_for(machine)[1])
    pyarrow.parquet.write_table(customers(100), tmp_path / "week.parquet")
    given = ["--url", live_server.url, "profile", str(tmp_path / "week.parquet"), "--name", "W", "--use-case"]
    assert main([*given, use_case.key]) == 3
    assert main([*given, UseCaseFactory.create().key]) == 3


@pytest.mark.parametrize(
    "answer",
    [
        {"column": "age", "rows": [["x", 1]]},
        {"column": "age", "rows": [[0, -5]]},
        {"column": "age", "rows": [[10**9, 5]]},
        {"column": "age", "rows": "many"},
        {"column": "age"},
        {"column": "age", "words": []},
        {"column": "region", "rows": [["north"]]},
        {"column": "nobody", "rows": []},
    ],
)
def test_answers_that_no_query_gives_are_refused_by_column(reference: DataProfile, answer: dict[str, Any]) -> None:

    with pytest.raises(Invalid, match=answer["column"]):
        services.push_answers(
            use_case=reference.use_case, name="X", answers=Answers(reference.pk, [answer], ["age"]), by=SYSTEM
        )


def test_answers_to_the_queries_of_another_reference_are_refused(reference: DataProfile, tmp_path: Path) -> None:

    stories.reference(tmp_path, reference.use_case)
    with pytest.raises(Conflict, match="Another reference"):
        services.push_answers(use_case=reference.use_case, name="X", answers=Answers(reference.pk, [], []), by=SYSTEM)
