"""The SQL connector on a real SQLite file and, where the suite runs on it, a real PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.db import connection
from pytest_django import Settings

from kernel.errors import Invalid
from monitoring.connector import ConnectorError, Reads, Sample
from monitoring.connectors import sql
from monitoring.connectors.sql import Sql

SINCE = datetime(2026, 11, 20, 12, tzinfo=UTC)
QUERY = "SELECT time, value FROM measured WHERE time >= :since"


@pytest.fixture
def file(tmp_path: Path, settings: Settings) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    settings.SOURCE_ROOTS = [str(root)]
    path = root / "metrics.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE measured (time TEXT, value REAL, metric TEXT, region TEXT)")
    rows = [("2026-11-20 11:00:00", 0.9, "f1", "north"), ("2026-11-20 13:00:00", 0.8, "f1", "south")]
    database.executemany("INSERT INTO measured VALUES (?, ?, ?, ?)", rows)
    database.commit()
    database.close()
    return path


def of_file(query: str = QUERY, **config: str) -> Sql:
    return Sql(Sql.check({"url": "sqlite:///metrics.db", "query": query, "metric": "f1", **config}), {})


def failure(source: Sql, since: datetime | None = None) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        list(source.fetch(since))
    return caught.value


def test_a_file_is_read_from_since_on(file: Path) -> None:
    query = "SELECT time, value, metric, region AS segment, 3 AS step, 70 AS n FROM measured WHERE time >= :since"
    (found,) = of_file(query, metric="").fetch(SINCE)
    assert found == Sample("f1", datetime(2026, 11, 20, 13, tzinfo=UTC), 0.8, 3, "south", "", 70)
    assert len(list(of_file().fetch(None))) == 2


def test_a_query_with_until_is_read_in_windows(file: Path) -> None:
    source = of_file(f"{QUERY} AND time < :until", window_hours="6")
    assert (source.reads, source.chunk.total_seconds()) == (Reads.WINDOWS, 21_600)
    assert [sample.value for sample in source.fetch(datetime(2026, 11, 20, 10, tzinfo=UTC), SINCE)] == [0.9]
    assert of_file().reads is Reads.POINTS


@pytest.mark.parametrize(
    "query",
    [
        "WITH x AS (SELECT 1) SELECT load_extension('/tmp/evil') AS time, 1 AS value",
        "SELECT time, value FROM pragma_database_list, measured",
        "SELECT writefile('/tmp/x', 'y') AS time, 1 AS value",
    ],
)
def test_what_does_more_than_read_is_refused(file: Path, query: str) -> None:
    assert failure(of_file(query)).kind in {"refused", "answer"}


def test_the_file_cannot_be_written(file: Path) -> None:
    # The check of the text is one wall; this goes round it.
    source = Sql({"url": "sqlite:///metrics.db", "query": "DELETE FROM measured", "metric": "f1"}, {})
    assert failure(source).kind == "refused"
    assert len(list(of_file().fetch(None))) == 2


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM measured",
        "SELECT 1; DROP TABLE measured",
        "/* SELECT */ INSERT INTO measured VALUES (1)",
        "-- SELECT\nUPDATE measured SET value = 0",
        "COMMIT",
        "SELECT time, value FROM measured WHERE time > :since AND region = :region",
    ],
)
def test_only_one_reading_statement_is_accepted(query: str) -> None:
    with pytest.raises(Invalid) as caught:
        of_file(query)
    assert "query" in caught.value.errors


def test_comments_casts_and_a_last_semicolon_are_fine() -> None:
    of_file("/* ours */ -- really\n SELECT time::timestamptz AS time, value FROM measured WHERE time > :since ;")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user@host/name",
        "postgresql://user:secret@host/name",
        "postgresql://user@/name",
        "postgresql://user@host/name?host=/var/run",
        "postgresql://user@a,b/name",
        "postgresql+psycopg2://user@host/name",
        "sqlite:///../other.db",
        "sqlite:////etc/passwd",
        "sqlite://",
        "sqlite:///x.db?mode=rwc",
        "nonsense",
        "postgresql://user@host/name?sslmode=never",
    ],
)
def test_other_databases_and_hidden_options_are_refused(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        Sql.check({"url": url, "query": QUERY, "metric": "f1"})
    assert list(caught.value.errors) == ["url"]
    assert "secret" not in str(caught.value)


def test_files_outside_the_roots_are_not_opened(file: Path, settings: Settings) -> None:
    outside = file.parent.parent / "outside.db"
    sqlite3.connect(outside).close()
    (file.parent / "link.db").symlink_to(outside)
    assert failure(of_file(url="sqlite:///link.db")).kind == "refused"
    assert failure(of_file(url="sqlite:///missing.db")).kind == "content"
    settings.SOURCE_ROOTS = []
    assert "TOLLGATE_SOURCE_ROOTS" in failure(of_file()).message


def test_a_query_without_end_is_ended(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "STATEMENT_SECONDS", 0)
    endless = "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT max(n) AS time, 1 AS value FROM x"
    assert failure(of_file(endless)).kind == "slow"


def test_more_rows_than_a_pull_may_bring_are_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "MOST_ROWS", 50)
    endless = "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT n AS time, 1 AS value FROM x"
    assert len(list(of_file(endless).fetch(None))) == 50


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT value FROM measured", "no column time"),
        ("SELECT time, value, region FROM measured", "column region"),
        ("SELECT 'soon' AS time, value FROM measured", "time cannot be read"),
        ("SELECT time, 'x' AS value FROM measured", "not a number"),
        ("SELECT time, value FROM missing", "no such table"),
        ("SELECT time, value, 1.5 AS step, 'x' AS n FROM measured", "not a number"),
    ],
)
def test_what_is_wrong_with_rows_is_said(file: Path, query: str, said: str) -> None:
    assert said in failure(of_file(query)).message


def test_nothing_measured_is_left_out(file: Path) -> None:
    assert list(of_file("SELECT time, NULL AS value FROM measured").fetch(None)) == []
    assert list(of_file("SELECT time, 9e999 AS value FROM measured").fetch(None)) == []


def test_a_file_that_is_no_database_is_said(file: Path) -> None:
    file.write_bytes(b"not a database at all" * 100)
    assert failure(of_file()).kind in {"answer", "refused"}


# -- PostgreSQL ------------------------------------------------------------------------------------------------------


def _address() -> dict[str, Any]:
    """A server to read from: that of the suite, or the one on this machine."""
    if connection.vendor == "postgresql":
        given = connection.settings_dict
        return {"host": given["HOST"] or "127.0.0.1", "port": int(given["PORT"] or 5432), "user": given["USER"]}
    return {"host": "127.0.0.1", "port": 5432, "user": "root"}


@pytest.fixture
def server(settings: Settings) -> Iterator[str]:
    """The address of a schema with a table, as a source writes it."""
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    asked = _address()
    try:
        own = psycopg2.connect(dbname="postgres", connect_timeout=3, **asked)
    except psycopg2.OperationalError:
        pytest.skip("no PostgreSQL answers on this machine")
    schema = f"h_{os.getpid()}"
    own.autocommit = True
    cursor = own.cursor()
    cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")
    cursor.execute(f"CREATE TABLE {schema}.measured (time timestamptz, value numeric, region text)")
    cursor.execute(
        f"INSERT INTO {schema}.measured VALUES ('2026-11-20 11:00+00', 0.9, 'n'), ('2026-11-20 13:00+00', 0.8, NULL)"
    )
    yield f"postgresql://{asked['user']}@{asked['host']}:{asked['port']}/postgres|{schema}"
    cursor.execute(f"DROP SCHEMA {schema} CASCADE")
    own.close()


def of_server(server: str, query: str, *, checked: bool = True) -> Sql:
    url, _bar, schema = server.partition("|")
    config = {"url": url, "query": query.replace("measured", f"{schema}.measured"), "metric": "f1"}
    return Sql(Sql.check(config) if checked else {**config, "window_hours": "24"}, {})


@pytest.mark.django_db
def test_postgresql_is_read_from_since_on(server: str) -> None:
    query = "SELECT time, value, region AS segment FROM measured WHERE time >= :since ORDER BY time"
    assert [sample.value for sample in of_server(server, query).fetch(None)] == [0.9, 0.8]
    (found,) = of_server(server, query).fetch(SINCE)
    assert found == Sample("f1", datetime(2026, 11, 20, 13, tzinfo=UTC), 0.8)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "WITH gone AS (DELETE FROM measured RETURNING time, value) SELECT * FROM gone",
        "SELECT now() AS time, set_config('transaction_read_only', 'off', false)::text::int AS value",
        "SELECT time, value FROM measured FOR UPDATE",
    ],
)
def test_postgresql_refuses_to_write(server: str, query: str) -> None:
    assert failure(of_server(server, query)).kind in {"refused", "answer"}
    assert len(list(of_server(server, "SELECT time, value FROM measured").fetch(None))) == 2


@pytest.mark.django_db
def test_postgresql_refuses_to_write_even_past_the_check(server: str) -> None:
    source = of_server(server, "DELETE FROM measured", checked=False)
    assert failure(source).kind in {"refused", "answer"}
    assert len(list(of_server(server, "SELECT time, value FROM measured").fetch(None))) == 2


@pytest.mark.django_db
def test_a_slow_statement_is_ended_by_the_server(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "STATEMENT_SECONDS", 1)
    assert failure(of_server(server, "SELECT now() AS time, 1 AS value FROM pg_sleep(20)")).kind == "slow"


@pytest.mark.django_db
def test_a_wrong_password_does_not_come_back(server: str) -> None:
    url, _bar, _schema = server.partition("|")
    config = Sql.check(
        {"url": url.replace("root@", "nobody@"), "query": "SELECT 1 AS time, 1 AS value", "metric": "f1"}
    )
    error = failure(Sql(config, {"password": "canary-sql"}))
    assert error.kind == "unreachable"
    assert "canary" not in error.message


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254"])
def test_private_databases_are_refused_unless_allowed(host: str, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = []
    config = Sql.check({"url": f"postgresql://u@{host}/d", "query": "SELECT 1 AS time, 1 AS value", "metric": "f1"})
    assert failure(Sql(config, {})).kind == "refused"


def test_nobody_listening_is_unreachable(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    config = Sql.check({"url": "postgresql://u@127.0.0.1:9/d", "query": "SELECT 1 AS time, 1 AS value", "metric": "f1"})
    assert failure(Sql(config, {})).kind == "unreachable"


def test_a_secret_belongs_to_user_host_port_and_encryption() -> None:
    place = Sql.destination({"url": "postgresql://u@a:5432/x?sslmode=require"})
    for other in ("postgresql://u@b:5432/x?sslmode=require", "postgresql://u@a:5432/x", "postgresql://v@a:5432/x"):
        assert Sql.destination({"url": other}) != place
