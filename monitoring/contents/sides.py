"""One side of a comparison: what of its sampled rows can be used, what cannot, and a digest of what was used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.contents.errors import ContentError
from monitoring.contents.sampling import LONGEST, Reservoir

LONGEST_VECTOR = 20_000


@dataclass(frozen=True, slots=True)
class Side:
    """``values`` are texts, or vectors one a row. All else is counts: rows there are, sampled, empty and unusable."""

    values: Any
    rows: int
    sampled: int
    empty: int
    unusable: int
    columns: tuple[str, ...]
    sha256: str

    @property
    def used(self) -> int:
        return len(self.values)

    @property
    def size(self) -> int:
        """Numbers in a vector; 0 for texts."""
        return int(self.values.shape[1]) if isinstance(self.values, np.ndarray) else 0


def of_texts(kept: Reservoir) -> Side:
    """Null and blank texts are empty. Raises ``ContentError`` for a column that holds no texts."""
    table = kept.table()
    name, column = table.column_names[0], table.column(0)
    if table.num_columns > 1:
        raise ContentError("one_text_column", name=", ".join(table.column_names[:5]))
    if pa.types.is_null(column.type):
        column = column.cast(pa.large_string())
    if not pa.types.is_large_string(column.type):
        raise ContentError("no_texts", name=name, kind=str(column.type))
    told = [str(value)[:LONGEST] for value in column.to_pylist() if value is not None and str(value).strip()]
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return Side(told, kept.rows, table.num_rows, table.num_rows - len(told), 0, (name,), digest)


def of_vectors(kept: Reservoir) -> Side:
    """Nulls are empty; a vector with NaN or an infinity is unusable. Raises ``ContentError`` for no vectors."""
    table = kept.table()
    name = table.column_names[0]
    if table.num_columns > 1:
        rows, there = _side_by_side(table), np.ones(table.num_rows, dtype=bool)
    else:
        rows, there = _of_lists(name, table.column(0))
    finite = np.isfinite(rows).all(axis=1)
    used = np.ascontiguousarray(rows[finite])
    empty = int((~there).sum())
    digest = hashlib.sha256(used.astype("<f4", copy=False).tobytes()).hexdigest()
    unusable = len(rows) - len(used)
    return Side(used, kept.rows, table.num_rows, empty, unusable, tuple(table.column_names), digest)


def _side_by_side(table: pa.Table) -> NDArray[np.float32]:
    found = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        is_text = pa.types.is_large_string(column.type)
        given = pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), None, column) if is_text else column
        try:
            found.append(given.cast(pa.float32()).fill_null(float("nan")).to_numpy())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise ContentError("no_numbers", name=name, kind=str(column.type)) from None
    return np.column_stack(found)


def _of_lists(name: str, column: Any) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The vectors that are there, and which rows have one."""
    if pa.types.is_null(column.type):
        return np.empty((0, 0), dtype=np.float32), np.zeros(len(column), dtype=bool)
    if pa.types.is_large_string(column.type):
        column = pa.chunked_array([_written_out(name, column.to_pylist())])
    kind = column.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list:
        raise ContentError("no_vectors", name=name, kind=str(kind))
    there = column.is_valid().to_numpy()
    column = column.drop_null()
    sizes = np.unique(pc.list_value_length(column).to_numpy())
    if len(sizes) > 1:
        raise ContentError("several_sizes", name=name, sizes=", ".join(str(size) for size in sizes[:5]))
    if len(sizes) and not 1 <= sizes[0] <= LONGEST_VECTOR:
        raise ContentError("odd_size", name=name, size=int(sizes[0]), most=LONGEST_VECTOR)
    try:
        flat = pc.list_flatten(column).cast(pa.float32()).fill_null(float("nan")).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ContentError("no_vectors", name=name, kind=str(kind)) from None
    return flat.reshape(len(column), int(sizes[0]) if len(sizes) else 0), there


def _written_out(name: str, texts: Sequence[str | None]) -> pa.Array:
    """Vectors as CSV, pgvector and arrays of PostgreSQL write them: [1.5,2] or {1.5,2}."""
    found = [None if text is None or not text.strip() else _vector(name, text.strip()) for text in texts]
    return pa.array(found, pa.large_list(pa.float32()))


def _vector(name: str, text: str) -> list[float]:
    try:
        numbers = json.loads(f"[{text[1:-1].replace('NULL', 'null')}]") if text[0] + text[-1] in {"[]", "{}"} else "?"
        return [float("nan") if number is None else float(number) for number in numbers]
    except (ValueError, TypeError):
        raise ContentError("no_vectors", name=name, kind="text") from None
