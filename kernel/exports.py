"""Rows as a file: CSV streamed line by line, XLSX written to disk in constant memory.

A spreadsheet runs a cell that starts like a formula. Text of ours comes from many hands, so in CSV such a cell gets a
leading apostrophe (OWASP, "CSV Injection"); in XLSX strings are written as strings, which no spreadsheet evaluates.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any, Literal, Protocol, cast
from uuid import UUID

import xlsxwriter
from django.http import StreamingHttpResponse
from django.utils.functional import Promise
from django.utils.text import get_valid_filename

ExportFormat = Literal["csv", "xlsx"]
EXPORT_FORMATS: tuple[ExportFormat, ...] = ("csv", "xlsx")

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CELL_LIMIT = 32_767  # characters that Excel keeps in one cell
_CHUNK = 64 * 1024


class ExportColumn(Protocol):
    """What an export needs of a column; `kernel.tables.Column` is one."""

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str | Promise: ...
    @property
    def value(self) -> Callable[[Any], object] | None: ...


def export_rows(
    format: str, filename: str, columns: Sequence[ExportColumn], rows: Iterable[Any]
) -> StreamingHttpResponse:
    """A download named `filename` plus the extension. A `format` outside EXPORT_FORMATS is a ValueError."""
    if format == "csv":
        body: Iterator[bytes] = _csv_chunks(columns, rows)
        content_type = "text/csv; charset=utf-8"
    elif format == "xlsx":
        body = _xlsx_chunks(columns, rows)
        content_type = _XLSX_TYPE
    else:
        raise ValueError(f"unknown export format {format!r}; known: {', '.join(EXPORT_FORMATS)}")
    response = StreamingHttpResponse(body, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{get_valid_filename(filename)}.{format}"'
    return response


def guarded(text: str) -> str:
    """The text as a CSV cell that no spreadsheet will run; plain numbers stay numbers."""
    if text.startswith(_FORMULA_STARTS) and not _PLAIN_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def plain(value: object) -> str:
    """A value as text: decimals without exponent, times in UTC as ISO 8601, several values joined by semicolons."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case datetime():
            return _in_utc(value).isoformat() + "Z"
        case date():
            return value.isoformat()
        case list() | tuple() | set() | frozenset():
            return "; ".join(plain(each) for each in value)
        case _:
            return str(value)


class _Line:
    """A file of one line: csv.writer writes to it, the response takes the line away."""

    def write(self, text: str) -> bytes:
        return text.encode()


def _csv_chunks(columns: Sequence[ExportColumn], rows: Iterable[Any]) -> Iterator[bytes]:
    writer = csv.writer(cast("IO[str]", _Line()))
    # csv.writer.writerow returns what write() returned: the encoded line.
    yield cast(bytes, writer.writerow([guarded(str(column.label)) for column in columns]))
    for row in rows:
        yield cast(bytes, writer.writerow([guarded(plain(_cell(column, row))) for column in columns]))


def _xlsx_chunks(columns: Sequence[ExportColumn], rows: Iterable[Any]) -> Iterator[bytes]:
    with TemporaryFile() as file:
        _write_workbook(file, columns, rows)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _write_workbook(file: IO[bytes], columns: Sequence[ExportColumn], rows: Iterable[Any]) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as workbook:
        sheet = workbook.add_worksheet()
        bold = workbook.add_format({"bold": True})
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(columns) - 1, 0), 20)
        for index, column in enumerate(columns):
            sheet.write_string(0, index, str(column.label), bold)
        for number, row in enumerate(rows, start=1):
            for index, column in enumerate(columns):
                match _cell(column, row):
                    case None | "":
                        continue
                    case bool() as value:
                        sheet.write_boolean(number, index, value)
                    case int() | float() | Decimal() as value:
                        sheet.write_number(number, index, value)
                    case datetime() as value:
                        sheet.write_datetime(number, index, _in_utc(value), moment)
                    case date() as value:
                        sheet.write_datetime(number, index, value, day)
                    case value:
                        sheet.write_string(number, index, plain(value)[:_CELL_LIMIT])


def _cell(column: ExportColumn, row: Any) -> object:
    if column.value is not None:
        return column.value(row)
    value = row.get(column.key) if isinstance(row, dict) else getattr(row, column.key, None)
    return str(value) if isinstance(value, UUID | Promise) else value


def _in_utc(moment: datetime) -> datetime:
    """The moment in UTC without its zone: what ISO text ends with Z for and what Excel can hold."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
