"""Metrics from a database: one SELECT with the columns time and value, run read-only, briefly and to a row limit.

The query can do no harm by four independent means: it is one statement that begins with SELECT or WITH, it runs in a
read-only transaction (PostgreSQL) or under an authorizer that knows reading alone (SQLite), it is ended when it takes
long, and no more rows are taken than a pull may bring. Give the account the rights to read what is asked all the same.
"""

from __future__ import annotations

import math
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from kernel.errors import DomainError
from kernel.http import guarded_addresses
from monitoring.connector import Connector, ConnectorError, Reads, Sample, connectors
from monitoring.roots import one, path_problems
from monitoring.setting import Setting

POSTGRESQL, SQLITE = "postgresql", "sqlite"
CONNECT_SECONDS = 10
STATEMENT_SECONDS = 60
MOST_ROWS = 100_001
"""One more than a pull may store, so that it can say that there are too many."""
MOST_BYTES = 10_000_000
COLUMNS = frozenset({"time", "value", "metric", "segment", "version", "step", "n"})
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
SSL_MODES = frozenset({"disable", "prefer", "require", "verify-ca", "verify-full"})
COMMENT = re.compile(r"\A(?:\s+|--[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
READING = re.compile(r"(?:select|with)\b", re.IGNORECASE)
PLACE = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
MAY_READ = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}


@connectors.register
class Sql(Connector):
    key = "sql"
    label = gettext_lazy("SQL database")
    about = gettext_lazy("A SELECT on PostgreSQL, or on an SQLite file in a folder that an operator named.")
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "url",
            gettext_lazy("Database"),
            gettext_lazy(
                "postgresql://user@host:5432/name?sslmode=require, or sqlite:///folder/file.db below a configured one."
            ),
            required=True,
        ),
        Setting(
            "query",
            gettext_lazy("Query"),
            gettext_lazy(
                "One SELECT with the columns time and value; metric, segment, version, step and n may be there too. "
                "Use :since, and :until to be read in windows: WHERE time >= :since AND time < :until."
            ),
            required=True,
            is_long=True,
        ),
        Setting("metric", gettext_lazy("Metric"), gettext_lazy("Its key, unless a column names it.")),
        Setting(
            "window_hours",
            gettext_lazy("Hours read at once"),
            gettext_lazy("While it catches up; for queries with :until."),
            default="24",
            least=1,
            most=8760,
        ),
    )
    secrets: ClassVar[tuple[Setting, ...]] = (
        Setting("password", gettext_lazy("Password"), gettext_lazy("Of the account in the address.")),
    )

    @classmethod
    def problems(cls, config: Mapping[str, str]) -> dict[str, list[str]]:
        errors: dict[str, list[str]] = {}
        if said := _url_problem(config["url"]):
            errors["url"] = [said]
        if said := _query_problem(config["query"]):
            errors["query"] = [said]
        return errors

    @classmethod
    def destination(cls, config: Mapping[str, str]) -> str:
        url = sqlalchemy.make_url(config["url"])
        # Encryption is part of it: without it others on the way would see the password.
        return f"{url.drivername}://{url.username}@{url.host}:{url.port}/{sorted(url.query.items())}"

    @property
    def reads(self) -> Reads:
        return Reads.WINDOWS if "until" in _places(self.config["query"]) else Reads.POINTS

    @property
    def chunk(self) -> timedelta:
        return timedelta(hours=int(self.config["window_hours"]))

    def fetch(self, since: datetime | None, until: datetime | None = None) -> Iterator[Sample]:
        url = sqlalchemy.make_url(self.config["url"])
        is_sqlite = url.get_backend_name() == SQLITE
        given = {"since": since or BEGINNING, "until": until or datetime.now(tz=UTC)}
        asked = {name: _sqlite_time(moment) if is_sqlite else moment for name, moment in given.items()}
        asked = {name: asked[name] for name in _places(self.config["query"]) if name in asked}
        try:
            with _sqlite(url) if is_sqlite else _postgresql(url, self.secret.get("password", "")) as connection:
                rows = connection.execute(sqlalchemy.text(self.config["query"].rstrip().rstrip(";")), asked)
                names = [str(name).lower() for name in tuple(rows.keys())]
                self._check_columns(names)
                for index, row in enumerate(rows):
                    if index >= MOST_ROWS:
                        return
                    sample = self._sample(index, dict(zip(names, row, strict=True)))
                    if sample is not None:
                        yield sample
        except SQLAlchemyError as error:
            raise _failure(error) from None
        except sqlite3.Error as error:
            raise ConnectorError("answer", _said(error)) from None

    def _check_columns(self, names: list[str]) -> None:
        for needed in ("time", "value"):
            if needed not in names:
                raise ConnectorError("content", _("The query gives no column %(name)s.") % {"name": needed})
        if "metric" not in names and not self.config.get("metric"):
            raise ConnectorError("content", _("Say which metric it is, by the setting or by a column."))
        if unknown := sorted(set(names) - COLUMNS):
            raise ConnectorError("content", _("There is no use for the column %(name)s.") % {"name": unknown[0]})

    def _sample(self, index: int, row: Mapping[str, Any]) -> Sample | None:
        """The sample of one row; None when its value is null or no number: nothing was measured."""
        if row["value"] is None:
            return None
        try:
            value = float(row["value"])
            step, n = int(row.get("step") or 0), None if row.get("n") is None else int(row["n"])
        except (TypeError, ValueError):
            raise _row_error(index, _("its value, step or n is not a number")) from None
        if isinstance(row["value"], str | bool) or not isinstance(row["value"], int | float | Decimal):
            raise _row_error(index, _("its value is not a number"))
        metric = str(row.get("metric") or self.config.get("metric") or "")
        if not metric:
            raise _row_error(index, _("it names no metric"))
        if not math.isfinite(value):
            return None
        segment, version = str(row.get("segment") or ""), str(row.get("version") or "")
        return Sample(metric, _time(index, row["time"]), value, step, segment, version, n)


