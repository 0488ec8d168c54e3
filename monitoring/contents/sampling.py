"""Some rows out of many, each as likely as any other, in bounded memory and the same ones each time.

Every row draws a number from a seeded generator; those with the smallest numbers are kept (Vitter's reservoir in the
form of Efraimidis and Spirakis, 2006, with equal weights).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from monitoring.contents.errors import ContentError
from monitoring.profiles.files import BLOCK, CSV, PARQUET, header

MOST = 5000
"""Rows that are kept of either side."""
LONGEST, LONGEST_WRITTEN = 2000, 500_000
"""Characters that are looked at: of a text, and of a vector that is written out as one."""
AT_ONCE = 2048
SEED = 7
Progress = Callable[[int, int], None]


@dataclass
class Reservoir:
    """At most ``most`` of all rows that came by."""

    most: int = MOST
    rows: int = 0
    _limit: float = 1.0
    _kept: list[pa.Table] = field(default_factory=list)
    _drawn: list[NDArray[np.float64]] = field(default_factory=list)
    _chance: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))

    def add(self, rows: pa.Table) -> None:
        drawn = self._chance.random(rows.num_rows)
        self.rows += rows.num_rows
        good = drawn < self._limit
        if good.any():
            self._kept.append(rows.filter(pa.array(good)))
            self._drawn.append(drawn[good])
        if sum(map(len, self._drawn)) > 2 * self.most:
            self._thin()

    def table(self) -> pa.Table:
        """What was kept, in the order in which it came. Raises ``ContentError`` when there was nothing."""
        if not self._kept:
            raise ContentError("no_rows")
        self._thin()
        return self._kept[0]

    def _thin(self) -> None:
        rows, drawn = pa.concat_tables(self._kept), np.concatenate(self._drawn)
        if len(drawn) > self.most:
            chosen = np.sort(np.argpartition(drawn, self.most)[: self.most])
            rows, drawn = rows.take(pa.array(chosen)), drawn[chosen]
            self._limit = float(drawn.max())
        self._kept, self._drawn = [rows], [drawn]


def sample(tables: Iterable[pa.Table]) -> Reservoir:
    """Let all of them pass by."""
    kept = Reservoir()
    for table in tables:
        kept.add(table)
    return kept


def columns_like(wanted: str, there: Sequence[str]) -> list[str]:
    """The column of that name, or those that fit a pattern such as ``emb_*``. Raises ``ContentError``."""
    if wanted in there:
        return [wanted]
    found = sorted(fnmatch.filter(there, wanted)) if "*" in wanted else []
    if not found:
        raise ContentError("no_column", name=wanted, there=", ".join(sorted(there)[:20]))
    return found


def of_files(files: Sequence[Path], wanted: str, longest: int, tell: Progress) -> Iterator[pa.Table]:
    """The rows of these columns, some at a time. Raises ``ContentError``, ``OSError`` or an error of Arrow."""
    suffixes = {path.suffix.lower() for path in files}
    if not (suffixes <= set(PARQUET) or suffixes <= set(CSV)):
        raise ContentError("mixed_files", what=", ".join(sorted(suffixes)))
    read = _of_csv if suffixes <= set(CSV) else _of_parquet
    names: list[str] = []
    for number, path in enumerate(files):
        for table in map(partial(_shortened, longest=longest), read(path, wanted)):
            names = names or table.column_names
            if table.column_names != names:
                raise ContentError("other_columns", name=path.name)
            yield table
            tell(number, len(files))


def of_batches(batches: Iterable[Any], longest: int, tell: Progress) -> Iterator[pa.Table]:
    """The rows of an Arrow stream, such as DuckDB gives."""
    for batch in batches:
        yield _shortened(pa.Table.from_batches([batch]), longest)
        tell(0, 0)


def _of_parquet(path: Path, wanted: str) -> Iterator[pa.Table]:
    with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:  # or all of the column is read ahead
        names = columns_like(wanted, file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=AT_ONCE, columns=names, use_threads=False):
            yield pa.Table.from_batches([batch]).select(names)


def _of_csv(path: Path, wanted: str) -> Iterator[pa.Table]:
    """Texts may go over several lines. Everything is text until it is read as numbers."""
    there = header(path)
    names = columns_like(wanted, there)
    convert = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=names)
    read = pyarrow.csv.ReadOptions(block_size=BLOCK, column_names=there, skip_rows=1, use_threads=False)
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    with pyarrow.csv.open_csv(path, read_options=read, parse_options=parse, convert_options=convert) as batches:
        for batch in batches:
            yield pa.Table.from_batches([batch])


def _shortened(table: pa.Table, longest: int) -> pa.Table:
    """Texts as plain ones, without what nobody looks at: it would take memory."""
    for place, name in enumerate(table.column_names):
        column = table.column(place)
        plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        if pa.types.is_string(plain.type) or pa.types.is_large_string(plain.type):
            plain = pc.utf8_slice_codeunits(plain, 0, longest).cast(pa.large_string())
        table = table.set_column(place, name, plain)
    return table
