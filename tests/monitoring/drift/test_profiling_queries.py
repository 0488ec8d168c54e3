"""Profiles of what a database holds: counted where it is, and nothing but read."""

from __future__ import annotations

from pathlib import Path

import duckdb
import psycopg2
import pytest
from django.db import connection
from pytest_django import Settings

from kernel.errors import Invalid
from ledger import SYSTEM
from monitoring import profiling, services
from monitoring.services.places import Where
from monitoring.services.profiles import Wanted
from tests.factories.monitoring import SourceFactory
from tests.factories.portfolio import UseCaseFactory
from tests.monitoring.drift.stories import customers

pytestmark = pytest.mark.django_db


def test_a_table_of_a_duckdb_file_is_counted_by_duckdb(root: Path) -> None:
    with duckdb.connect(str(root / "lake.duckdb")) as database:
        told = customers(3000)
        database.register("told", told)
        database.execute("CREATE TABLE before AS SELECT * FROM told")
        now = customers(1000, seed=4, older=20)
        database.register("now_told", now)
        database.execute("CREATE TABLE now AS SELECT *, 'x' AS added FROM now_told")
    use_case = UseCaseFactory.create()
    where = Where("lake.duckdb", query="before")
    profile = services.profile_reference(use_case=use_case, name="Lake", where=where, wanted=Wanted(), by=SYSTEM)
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert (profile.state, profile.rows) == ("done", 3000), profile.error
    later = services.profile_current(use_case=use_case, name="Now", where=Where("lake.duckdb", query="now"), by=SYSTEM)
    profiling.make(later.pk)
    states = dict(later.reports.get().results.values_list("name", "state"))
    assert states["age"] == "drifted"
    assert states["added"] == "added"


def test_duckdb_reads_no_other_file(root: Path) -> None:
    duckdb.connect(str(root / "lake.duckdb")).close()
    (root / "secret.csv").write_text("a\n1\n")
    where = Where("lake.duckdb", query=str(root / "secret.csv"))
    profile = services.profile_reference(
        use_case=UseCaseFactory.create(), name="Lake", where=where, wanted=Wanted(), by=SYSTEM
    )
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert profile.state == "failed"


def test_a_query_of_postgresql_is_counted_there(root: Path, settings: Settings) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("this run has no PostgreSQL; DATABASE_URL names one")
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    told = connection.settings_dict
    beside = psycopg2.connect(host=told["HOST"], port=told["PORT"], user=told["USER"], dbname=told["NAME"])
    beside.autocommit = True
    cursor = beside.cursor()
    cursor.execute(
        "DROP TABLE IF EXISTS profiled; CREATE TABLE profiled AS SELECT n AS x, n % 3 AS k, "
        "CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END AS word FROM generate_series(1, 5000) n"
    )
    try:
        url = f"postgresql://{told['USER']}@{told['HOST'] or 'localhost'}:{told['PORT'] or 5432}/{told['NAME']}"
        source = SourceFactory.create(connector="sql", config={"url": url, "query": "SELECT 1"})
        where = Where(source=source, query="SELECT * FROM profiled WHERE x <= 4000")
        profile = services.profile_reference(
            use_case=source.use_case, name="Table", where=where, wanted=Wanted(), by=SYSTEM
        )
        profiling.make(profile.pk)
        profile.refresh_from_db()
        assert (profile.state, profile.rows, profile.columns) == ("done", 4000, 3), profile.error
        where = Where(source=source, query="SELECT x * 3 AS x, k, 'even' AS word FROM profiled")
        later = services.profile_current(use_case=source.use_case, name="Now", where=where, by=SYSTEM)
        profiling.make(later.pk)
        later.refresh_from_db()
        states = dict(later.reports.get().results.values_list("name", "state"))
        assert states == {"x": "drifted", "k": "stable", "word": "drifted"}
    finally:
        cursor.execute("DROP TABLE profiled")
        beside.close()


def test_a_query_that_does_more_than_read_is_refused() -> None:
    source = SourceFactory.create(connector="sql", config={"url": "postgresql://u@db.example:5432/x", "query": "S"})
    for query in ("", "DELETE FROM x", "SELECT 1; DROP TABLE x", "SELECT * FROM x WHERE t > :since"):
        with pytest.raises(Invalid) as caught:
            services.profile_reference(
                use_case=source.use_case,
                name="X",
                where=Where(source=source, query=query),
                wanted=Wanted(),
                by=SYSTEM,
            )
        assert "query" in caught.value.errors