def query_problem(query: str) -> str:
    """What is wrong with a query that has no window of time; empty when nothing is."""
    return _query_problem(query) or (_("This query takes no :since and :until.") if _places(query) else "")


@contextmanager
def asked(
    config: Mapping[str, str], secret: Mapping[str, str]
) -> Iterator[Callable[[str], tuple[list[tuple[str, int]], list[Any]]]]:
    """Queries of our own making in one read-only transaction: names with the numbers of their types, and the rows.

    Raises ``ConnectorError``. PostgreSQL only: there the counting is done by the database.
    """
    url = sqlalchemy.make_url(config["url"])
    if url.get_backend_name() != POSTGRESQL:
        raise ConnectorError("content", _("Only PostgreSQL counts for us; give other data as files."))
    try:
        with _postgresql(url, secret.get("password", "")) as connection:

            def ask(text: str) -> tuple[list[tuple[str, int]], list[Any]]:
                found = connection.exec_driver_sql(text.replace("%", "%%"), ())
                names = [(str(column[0]), int(str(column[1]))) for column in found.cursor.description]
                return names, [tuple(row) for row in found]

            yield ask
    except SQLAlchemyError as error:
        raise _failure(error) from None


@contextmanager
def _postgresql(url: URL, password: str) -> Iterator[sqlalchemy.Connection]:
    """A read-only transaction on the one address that was checked."""
    host, port = str(url.host), url.port or 5432
    try:
        address = guarded_addresses(host, port)[0]
    except DomainError as error:
        raise ConnectorError("refused", error.message) from None
    except OSError:
        raise ConnectorError("unreachable", _("%(host)s cannot be resolved.") % {"host": host}) from None
    engine = sqlalchemy.create_engine(
        url.set(drivername="postgresql+psycopg2", password=password or None, port=port),
        poolclass=sqlalchemy.NullPool,
        connect_args={
            "hostaddr": address,  # the name would be resolved once more; it stays for the certificate's sake
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "Tollgate",
            "passfile": "/dev/null",
            "options": f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_SECONDS * 1000}"
            " -c standard_conforming_strings=on -c timezone=UTC",
        },
    )
    with engine.connect() as connection:
        yield connection.execution_options(
            stream_results=True, max_row_buffer=2000, postgresql_readonly=True, isolation_level="REPEATABLE READ"
        )


