"""Counting one stretch of one column. The work of a scan is here: a few passes over values that lie in the cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.profiles.columns import Categories, Column, Numbers, compact
from monitoring.profiles.exact import exact
from monitoring.profiles.frame import MOST_VALUES, ColumnFrame, Kind

STRETCH = 32_768
"""Values at once: eight bytes each, small enough for the second-level cache."""
LONGEST_VALUE = 200
NULL_TEXTS = ("", "null", "NULL", "nan", "NaN", "None", "NA")


class NumberCounter:
    """Counts numbers or times in a lattice."""

    def __init__(self, frame: ColumnFrame) -> None:
        assert frame.lattice is not None
        self.cells = frame.lattice.cells
        self.lo, self.scale, self.whole = frame.lattice.lo, frame.lattice.scale, frame.lattice.whole
        self.counts: NDArray[np.int64] = np.zeros(self.cells + 1, dtype=np.int64)  # the last one is past the lattice
        self.place = np.empty(STRETCH)
        self.cell = np.empty(STRETCH, dtype=np.intp)
        self.column = Numbers(frame, self.counts)
        self.seen: set[str] = set()

    def add(self, values: pa.Array) -> None:
        self.seen.add(family(values.type))
        column = self.column
        column.nulls += values.null_count
        if values.null_count:
            values = values.drop_null()
        numbers, empty, wrong = numbers_among(values)
        column.nulls += empty
        column.wrong += wrong
        for start in range(0, len(numbers), STRETCH):
            self._stretch(numbers[start : start + STRETCH])

    @np.errstate(over="ignore", invalid="ignore")  # values near the largest double leave the range: they are beyond
    def _stretch(self, x: NDArray[Any]) -> None:
        if x.dtype.kind == "f" and x.dtype.itemsize < 8:
            x = x.astype(np.float64)  # or NumPy would subtract in the smaller type
        place = self.place[: len(x)]
        np.subtract(x, self.lo, out=place)
        np.multiply(place, self.scale, out=place)
        # Not np.dot: its library would wake a thread a core for it, which then spin on a worker that has one.
        squares = float(np.einsum("i,i->", place, place))
        if not math.isfinite(squares):
            x = self._finite(x)
            if not len(x):
                return
            place = self.place[: len(x)]
            np.multiply(np.subtract(x, self.lo, out=place), self.scale, out=place)
            squares = float(np.einsum("i,i->", place, place))
        column = self.column
        column.n += len(x)
        self._add_sums(x, place, squares)
        least, greatest = float(x.min()), float(x.max())
        column.least = least if column.least is None else min(column.least, least)
        column.greatest = greatest if column.greatest is None else max(column.greatest, greatest)
        if self.whole and x.dtype.kind == "f":
            column.off += int(np.count_nonzero(x != np.rint(x)))
        under = 0
        if least < self.lo:
            outside = place < 0
            under = int(np.count_nonzero(outside))
            column.under += under
            column.under_by += _exact_sum(-place[outside])
        if float(place.max()) >= self.cells:
            column.over_by += _exact_sum(place[place >= self.cells] - self.cells)
        np.clip(place, 0, self.cells, out=place)
        cell = self.cell[: len(x)]
        np.copyto(cell, place, casting="unsafe")
        self.counts += np.bincount(cell, minlength=self.cells + 1)
        self.counts[0] -= under

    def _finite(self, x: NDArray[Any]) -> NDArray[Any]:
        """Without NaN and infinities, which are counted beside."""
        column = self.column
        column.nans += int(np.count_nonzero(np.isnan(x)))
        column.above += int(np.count_nonzero(np.isposinf(x)))
        column.below += int(np.count_nonzero(np.isneginf(x)))
        finite: NDArray[Any] = x[np.isfinite(x)]
        return finite

    def _add_sums(self, x: NDArray[Any], place: NDArray[np.float64], squares: float) -> None:
        total = float(place.sum())
        if math.isfinite(total):
            self.column.total += exact(total)
        if not math.isfinite(squares):
            self.column.squares = None
        elif self.column.squares is not None:
            self.column.squares += exact(squares)

    def done(self) -> Numbers:
        self.column.over = int(self.counts[-1])
        self.column.counts = compact(self.counts[:-1])
        self.column.seen_as = frozenset(self.seen - {""})
        return self.column


class CategoryCounter:
    """Counts the values of a column of categories or booleans."""

    def __init__(self, frame: ColumnFrame) -> None:
        self.column = Categories(frame)
        self.seen: set[str] = set()

    def add(self, values: pa.Array) -> None:
        kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
        self.seen.add(family(kind))
        self.column.nulls += values.null_count
        if not pa.types.is_dictionary(values.type):
            values = values.dictionary_encode()
        indices = values.indices.drop_null().to_numpy(zero_copy_only=False)
        known = values.dictionary
        counts = np.bincount(indices, minlength=len(known)) if len(indices) else np.zeros(len(known), dtype=np.int64)
        if len(known) > MOST_VALUES:
            self._crowded(known, counts)
            return
        names = [_name(value) for value in known.to_pylist()]
        told: dict[str, int] = {}
        for name, count in zip(names, counts.tolist(), strict=True):
            if count and name is not None:
                told[name] = told.get(name, 0) + count
            elif count:
                self.column.nulls += count
        self.column.add(told)

    def _crowded(self, known: pa.Array, counts: NDArray[Any]) -> None:
        """Without making a Python string of each of a million values."""
        if not self.column.crowded:
            self.column.crowd()
        wanted = self.column.frame.values
        if wanted and pa.types.is_string(known.type):
            places = pc.indices_nonzero(pc.is_in(known, value_set=pa.array(sorted(wanted), known.type))).to_numpy()
            told = {str(known[int(place)].as_py()): int(counts[place]) for place in places}
        else:
            told = {}
        self.column.add(told)
        self.column.other += int(counts.sum()) - sum(told.values())

    def done(self) -> Categories:
        self.column.seen_as = frozenset(self.seen - {""})
        return self.column


def counter(frame: ColumnFrame) -> NumberCounter | CategoryCounter:
    return NumberCounter(frame) if frame.kind.is_counted_in_cells else CategoryCounter(frame)


def counted(frame: ColumnFrame, values: Any) -> Column:
    """The profile of one column that is in memory: a NumPy array, a list or an Arrow array."""
    found = counter(frame)
    found.add(values if isinstance(values, pa.Array) else pa.array(values))
    return found.done()


def family(kind: pa.DataType) -> str:
    """What a type says a column is; empty where it says nothing."""
    if pa.types.is_dictionary(kind):
        return family(kind.value_type)
    if pa.types.is_boolean(kind):
        return Kind.FLAG.value
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Kind.NUMBER.value
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return Kind.TIME.value
    return "" if pa.types.is_null(kind) else "text"


def is_countable(kind: pa.DataType) -> bool:
    """Whether there is a profile of columns of this type: lists, structs and blobs have none."""
    if pa.types.is_dictionary(kind):
        return is_countable(kind.value_type)
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return texts or family(kind) in {Kind.FLAG, Kind.NUMBER, Kind.TIME} or pa.types.is_null(kind)


def numbers_among(values: pa.Array) -> tuple[NDArray[Any], int, int]:
    """The numbers among values that are not null; how many texts say that nothing is there; how many say nonsense."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return numbers_among(values.dictionary_decode())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return values.to_numpy(zero_copy_only=False), 0, 0
    if pa.types.is_null(kind):
        return np.empty(0), 0, 0
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _seconds(values), 0, 0
    if pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        return values.cast(pa.float64()).to_numpy(zero_copy_only=False), 0, 0
    try:
        return values.cast(pa.float64()).to_numpy(zero_copy_only=False), 0, 0
    except pa.ArrowInvalid:
        texts = values.to_pylist()
        told = [text for text in texts if text not in NULL_TEXTS]
        found = np.array([number for text in told if (number := _number(text)) is not None], dtype=np.float64)
        return found, len(texts) - len(told), len(told) - len(found)


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _seconds(values: pa.Array) -> NDArray[np.float64]:
    """Seconds since 1970."""
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("ms"))
    per_second = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[values.type.unit]
    seconds: NDArray[np.float64] = values.cast(pa.int64()).to_numpy(zero_copy_only=False) / per_second
    return seconds


def _exact_sum(values: NDArray[np.float64]) -> int:
    total = float(values.sum())
    return exact(total) if math.isfinite(total) else 0


def _name(value: Any) -> str | None:
    """A value of a category as a text; what is empty is missing."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
