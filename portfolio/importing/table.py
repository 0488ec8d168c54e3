"""A table as it was read: unique column labels, and the rows with the numbers that a spreadsheet shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portfolio.importing.problems import BrokenFile

HEADER_ROW = 1
MAX_COLUMNS = 1_000


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One record. ``number`` is its row in a spreadsheet: cells may hold line breaks, so it is not a line number."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """``columns`` are the headers as written; a header that comes again gets its count: "If other (2)"."""

    columns: tuple[str, ...]
    rows: tuple[SourceRow, ...]
    kind: str
    """csv or xlsx."""
    encoding: str = ""
    delimiter: str = ""

    def named(self, row: SourceRow) -> dict[str, str]:
        """The cells that hold anything, by column, exactly as they stand in the file."""
        return {label: cell for label, cell in zip(self.columns, row.cells, strict=True) if cell}


def build(records: Iterable[tuple[int, Sequence[str]]], *, kind: str, encoding: str = "", delimiter: str = "") -> Table:
    """A table from records numbered from 1. The first that is not blank is the header; blank ones are passed over."""
    header: tuple[str, ...] | None = None
    rows: list[SourceRow] = []
    for number, cells in records:
        _refuse_nul(number, cells)
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells)
        else:
            rows.append(SourceRow(number, _fitted(number, cells, header)))
    if header is None:
        raise BrokenFile("The file is empty.", hint="It needs a row of column names and at least one row below it.")
    if not rows:
        raise BrokenFile("The file has column names but no rows below them.")
    return Table(_unique(header), tuple(rows), kind, encoding, delimiter)


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    """The column names; what trails without a name is no column."""
    kept = list(cells)
    while kept and not kept[-1].strip():
        kept.pop()
    if len(kept) > MAX_COLUMNS:
        raise BrokenFile(f"Row 1 has {len(kept)} columns; {MAX_COLUMNS} is the most.")
    return tuple(kept)


def _fitted(number: int, cells: Sequence[str], header: tuple[str, ...]) -> tuple[str, ...]:
    """The cells under the header. Surplus cells are fine only if they are blank: else a quote or delimiter is amiss."""
    surplus = cells[len(header) :]
    if len(cells) < len(header) or any(cell.strip() for cell in surplus):
        raise BrokenFile(
            f"Row {number} has {len(cells)} cells, the header has {len(header)}.",
            hint="A quotation mark or a delimiter is missing or too many in that row or just before it.",
        )
    return tuple(cells[: len(header)])


def _unique(header: tuple[str, ...]) -> tuple[str, ...]:
    seen: Counter[str] = Counter()
    taken = {cell for cell in header if cell.strip()}
    labels: list[str] = []
    for position, cell in enumerate(header, start=1):
        label = cell if cell.strip() else f"Column {position}"
        seen[label] += 1
        if seen[label] > 1:
            label = _numbered(label, seen[label], taken)
            taken.add(label)
        labels.append(label)
    return tuple(labels)


def _numbered(label: str, count: int, taken: set[str]) -> str:
    while f"{label} ({count})" in taken:
        count += 1
    return f"{label} ({count})"


def _refuse_nul(number: int, cells: Sequence[str]) -> None:
    if any("\x00" in cell for cell in cells):
        raise BrokenFile(f"Row {number} contains a NUL character, which is no text.")
