"""Rows that are in memory already, seen as a scan sees files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa


class Held:
    """Columns of equal length by name; ``stretch`` rows are handed out at a time."""

    typed = True

    def __init__(self, columns: Mapping[str, pa.Array], stretch: int = 131_072) -> None:
        self.columns = dict(columns)
        self.rows = len(next(iter(self.columns.values())))
        self.stretch = stretch

    def types(self) -> dict[str, pa.DataType]:
        return {name: column.type for name, column in self.columns.items()}

    def parts(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        for name in names:
            for start in range(0, max(self.rows, 1), self.stretch):
                yield {name: self.columns[name].slice(start, self.stretch)}

    def size(self, names: Sequence[str]) -> int:
        return len(names) * max(1, -(-self.rows // self.stretch))
