"""Where rows lie that a worker shall read, and of which time they are, as far as it can be said without looking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Invalid
from monitoring import profiling
from monitoring.connectors.sql import POSTGRESQL, query_problem
from monitoring.leasing import LEASE
from monitoring.models import DataProfile, Source
from monitoring.profiles.files import CSV, PARQUET
from monitoring.roots import path_problems
from portfolio.services.checks import refuse


@dataclass(frozen=True, slots=True)
class Where:
    """Where rows lie: files or a DuckDB file below the configured folders, or a query of a source's database."""

    path: str = ""
    source: Source | None = None
    query: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when the rows are, if that is known."""

    start: datetime | None = None
    end: datetime | None = None


class Placed(Protocol):
    """A row that says where its rows lie."""

    use_case_id: UUID
    origin: str
    path: str
    source: Source | None
    query: str


class Timed(Protocol):
    """A row that says of which time its rows are."""

    window_start: datetime | None
    window_end: datetime | None


def set_place(row: Placed, where: Where) -> None:
    """Write the place to a row that is not saved yet. Raises ``Invalid``."""
    errors: dict[str, list[str]] = {}
    if where.source is not None:
        row.origin = DataProfile.Origin.SQL
        if where.source.use_case_id != row.use_case_id or where.source.connector != "sql":
            errors["source"] = [_("Choose an SQL source of this use case.")]
        elif not str(where.source.config.get("url", "")).startswith(POSTGRESQL):
            errors["source"] = [_("Only PostgreSQL counts for us; give other data as files.")]
        if not where.query.strip() or (problem := query_problem(where.query)):
            errors["query"] = [_("Give the SELECT whose rows are profiled.") if not where.query.strip() else problem]
        row.source, row.query = where.source, where.query.strip()
    else:
        row.origin = DataProfile.Origin.FILES
        errors |= _path_errors(where)
        row.path, row.query = where.path.strip(), where.query.strip()
    refuse(errors)


def set_window(row: Timed, window: Window) -> None:
    """Write the window to a row that is not saved yet. Raises ``Invalid``."""
    if window.start and window.end and window.start >= window.end:
        said = _("The window ends before it begins.")
        raise Invalid(said, errors={"window_end": [said]})
    if window.end and window.end > timezone.now() + LEASE:
        said = _("The window ends in the future.")
        raise Invalid(said, errors={"window_end": [said]})
    row.window_start, row.window_end = window.start, window.end


def _path_errors(where: Where) -> dict[str, list[str]]:
    path = where.path.strip()
    if not path or len(path) > 500:
        return {"path": [_("Give a path below the configured folders, such as exports/2026-11.parquet.")]}
    if problems := path_problems(path):
        return {"path": problems}
    is_duckdb = path.lower().endswith(profiling.DUCKDB)
    if is_duckdb and not where.query.strip():
        return {"query": [_("Name the table of the DuckDB file.")]}
    if where.query.strip() and not is_duckdb:
        return {"query": [_("Files have no query: leave it empty.")]}
    suffix = path[path.rfind(".") :].lower() if "." in path.rsplit("/", 1)[-1] else ""
    if suffix and suffix not in (*PARQUET, *CSV, *profiling.DUCKDB):
        return {"path": [_("Files that can be profiled are Parquet, CSV and DuckDB.")]}
    return {}
