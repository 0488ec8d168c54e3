"""Counts for a drift report, made where the data is: the server gives the queries, this runs them.

DuckDB reads Parquet and CSV files and its own; psycopg or psycopg2 asks PostgreSQL. Neither comes with this command.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tollgate_client.api import Tollgate

PLACE = "tollgate_rows"
"""Stands in the queries for where the rows are, which the server is not told."""
READERS = {".parquet": "read_parquet", ".pq": "read_parquet", ".csv": "read_csv_auto"}
DUCKDB = (".duckdb", ".ddb")
WHOLE = 7
"""Values in a row of a query for numbers."""


class CannotCount(Exception):
    """The data cannot be counted here; the message says what to install or to mend."""


class Data:
    """A connection to where the rows are, and what stands after FROM."""

    def __init__(self, dialect: str, cursor: Any, rows: str, errors: type[Exception]) -> None:
        self.dialect = dialect
        self.cursor = cursor
        self.rows = rows
        self.errors = errors

    def ask(self, query: str) -> list[Sequence[Any]]:
        self.cursor.execute(query.replace(PLACE, self.rows))
        return list(self.cursor.fetchall())

    def columns(self) -> list[str]:
        self.ask(f"SELECT * FROM {PLACE} t LIMIT 0")  # noqa: S608  # what the caller gave to read
        return [str(column[0]) for column in self.cursor.description]


def push(tollgate: Tollgate, data: Data, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for the queries, run them, send the answers. `body`: use_case, name and, if known, version and window."""
    asked: dict[str, Any] = {name: body[name] for name in ("use_case", "version") if name in body}
    given = tollgate.post("profiles/queries/", {**asked, "dialect": data.dialect, "rows": PLACE})
    try:
        there = data.columns()
        answers = [_answer(data, query) for query in given["queries"] if query["column"] in there]
    except data.errors as error:
        raise CannotCount(str(error).strip().splitlines()[0]) from None
    sent = {**body, "reference": given["reference"], "columns": there, "answers": answers}
    answer: dict[str, Any] = tollgate.post("profiles/", sent)
    return answer


@contextmanager
def opened(where: str, table: str, query: str) -> Iterator[Data]:
    """`where`: a file, a pattern of files, a DuckDB file, or an address postgresql://…, with a table or a query."""
    rows = f"({query.rstrip().rstrip(';')})" if query else _quoted(table) if table else ""
    if where.startswith(("postgresql://", "postgres://")):
        if not rows:
            raise CannotCount("say --table or --query: what of this database is counted?")
        driver = _module(("psycopg", "psycopg2"), "psycopg[binary]")
        connection = driver.connect(where)
        connection.autocommit = True
        connection.cursor().execute("SET default_transaction_read_only = on")
    else:
        driver = _module(("duckdb",), "duckdb")
        is_duckdb = where.lower().endswith(DUCKDB)
        if is_duckdb and not rows:
            raise CannotCount("say --table or --query: what of this DuckDB file is counted?")
        connection = driver.connect(where, read_only=True) if is_duckdb else driver.connect()
        rows = rows if is_duckdb else _files(where)
    try:
        dialect = "duckdb" if driver.__name__ == "duckdb" else "postgresql"
        yield Data(dialect, connection.cursor(), rows, driver.Error)
    finally:
        connection.close()


def _answer(data: Data, query: dict[str, str]) -> dict[str, Any]:
    try:
        return {"column": query["column"], "rows": _short(data.ask(query["query"]))}
    except data.errors:
        if not query["otherwise"]:
            raise
        # Words where numbers were: the database refuses to cast them, and they are no numbers in any case.
        return {"column": query["column"], "words": _plain(data.ask(query["otherwise"]))}


def _short(rows: list[Sequence[Any]]) -> list[list[Any]]:
    """Rows of cells keep what the server needs of each; extremes and sums of all are with the first."""
    inner = [row for row in rows if len(row) == WHOLE and row[0] >= 0]
    if not inner:
        return _plain(rows)
    first = [inner[0][0], inner[0][1], min(row[2] for row in inner), max(row[3] for row in inner)]
    first += [math.fsum(row[place] for row in inner) for place in (4, 5)] + [sum(row[6] or 0 for row in inner)]
    return _plain([first, *(row[:2] for row in inner[1:]), *(row for row in rows if row[0] < 0)])


def _plain(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """As JSON can say it: numbers that it has no word for become texts."""
    return [[value if _is_plain(value) else str(value) for value in row] for row in rows]


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (int, str)) or (isinstance(value, float) and math.isfinite(value))


def _files(where: str) -> str:
    for ending, reader in READERS.items():
        if where.lower().endswith(ending):
            quoted = where.replace("'", "''")
            return f"{reader}('{quoted}')"
    raise CannotCount(f"{where}: give Parquet, CSV or DuckDB files, or an address postgresql://…")


def _quoted(table: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))


def _module(names: Sequence[str], package: str) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise CannotCount(f"this needs {' or '.join(names)}: pip install '{package}'")
