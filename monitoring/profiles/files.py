"""Scanning Parquet and CSV files: a column of a row group at a time, or a block of lines; never the table.

A reference is read twice: once to see where its values lie (every value for the extremes, a fixed share of them for the
bulk), once to count. Everything else is read once, in the frame of its reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from monitoring.profiles.columns import Column
from monitoring.profiles.counting import (
    NULL_TEXTS,
    CategoryCounter,
    NumberCounter,
    counter,
    family,
    is_countable,
    numbers_among,
)
from monitoring.profiles.errors import ProfileError
from monitoring.profiles.frame import (
    CELLS,
    CELLS_OF_MANY,
    MANY_COLUMNS,
    MOST_COLUMNS,
    MOST_NAME,
    ColumnFrame,
    Frame,
    Kind,
    lattice_for,
)
from monitoring.profiles.profile import Profile

PARQUET, CSV = (".parquet", ".pq"), (".csv",)
BATCH = 131_072
BLOCK = 1 << 22
SAMPLE = 50_000
"""Values of a column that are looked at to choose a lattice."""

Progress = Callable[[int, int], None]
"""Told how many of how many parts are done."""


class Data(Protocol):
    """Rows that can be read more than once."""

    rows: int
    """0 where only reading tells."""
    typed: bool
    """Whether the data say of what type a column is. In CSV everything is text until it is read as something else."""

    def types(self) -> dict[str, pa.DataType]:
        """Of the columns that can be counted."""
        ...

    def parts(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Stretches of these columns: one column at a time, or all of them."""
        ...

    def size(self, names: Sequence[str]) -> int:
        """How many parts there will be; 0 if unknown."""
        ...


def scan(files: Sequence[Path], frame: Frame, *, progress: Progress | None = None) -> Profile:
    """The profile of these files together, in that frame. Raises ``ProfileError`` or ``OSError``."""
    with _opened(files) as data:
        return count(data, frame, progress=progress)


def scan_reference(files: Sequence[Path], *, ignored: Sequence[str] = (), progress: Progress | None = None) -> Profile:
    """The profile of a reference, and with it the frame of everything later (``Profile.as_reference``)."""
    with _opened(files) as data:
        return count(data, survey(data, ignored=ignored), progress=progress)


def count(data: Data, frame: Frame, *, progress: Progress | None = None) -> Profile:
    """Count what is there of the frame's columns."""
    types = data.types()
    there = [name for name in frame.columns if name in types]
    counters: dict[str, NumberCounter | CategoryCounter] = {}
    columns: dict[str, Column] = {}
    rows, total = 0, data.size(there)
    current = ""
    for done, part in enumerate(data.parts(there), 1):
        for name, values in part.items():
            if len(part) == 1 and name != current:
                if current in counters:  # column by column: what is finished is kept in few bytes
                    columns[current] = counters.pop(current).done()
                current = name
            if name not in counters:
                counters[name] = counter(frame.columns[name])
            counters[name].add(values)
        rows += len(next(iter(part.values())))
        if progress:
            progress(done, total)
    columns |= {name: found.done() for name, found in counters.items()}
    columns = {
        name: columns[name] if name in columns else counter(frame.columns[name]).done() for name in frame.columns
    }
    if not data.typed:
        for column in columns.values():
            column.seen_as = frozenset()
    return Profile(
        rows=data.rows or rows,
        columns={name: column for name, column in columns.items() if name in types},
        unframed=frozenset(types) - frozenset(frame.columns),
        missing=frozenset(frame.columns) - frozenset(types),
    )


@dataclass
class _Seen:
    """What a first look at a column of numbers finds."""

    kind: Kind
    every: int
    least: float = math.inf
    greatest: float = -math.inf
    whole: bool = True
    sample: list[NDArray[Any]] = field(default_factory=list)
    texts: bool = False

    def look(self, values: pa.Array) -> None:
        if values.null_count:
            values = values.drop_null()
        if pa.types.is_string(values.type):
            try:
                numbers = values.filter(_something(values)).cast(pa.float64()).to_numpy(zero_copy_only=False)
            except pa.ArrowInvalid:
                self.texts = True
                return
        elif pa.types.is_timestamp(values.type) or pa.types.is_date(values.type) or pa.types.is_decimal(values.type):
            numbers = numbers_among(values)[0]
        else:
            numbers = values.to_numpy(zero_copy_only=False)
        if not len(numbers):
            return
        if numbers.dtype.kind == "f":
            extremes = float(numbers.min()), float(numbers.max())
            if not all(map(math.isfinite, extremes)):
                numbers = numbers[np.isfinite(numbers)]
        if not len(numbers):
            return
        self.least, self.greatest = min(self.least, float(numbers.min())), max(self.greatest, float(numbers.max()))
        some = numbers[:: self.every].astype(np.float64)
        self.sample.append(some)
        if numbers.dtype.kind == "f" and self.whole:
            self.whole = bool(np.all(some == np.rint(some)))

    def frame(self, name: str, cells: int) -> ColumnFrame:
        if self.texts:
            return ColumnFrame(name, Kind.CATEGORY)
        if not self.sample:  # nothing but nulls: any lattice will do
            return ColumnFrame(name, self.kind, lattice_for(np.zeros(1), 0.0, 0.0, whole=True))
        sample = np.sort(np.concatenate(self.sample))
        whole = self.whole and self.kind is Kind.NUMBER
        return ColumnFrame(name, self.kind, lattice_for(sample, self.least, self.greatest, whole=whole, cells=cells))


