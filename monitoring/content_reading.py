"""Reading one side of a comparison of texts or embeddings: a sample of its rows where they lie."""

# ruff: noqa: S608  # names are quoted; a query was checked to be one SELECT, and runs read-only

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from django.utils.translation import gettext as _

from monitoring.connector import ConnectorError
from monitoring.connectors import sql as databases
from monitoring.contents import sampling, sides
from monitoring.contents.errors import ContentError
from monitoring.contents.sides import Side
from monitoring.models import ContentSetup
from monitoring.models.contents import Placed
from monitoring.profiles import sql
from monitoring.profiling import DUCKDB, DUCKDB_CONFIG, explained, files_of
from monitoring.pulling import secret_of
from monitoring.roots import one

Tell = Callable[[int, int], None]


def read(place: Placed, setup: ContentSetup, tell: Tell) -> Side:
    """The texts or vectors of the setup's column at this place. Raises ``ConnectorError`` in words for people."""
    is_text = setup.kind == ContentSetup.Kind.TEXT
    longest = sampling.LONGEST if is_text else sampling.LONGEST_WRITTEN
    with explained(), _named():
        kept = _sampled(place, setup.column, longest, tell)
        return sides.of_texts(kept) if is_text else sides.of_vectors(kept)


def _sampled(place: Placed, column: str, longest: int, tell: Tell) -> sampling.Reservoir:
    if place.origin == Placed.Origin.SQL:
        return _of_postgresql(place, column, longest, tell)
    if Path(place.path).suffix.lower() in DUCKDB:
        return _of_duckdb(place, column, longest, tell)
    return sampling.sample(sampling.of_files(files_of(place.path), column, longest, tell))


def _of_duckdb(place: Placed, column: str, longest: int, tell: Tell) -> sampling.Reservoir:
    import duckdb  # by workers alone: the web knows this module by way of its tasks

    with duckdb.connect(str(one(place.path)), read_only=True, config=DUCKDB_CONFIG) as database:
        rows = sql.DUCKDB.name(place.query)
        described = database.execute(f"SELECT column_name FROM (DESCRIBE SELECT * FROM {rows})")
        names = sampling.columns_like(column, [str(name) for (name,) in described.fetchall()])
        chosen = ", ".join(map(sql.DUCKDB.name, names))
        batches = database.sql(f"SELECT {chosen} FROM {rows}").to_arrow_reader(sampling.AT_ONCE)
        return sampling.sample(sampling.of_batches(batches, longest, tell))


def _of_postgresql(place: Placed, column: str, longest: int, tell: Tell) -> sampling.Reservoir:
    """The database draws some more rows than are kept, so that not all of them travel."""
    if place.source is None:
        raise ConnectorError("content", _("Its source was deleted."))
    rows = f"({place.query.rstrip().rstrip(';')})"
    with databases.asked(place.source.config, secret_of(place.source)) as ask:
        there = [name for name, _oid in ask(f"SELECT * FROM {rows} t LIMIT 0")[0]]
        names = sampling.columns_like(column, there)
        tell(0, 0)
        total = int(ask(f"SELECT count(*) FROM {rows} t")[1][0][0])
        tell(0, 0)
        kind = "DOUBLE PRECISION" if len(names) > 1 else "TEXT"
        texts = [f"CAST({sql.POSTGRESQL.name(name)} AS {kind})" for name in names]
        chosen = ", ".join(texts if len(names) > 1 else [f"left({texts[0]}, {longest})"])
        ask(f"SELECT setseed({sampling.SEED / 10})")
        share = min(1.0, 1.5 * sampling.MOST / max(total, 1))
        drawn = ask(f"SELECT {chosen} FROM {rows} t WHERE random() < {share}")[1]
        columns = list(zip(*drawn, strict=True)) or [() for _name in names]
        arrow = pa.float64() if len(names) > 1 else pa.large_string()
        kept = sampling.sample([pa.table({n: pa.array(c, arrow) for n, c in zip(names, columns, strict=True)})])
        kept.rows = total
        return kept


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except ContentError as error:
        raise ConnectorError("content", _words(error)) from None


def _words(error: ContentError) -> str:
    said = {
        "no_rows": _("There are no rows."),
        "no_column": _("There is no column %(name)s; there are: %(there)s."),
        "mixed_files": _("These files are not all Parquet or all CSV: %(what)s."),
        "other_columns": _("%(name)s has other columns of vectors than the files before it."),
        "one_text_column": _("Texts are compared by one column, and the pattern fits several: %(name)s."),
        "no_texts": _("Column %(name)s holds %(kind)s, not texts: choose embeddings, or profile it as a number."),
        "no_numbers": _("Column %(name)s holds %(kind)s, not numbers."),
        "no_vectors": _(
            "Column %(name)s holds %(kind)s, not lists of numbers: choose texts, or name the columns of a vector by a"
            " pattern such as emb_*."
        ),
        "several_sizes": _("Column %(name)s holds vectors of several sizes: %(sizes)s. One model makes one size."),
        "odd_size": _("Column %(name)s holds vectors of %(size)s numbers; 1 to %(most)s can be compared."),
    }
    return said[error.key] % error.told
