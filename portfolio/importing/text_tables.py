"""Tables as text: which encoding, which delimiter, and the records as the csv module reads them, strictly.

The encoding is found, not guessed: a byte order mark says it, UTF-8 proves itself, and after that only those that the
profile names are tried. Nothing is ever replaced by a question mark.
"""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Callable, Iterator, Sequence

from portfolio.importing.problems import BrokenFile
from portfolio.importing.table import Table, build

DELIMITERS = (",", ";", "\t", "|")
MAX_FIELD = 1_000_000
_MARKS = (
    (BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the same two bytes
    (BOM_UTF32_BE, "utf-32"),
    (BOM_UTF8, "utf-8-sig"),
    (BOM_UTF16_LE, "utf-16"),
    (BOM_UTF16_BE, "utf-16"),
)
_BINARY = frozenset(range(32)) - {9, 10, 11, 12, 13, 26, 27, 28, 29, 30, 31}


def read_text_table(
    content: bytes, *, encodings: Sequence[str], delimiters: Sequence[str], fits: Callable[[Sequence[str]], int]
) -> Table:
    """The table in delimited text. ``fits`` says how many of a header's names are known: it chooses the delimiter."""
    text, encoding = decode(content, encodings)
    delimiter = _delimiter(text, delimiters or DELIMITERS, fits)
    return build(enumerate(_records(text, delimiter), start=1), kind="csv", encoding=encoding, delimiter=delimiter)


def decode(content: bytes, encodings: Sequence[str]) -> tuple[str, str]:
    """The text and the encoding it was in."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decoded(content, encoding), encoding
    unmarked = _unmarked_utf16(content)
    if unmarked:
        return _decoded(content, unmarked), unmarked
    if any(byte in _BINARY for byte in content[:4096]):
        raise BrokenFile("This is not a table: the file holds binary data.", hint="Save it as CSV (UTF-8) or XLSX.")
    tried = ["utf-8", *(name for name in encodings if name != "utf-8")]
    for encoding in tried:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError as error:
            failed = error
    raise _undecodable(content, failed, tried)


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(content, error, [encoding]) from error


def _undecodable(content: bytes, error: UnicodeDecodeError, tried: Sequence[str]) -> BrokenFile:
    line = content.count(b"\n", 0, error.start) + 1
    found = content[error.start : error.start + 1].hex().upper()
    return BrokenFile(
        f"Line {line} holds the byte 0x{found}, which is no character in {' or in '.join(tried)}.",
        hint="Save the file as CSV UTF-8, or name its encoding in the profile (format, encodings).",
    )


def _unmarked_utf16(content: bytes) -> str:
    """UTF-16 without a mark shows as text whose every other byte is nought."""
    sample = content[:512]
    if len(sample) < 8 or len(content) % 2:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    most = len(sample) * 0.4
    if odd > most and not even:
        return "utf-16-le"
    return "utf-16-be" if even > most and not odd else ""


def _delimiter(text: str, candidates: Sequence[str], fits: Callable[[Sequence[str]], int]) -> str:
    """The delimiter under which the header has most names that the profile knows; then the one that parts it most."""

    def merit(delimiter: str) -> tuple[int, int]:
        header = _first_record(text, delimiter)
        return fits(header), len(header)

    return max(candidates, key=merit)


def _first_record(text: str, delimiter: str) -> Sequence[str]:
    try:
        return next((record for record in _records(text, delimiter) if any(map(str.strip, record))), [])
    except BrokenFile:
        return []


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    csv.field_size_limit(MAX_FIELD)
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BrokenFile(f"Row {number} cannot be read: {_in_words(error)}.", hint=_HINT) from error
        yield record
        number += 1


_HINT = "Check the quotation marks of that row: one inside a cell is written twice."


def _in_words(error: csv.Error) -> str:
    said = str(error)
    if "unexpected end" in said:
        return "a quotation mark is opened and never closed"
    if "expected after" in said:
        return "text follows a closing quotation mark"
    if "field limit" in said:
        return f"a cell holds more than {MAX_FIELD:,} characters"
    return said