def survey(data: Data, *, ignored: Sequence[str] = ()) -> Frame:
    """The frame of a reference: which columns are numbers, and where their values lie."""
    types = {name: kind for name, kind in data.types().items() if name not in set(ignored)}
    if not types:
        raise ProfileError("there is no column that can be counted")
    looked: dict[str, _Seen] = {}
    frames: dict[str, ColumnFrame] = {}
    every = max(1, data.rows // SAMPLE) if data.rows else 10
    for name, kind in types.items():
        said = family(kind)
        if said in {Kind.NUMBER, Kind.TIME} or isinstance(data, CsvFiles):
            looked[name] = _Seen(Kind.TIME if said == Kind.TIME else Kind.NUMBER, every)
        else:
            frames[name] = ColumnFrame(name, Kind.FLAG if said == Kind.FLAG else Kind.CATEGORY)
    for part in data.parts(list(looked)) if looked else ():
        for name, values in part.items():
            if not looked[name].texts:
                looked[name].look(values)
    cells = CELLS if len(types) <= MANY_COLUMNS else CELLS_OF_MANY
    frames |= {name: seen.frame(name, cells) for name, seen in looked.items()}
    return Frame.of(frames[name] for name in types)


class ParquetFiles:
    """Parquet files of one schema, column by column."""

    typed = True

    def __init__(self, files: Sequence[pyarrow.parquet.ParquetFile]) -> None:
        self.files = files
        self.rows = sum(file.metadata.num_rows for file in files)

    def types(self) -> dict[str, pa.DataType]:
        found: dict[str, pa.DataType] = {}
        for file in self.files:
            _once(file.schema_arrow.names)
            for column in file.schema_arrow:
                if is_countable(column.type):
                    found.setdefault(column.name, column.type)
        return _checked(found)

    def parts(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        for name in names:
            for file in self.files:
                if name in file.schema_arrow.names:
                    for batch in file.iter_batches(batch_size=BATCH, columns=[name], use_threads=False):
                        yield {name: batch.column(0)}
                else:
                    yield {name: pa.nulls(file.metadata.num_rows)}

    def size(self, names: Sequence[str]) -> int:
        return len(names) * sum(math.ceil(file.metadata.num_rows / BATCH) or 1 for file in self.files)


class CsvFiles:
    """CSV files with a header, a block of lines at a time; everything is text until it is counted."""

    rows = 0
    typed = False

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = files

    def types(self) -> dict[str, pa.DataType]:
        return _checked({name: pa.string() for path in self.files for name in header(path)})

    def parts(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        for path in self.files:
            there = header(path)
            convert = pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(there, pa.string()),
                include_columns=[name for name in names if name in there],
                strings_can_be_null=True,
                null_values=list(NULL_TEXTS),
            )
            read = pyarrow.csv.ReadOptions(block_size=BLOCK, column_names=there, skip_rows=1, use_threads=False)
            with pyarrow.csv.open_csv(path, read_options=read, convert_options=convert) as batches:
                for batch in batches:
                    if batch.num_rows:
                        absent = {name: pa.nulls(batch.num_rows) for name in names if name not in there}
                        yield dict(zip(batch.schema.names, batch.columns, strict=True)) | absent

    def size(self, names: Sequence[str]) -> int:
        return sum(math.ceil(path.stat().st_size / BLOCK) for path in self.files)


@contextmanager
def _opened(files: Sequence[Path]) -> Iterator[Data]:
    suffixes = {path.suffix.lower() for path in files}
    if not files:
        raise ProfileError("there is no file")
    if suffixes <= set(CSV):
        yield CsvFiles(files)
    elif suffixes <= set(PARQUET):
        opened: list[Any] = []
        try:
            for path in files:
                # Without pre_buffer: it would read a column ahead whole, all of its row groups.
                file = pyarrow.parquet.ParquetFile(path, read_dictionary=_texts(path), pre_buffer=False)
                opened.append(file)  # closed below
            yield ParquetFiles(opened)
        except pa.ArrowException as error:
            raise ProfileError(str(error).splitlines()[0][:200]) from None
        finally:
            for file in opened:
                file.close()
    else:
        raise ProfileError(f"these files are not all Parquet or all CSV: {', '.join(sorted(suffixes))}")


def _texts(path: Path) -> list[str]:
    """Columns that are read as the dictionary that they are stored as."""
    schema = pyarrow.parquet.read_schema(path)
    return [
        column.name for column in schema if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    ]


def header(path: Path) -> list[str]:
    """The names of the columns of a CSV file. Raises ``ProfileError`` for a file without, or with one twice."""
    with path.open("rb") as file:
        line = file.readline(4_000_000).decode("utf-8-sig", errors="replace").strip("\r\n")
    if not line.strip():
        raise ProfileError("the file is empty", path.name)
    parsed = pyarrow.csv.read_csv(
        pa.BufferReader((line + "\n").encode()), read_options=pyarrow.csv.ReadOptions(autogenerate_column_names=True)
    )
    return _once([str(column[0]).strip() for column in parsed.columns])


def _once(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ProfileError("the column is there twice", twice[:40])
    return names


def _checked(found: dict[str, pa.DataType]) -> dict[str, pa.DataType]:
    if not found:
        raise ProfileError("there is no column that can be counted")
    if len(found) > MOST_COLUMNS:
        raise ProfileError(f"there are more than {MOST_COLUMNS} columns")
    if unnamed := [name for name in found if not name or len(name) > MOST_NAME]:
        raise ProfileError(f"a column has a name of 1 to {MOST_NAME} characters", unnamed[0][:40])
    return found


def _something(values: pa.Array) -> pa.Array:
    return pc.invert(pc.is_in(values, value_set=pa.array(NULL_TEXTS, values.type)))