@contextmanager
def _sqlite(url: URL) -> Iterator[sqlalchemy.Connection]:
    """The file opened read-only, with an authorizer that allows to read its tables and nothing else."""
    file = one(str(url.database))
    ends = time.monotonic() + STATEMENT_SECONDS

    def opened() -> sqlite3.Connection:
        connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=5)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)  # of one text or blob, such as a query can make
        connection.set_progress_handler(lambda: int(time.monotonic() > ends), 100_000)
        return connection

    engine = sqlalchemy.create_engine("sqlite://", creator=opened, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        # Only now: SQLAlchemy asks a new connection for settings of its own.
        driver: Any = connection.connection.driver_connection
        driver.set_authorizer(_may)
        yield connection


def _may(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    if action in MAY_READ or (action == sqlite3.SQLITE_FUNCTION and second != "load_extension"):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _url_problem(text: str) -> str:
    try:
        url = sqlalchemy.make_url(text)
    except (ArgumentError, ValueError):
        return _("Give an address such as postgresql://user@host:5432/name.")
    if url.drivername not in {POSTGRESQL, SQLITE}:
        return _("Databases that can be read are postgresql:// and sqlite:///.")
    if url.password is not None:
        return _("An address is no place for a password: use its own field.")
    return _sqlite_problem(url) if url.drivername == SQLITE else _postgresql_problem(url)


def _postgresql_problem(url: URL) -> str:
    if not url.host or not url.database or not url.username:
        return _("Give an address such as postgresql://user@host:5432/name.")
    if "," in url.host or "/" in url.host:
        return _("Name one host.")
    if unknown := sorted(url.query.keys() - {"sslmode"}):
        return _("Of the options only sslmode is accepted, not %(name)s.") % {"name": unknown[0]}
    if url.query.get("sslmode", "prefer") not in SSL_MODES:
        return _("Choose an sslmode of: %(known)s.") % {"known": ", ".join(sorted(SSL_MODES))}
    return ""


def _sqlite_problem(url: URL) -> str:
    if url.query or url.host or not url.database or url.database == ":memory:":
        return _("Give a file below the configured folders, such as sqlite:///exports/metrics.db.")
    problems = path_problems(url.database)
    return problems[0] if problems else ""


def _query_problem(query: str) -> str:
    text = query.rstrip().rstrip(";")
    if ";" in text:
        return _("Give one statement, without a semicolon.")
    if not READING.match(text[COMMENT.match(text).end() :]):  # type: ignore[union-attr]  # it matches the empty text too
        return _("A query begins with SELECT or WITH.")
    if unknown := sorted(set(_places(text)) - {"since", "until"}):
        return _("There is no value for :%(name)s; known are :since and :until.") % {"name": unknown[0]}
    return ""


def _places(query: str) -> list[str]:
    return list(dict.fromkeys(PLACE.findall(query)))


def _sqlite_time(moment: datetime) -> str:
    """As SQLite's own functions write it. Texts with a T sort after it, so they are read once more, never missed."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _time(index: int, given: Any) -> datetime:
    """A time with a zone; one without is UTC, as databases mean it. Numbers are seconds since 1970."""
    moment: datetime | None = None
    try:
        if isinstance(given, datetime):
            moment = given
        elif isinstance(given, date):
            moment = datetime(given.year, given.month, given.day, tzinfo=UTC)
        elif isinstance(given, str):
            moment = datetime.fromisoformat(given)
        elif isinstance(given, int | float | Decimal) and not isinstance(given, bool):
            moment = datetime.fromtimestamp(float(given), tz=UTC)
    except (ValueError, OverflowError, OSError):
        moment = None
    if moment is None:
        raise _row_error(index, _("its time cannot be read"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _row_error(index: int, what: str) -> ConnectorError:
    return ConnectorError("content", _("Row %(number)d: %(what)s.") % {"number": index + 1, "what": what})


def _failure(error: SQLAlchemyError) -> ConnectorError:
    cause = getattr(error, "orig", None) or error
    said = _said(cause)
    if "interrupted" in said or "statement timeout" in said:
        said = _("The query took longer than %(seconds)d seconds.") % {"seconds": STATEMENT_SECONDS}
        return ConnectorError("slow", said)
    if "not authorized" in said or "read-only transaction" in said or "readonly" in said:
        return ConnectorError("refused", _("The query does more than read: %(what)s.") % {"what": said})
    kind = "unreachable" if "connect" in said.lower() or "unable to open" in said else "answer"
    return ConnectorError(kind, _("The database says: %(what)s.") % {"what": said})


def _said(error: BaseException) -> str:
    """The first line of the database's own words; the rest quotes the query."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".")[:200]
