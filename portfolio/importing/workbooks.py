"""Tables in Excel workbooks (XLSX), read with calamine once the archive has been found to be of a sane size."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from portfolio.importing.problems import BrokenFile
from portfolio.importing.table import Table, build

MAX_UNPACKED = 300 * 1024 * 1024
MAX_MEMBERS = 2_000
MAX_CELLS = 10_000_000


def read_workbook(content: bytes, *, sheet: str = "") -> Table:
    """The table on the named sheet, or on the first one."""
    _refuse_bombs(content)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = workbook.sheet_names
        if sheet and sheet not in names:
            raise BrokenFile(f"The workbook has no sheet “{sheet}”; it has: {', '.join(names)}.")
        if not names:
            raise BrokenFile("The workbook has no sheet.")
        page = workbook.get_sheet_by_name(sheet or names[0])
        if page.total_height * page.total_width > MAX_CELLS:
            raise BrokenFile(
                f"The sheet spans more than {MAX_CELLS:,} cells.", hint="Delete its empty rows and columns."
            )
        cells = page.to_python(skip_empty_area=False)
    except PasswordError as error:
        raise BrokenFile("The workbook is protected by a password.", hint="Save it without one.") from error
    except (CalamineError, OSError, ValueError) as error:
        raise BrokenFile(
            f"The workbook cannot be read: {error}.", hint="Open it in Excel and save it again."
        ) from error
    return build(_numbered(cells), kind="xlsx")


def _numbered(cells: list[list[Any]]) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(cells, start=1):
        yield number, [cell_text(cell) for cell in row]


def cell_text(cell: Any) -> str:
    """A cell as the same table saved as CSV would say it; days as ISO dates, for the format is not kept."""
    match cell:
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            return str(int(cell)) if cell.is_integer() else repr(cell)
        case datetime():
            return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
        case date() | time():
            return cell.isoformat()
        case timedelta() | int():
            return str(cell)
    return ""


def _refuse_bombs(content: bytes) -> None:
    """A small archive may unpack to gigabytes; the sizes it states are checked, and so is what really comes out."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if "xl/workbook.xml" not in archive.namelist():
                raise BrokenFile("This archive is no Excel workbook.", hint="Save the table as XLSX or CSV.")
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
                raise BrokenFile("The workbook unpacks to more than is sane, so it was not opened.")
            _unpack(archive, members)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BrokenFile(f"The workbook cannot be read: {error}.", hint="It may be damaged or protected.") from error


def _unpack(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    """Read every member once, for the stated sizes may lie: zipfile stops at them and checks the sum at the end."""
    for member in members:
        with archive.open(member) as stream:
            while stream.read(1024 * 1024):
                pass
