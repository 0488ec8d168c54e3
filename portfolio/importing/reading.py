"""Bytes to a table, whatever they are: delimited text or a workbook. What is neither is named for what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from portfolio.importing.problems import BrokenFile
from portfolio.importing.table import Table
from portfolio.importing.text_tables import read_text_table
from portfolio.importing.workbooks import read_workbook

MAX_BYTES = 50 * 1024 * 1024
MAX_ROWS = 100_000
_OTHERS = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (XLS) or a protected workbook"),
    (b"SQLite format 3", "a SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a program"),
)


def read_table(
    content: bytes,
    *,
    encodings: Sequence[str] = ("cp1252",),
    delimiters: Sequence[str] = (),
    sheet: str = "",
    fits: Callable[[Sequence[str]], int] = len,
) -> Table:
    """The table in a file. Raises ``BrokenFile``, which says what is wrong and in which row."""
    if len(content) > MAX_BYTES:
        raise BrokenFile(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise BrokenFile("The file is empty.", hint="It needs a row of column names and at least one row below it.")
    for start, name in _OTHERS:
        if content.startswith(start):
            raise BrokenFile(f"This is {name}, not a table.", hint="Save the table as CSV (UTF-8) or XLSX.")
    if content.startswith(b"PK\x03\x04"):
        table = read_workbook(content, sheet=sheet)
    else:
        table = read_text_table(content, encodings=encodings, delimiters=delimiters, fits=fits)
    if len(table.rows) > MAX_ROWS:
        raise BrokenFile(f"The file has {len(table.rows):,} rows; {MAX_ROWS:,} is the most.")
    return table


def read_file(path: Path) -> bytes:
    """The content of a file on this machine, no more of it than may be imported."""
    try:
        with path.open("rb") as handle:
            return handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise BrokenFile(f"{path} cannot be read: {error.strerror}.") from error


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
