"""The same counts made where the data is: one GROUP BY a column, in DuckDB, PostgreSQL or Spark.

The cell of a value is computed as NumPy computes it, floor((x - lo) * scale) in doubles, so counts are the same to the
last row. Sums are made by the database in an order of its own; their last digits may differ.
"""

# ruff: noqa: S608  # queries are made here: names are quoted, values escaped, and FROM is what the caller checked

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitoring.profiles.columns import Categories, Column, Numbers, compact
from monitoring.profiles.counting import LONGEST_VALUE
from monitoring.profiles.errors import ProfileError
from monitoring.profiles.exact import exact
from monitoring.profiles.frame import (
    CELLS,
    CELLS_OF_MANY,
    MANY_COLUMNS,
    MOST_VALUES,
    ColumnFrame,
    Frame,
    Kind,
    lattice_for,
)
from monitoring.profiles.profile import Profile

Run = Callable[[str], Iterable[Sequence[Any]]]
"""Runs a query and gives its rows."""
UNDER, OVER, NAN, ABOVE, BELOW, NULL = -1, -2, -3, -4, -5, -6
"""Cells that are none."""
SAMPLE = 50_000


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database says what the others say otherwise."""

    key: str
    quote: str
    seconds: str
    """A time as seconds since 1970."""
    sample: str
    """Some rows of the data, at least about ``SAMPLE``, the same ones each time it is asked."""
    nan: str = "CAST('NaN' AS DOUBLE)"
    infinity: str = "CAST('Infinity' AS DOUBLE)"
    double: str = "DOUBLE"
    text: str = "VARCHAR"
    escapes: str = "'"
    """What stands before a quotation mark within a text, and before itself."""

    def name(self, column: str) -> str:
        return f"{self.quote}{column.replace(self.quote, self.quote * 2)}{self.quote}"

    def literal(self, value: str) -> str:
        told = value if self.escapes == "'" else value.replace(self.escapes, self.escapes * 2)
        return "'" + told.replace("'", f"{self.escapes}'") + "'"


DUCKDB = Dialect(
    "duckdb",
    '"',
    "epoch(CAST({x} AS TIMESTAMP))",
    "SELECT * FROM {rows} USING SAMPLE reservoir({n} ROWS) REPEATABLE (7)",
)
POSTGRESQL = Dialect(
    "postgresql",
    '"',
    "CAST(EXTRACT(EPOCH FROM {x}) AS DOUBLE PRECISION)",
    "SELECT * FROM (SELECT s.*, row_number() OVER () AS tollgate_row, count(*) OVER () AS tollgate_rows"
    " FROM {rows} s) n WHERE tollgate_row % greatest(1, tollgate_rows / {n}) = 0",
    double="DOUBLE PRECISION",
    text="TEXT",
    nan="CAST('NaN' AS DOUBLE PRECISION)",
    infinity="CAST('Infinity' AS DOUBLE PRECISION)",
)
SPARK = Dialect(
    "spark",
    "`",
    "CAST(CAST({x} AS TIMESTAMP) AS DOUBLE)",
    "SELECT * FROM {rows} LIMIT {n}",
    text="STRING",
    escapes="\\",
)
DIALECTS = {dialect.key: dialect for dialect in (DUCKDB, POSTGRESQL, SPARK)}


def query(frame: ColumnFrame, rows: str, dialect: Dialect) -> str:
    """The SELECT that counts one column. ``rows`` is what stands after FROM: a table, or a query in brackets."""
    return _numbers_query(frame, rows, dialect) if frame.lattice else _values_query(frame, rows, dialect)


def scan(run: Run, rows: str, frame: Frame, dialect: Dialect, *, there: Iterable[str] | None = None) -> Profile:
    """The profile of a query, made by the database. ``there`` are the columns that it has; else all of the frame."""
    names = frame.columns.keys() if there is None else set(there)
    columns: dict[str, Column] = {}
    for name, column in frame.columns.items():
        if name in names:
            columns[name] = read(column, run(query(column, rows, dialect)))
    counts = {column.rows for column in columns.values()}
    if len(counts) > 1:
        raise ProfileError("the rows changed while they were counted")
    return Profile(
        rows=counts.pop() if counts else 0,
        columns=columns,
        unframed=frozenset(names) - frozenset(frame.columns),
        missing=frozenset(frame.columns) - frozenset(names),
    )


def survey(run: Run, rows: str, kinds: dict[str, Kind], dialect: Dialect, *, ignored: Sequence[str] = ()) -> Frame:
    """The frame of a reference that lies in a database: extremes of all rows, the bulk from a sample of them."""
    frames = []
    cells = CELLS if len(kinds) <= MANY_COLUMNS else CELLS_OF_MANY
    for name, kind in kinds.items():
        if name in ignored:
            continue
        if not kind.is_counted_in_cells:
            frames.append(ColumnFrame(name, kind))
            continue
        x = _as_double(ColumnFrame(name, kind, lattice_for(np.zeros(1), 0.0, 0.0, whole=True)), dialect)
        finite = f"SELECT {x} AS x FROM {{}} t"
        bounds = f"x > -{dialect.infinity} AND x < {dialect.infinity} AND x <> {dialect.nan}"
        asked = f"SELECT min(x), max(x), min(CASE WHEN x = floor(x) THEN 1 ELSE 0 END) FROM ({finite.format(rows)}) v"
        least, greatest, whole = next(iter(run(f"{asked} WHERE {bounds}")))
        some = dialect.sample.format(rows=rows, n=SAMPLE)
        sample = [float(row[0]) for row in run(f"SELECT x FROM ({finite.format(f'({some})')}) v WHERE {bounds}")]
        if least is None:
            least = greatest = whole = 0
        found = np.sort(np.array(sample or [float(least), float(greatest)]))
        is_whole = bool(whole) and kind is Kind.NUMBER
        lattice = lattice_for(found, float(least), float(greatest), whole=is_whole, cells=cells)
        frames.append(ColumnFrame(name, kind, lattice))
    return Frame.of(frames)


def words(frame: ColumnFrame, run: Run, rows: str, dialect: Dialect) -> Numbers:
    """A column of words where the reference has numbers: every value is wrong."""
    return _read_words(frame, run(words_query(frame, rows, dialect)))


def words_query(frame: ColumnFrame, rows: str, dialect: Dialect) -> str:
    """The SELECT for a column of words where the reference has numbers: how many there are, and how many rows."""
    return f"SELECT count({dialect.name(frame.name)}), count(*) FROM {rows} t"


def answered(frame: Frame, answers: Iterable[Mapping[str, Any]], there: Iterable[str]) -> Profile:
    """The profile out of answers that were brought from elsewhere; ``there`` are the columns that the data have.

    An answer is ``column`` and ``rows``, or ``words`` in place of ``rows`` where only ``words_query`` could be run.
    Rows of cells may leave out all but cell and count, if another one has the extremes and sums of them all. Raises
    ``ProfileError`` that names the column.
    """
    columns: dict[str, Column] = {}
    for answer in answers:
        name = str(answer["column"])
        if name not in frame.columns:
            raise ProfileError("the reference has no such column", name[:200])
        column = frame.columns[name]
        try:
            is_words = column.lattice is not None and "words" in answer
            columns[name] = _read_words(column, answer["words"]) if is_words else read(column, answer["rows"])
        except (KeyError, TypeError, ValueError, IndexError, OverflowError):
            raise ProfileError("these are not the rows that its query gives", name) from None
        if columns[name].rows < 0:
            raise ProfileError("it counts less than nothing", name)
    counts = {column.rows for column in columns.values()}
    if len(counts) > 1:
        raise ProfileError("the rows changed while they were counted")
    known = frozenset(frame.columns)
    return Profile(counts.pop() if counts else 0, columns, frozenset(there) - known, known - frozenset(columns))


def _read_words(frame: ColumnFrame, rows: Iterable[Sequence[Any]]) -> Numbers:
    ((there, total),) = ([int(each) for each in row] for row in rows)
    assert frame.lattice is not None
    empty = np.zeros(frame.lattice.cells, dtype=np.uint8)
    return Numbers(frame, empty, nulls=total - there, wrong=there, seen_as=frozenset({"text"}))


def read(frame: ColumnFrame, rows: Iterable[Sequence[Any]]) -> Column:
    """The column out of the answer to its query."""
    return _read_numbers(frame, rows) if frame.lattice else _read_values(frame, rows)


def _numbers_query(frame: ColumnFrame, rows: str, dialect: Dialect) -> str:
    lattice = frame.lattice
    assert lattice is not None
    lo, scale = _literal(lattice.lo, dialect), _literal(lattice.scale, dialect)
    off = "CASE WHEN x <> floor(x) THEN 1 ELSE 0 END" if lattice.whole else "0"
    cell = (
        f"CASE WHEN x IS NULL THEN {NULL} WHEN x = {dialect.nan} THEN {NAN} WHEN x = {dialect.infinity} THEN {ABOVE}"
        f" WHEN x = -{dialect.infinity} THEN {BELOW} WHEN (x - {lo}) * {scale} < 0 THEN {UNDER}"
        f" WHEN (x - {lo}) * {scale} >= {lattice.cells} THEN {OVER}"
        f" ELSE CAST(floor((x - {lo}) * {scale}) AS INTEGER) END"
    )
    place = f"CASE WHEN cell >= {OVER} THEN (x - {lo}) * {scale} END"
    values = f"SELECT {_as_double(frame, dialect)} AS x FROM {rows} t"
    return (
        f"SELECT cell, count(*), min(x), max(x), sum({place}), sum({place} * ({place})), sum({off})"
        f" FROM (SELECT x, {cell} AS cell FROM ({values}) v) c GROUP BY cell"
    )


def _values_query(frame: ColumnFrame, rows: str, dialect: Dialect) -> str:
    """At most one value more than may be told apart; ``count`` over all of them tells what the rest is."""
    x = f"CAST({dialect.name(frame.name)} AS {dialect.text})"
    grouped = f"SELECT {x} AS x, count(*) AS n FROM {rows} t GROUP BY 1"
    known = ""
    if frame.values:
        listed = ", ".join(dialect.literal(value) for value in sorted(frame.values))
        known = f"CASE WHEN x IN ({listed}) THEN 0 ELSE 1 END, "
    return (
        f"SELECT x, n, sum(n) OVER (), sum(CASE WHEN x IS NULL THEN n ELSE 0 END) OVER () FROM ({grouped}) g"
        f" ORDER BY {known}n DESC, x LIMIT {MOST_VALUES + 2}"
    )


def _read_numbers(frame: ColumnFrame, rows: Iterable[Sequence[Any]]) -> Numbers:
    assert frame.lattice is not None
    counts = np.zeros(frame.lattice.cells, dtype=np.int64)
    column = Numbers(frame, counts)
    beside = {NULL: "nulls", NAN: "nans", ABOVE: "above", BELOW: "below", UNDER: "under", OVER: "over"}
    for cell, many, *told in rows:
        count = int(many)
        if int(cell) >= 0:
            counts[int(cell)] = count
        else:
            setattr(column, beside[int(cell)], count)
        if int(cell) < OVER:
            continue
        column.n += count
        if not told:
            continue
        least, greatest, total, squares, off = told
        column.off += int(off or 0)
        column.least = float(least) if column.least is None else min(column.least, float(least))
        column.greatest = float(greatest) if column.greatest is None else max(column.greatest, float(greatest))
        _add(column, float(total), float(squares))
        if int(cell) == UNDER:
            column.under_by = exact(-float(total))
        elif int(cell) == OVER:
            column.over_by = exact(float(total) - count * frame.lattice.cells)
    column.counts = compact(counts)
    return column


def _add(column: Numbers, total: float, squares: float) -> None:
    if math.isfinite(total):
        column.total += exact(total)
    if not math.isfinite(squares):
        column.squares = None
    elif column.squares is not None:
        column.squares += exact(squares)


def _read_values(frame: ColumnFrame, rows: Iterable[Sequence[Any]]) -> Categories:
    column = Categories(frame)
    told: dict[str, int] = {}
    total = nulls = 0
    for value, count, in_all, without in rows:
        total, nulls = int(in_all), int(without)
        if value is not None and str(value) != "":
            name = str(value) if len(str(value)) <= LONGEST_VALUE else str(value)[: LONGEST_VALUE - 1] + "…"
            told[name] = told.get(name, 0) + int(count)
        elif value is not None:
            column.nulls += int(count)
    column.add(told)
    empty = column.nulls
    column.nulls += nulls
    column.other += total - nulls - empty - column.n
    return column


def _as_double(frame: ColumnFrame, dialect: Dialect) -> str:
    x = dialect.name(frame.name)
    return dialect.seconds.format(x=x) if frame.kind is Kind.TIME else f"CAST({x} AS {dialect.double})"


def _literal(value: float, dialect: Dialect) -> str:
    """As a text that is cast: a bare number would be a decimal in some, rounded in others."""
    return f"CAST('{value!r}' AS {dialect.double})"
