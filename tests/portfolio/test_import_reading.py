"""Bytes to tables: encodings, delimiters, workbooks, and everything that is no table."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.importing import reading, workbooks
from portfolio.importing.problems import BrokenFile
from portfolio.importing.reading import read_table
from tests.portfolio.inventories import xlsx_bytes

TEXT = "Name,Note\r\nÄrger,“quoted” – dash\r\n"


def broken(content: bytes) -> str:
    with pytest.raises(BrokenFile) as caught:
        read_table(content)
    return " ".join([caught.value.message, caught.value.hint])


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
    ],
)
def test_a_common_encoding_is_recognised(encoding: str, named: str) -> None:
    table = read_table(TEXT.encode(encoding))
    assert table.encoding == named
    assert table.rows[0].cells == ("Ärger", "“quoted” – dash")


def test_an_encoding_that_the_profile_names_is_tried_after_utf8() -> None:
    table = read_table("Name,Note\nЖук,да\n".encode("cp1251"), encodings=("cp1251",))
    assert table.rows[0].cells == ("Жук", "да")


def test_a_byte_that_is_no_character_is_named_with_its_line_and_nothing_is_replaced() -> None:
    said = broken(b"Name,Note\nfine,fine\nbad,\x81\n")
    assert "Line 3" in said
    assert "0x81" in said
    assert "cp1252" in said


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_fits_the_header(delimiter: str) -> None:
    table = read_table(delimiter.join(["Name", "Note"]).encode() + b"\n" + delimiter.join(["a", "b"]).encode())
    assert table.delimiter == delimiter
    assert table.columns == ("Name", "Note")


def test_a_delimiter_inside_quoted_names_does_not_mislead() -> None:
    known = {"Name, and more, and more": 1, "Note": 1}
    content = b'"Name, and more, and more";Note\na;b\n'
    table = read_table(content, fits=lambda header: sum(known.get(name, 0) for name in header))
    assert table.delimiter == ";"


def test_rows_are_numbered_as_a_spreadsheet_does_it() -> None:
    table = read_table(b'Name,Note\n"two\nlines",x\n\n,\nlast,y\n')
    assert [(row.number, row.cells[0]) for row in table.rows] == [(2, "two\nlines"), (5, "last")]


def test_a_header_that_comes_again_is_counted() -> None:
    table = read_table(b"Why,If other,Why,If other,If other (2)\n1,2,3,4,5\n")
    assert table.columns == ("Why", "If other", "Why (2)", "If other (3)", "If other (2)")


def test_a_column_without_a_name_is_called_by_its_place() -> None:
    assert read_table(b"Name,,Note,,\n1,2,3,,\n").columns == ("Name", "Column 2", "Note")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "empty"),
        (b"Name,Note\r\n", "no rows"),
        (b"Name,Note\nonly one\n", "Row 2 has 1 cells, the header has 2"),
        (b"Name,Note\na,b\n1,2,3\n", "Row 3 has 3 cells"),
        (b'Name,Note\na,"never closed\n', "Row 2 cannot be read: a quotation mark is opened and never closed"),
        (b'Name,Note\n"a"b,c\n', "Row 2 cannot be read: text follows a closing quotation mark"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file"),
        (b"\x1f\x8b\x08\x00", "a gzip archive"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"Name,Note\n\x01\x02\x03,\x00\n", "binary data"),
        (b"PK\x03\x04 but no archive", "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(content: bytes, said: str) -> None:
    assert said in broken(content)


def test_a_nul_character_is_refused_with_its_row() -> None:
    assert "Row 3 contains a NUL" in broken("Name,Note\na,b\nc,\x00d\n".encode("utf-16"))


def test_a_file_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 1024)
    assert "larger than" in broken(b"Name\n" + b"x" * 1024)


def test_a_workbook_reads_like_the_same_table_in_text() -> None:
    content = xlsx_bytes([("Ärger", 12, 1.5, True, "")], header=("Name", "Count", "Share", "Yes", "Nothing"))
    table = read_table(content)
    assert table.kind == "xlsx"
    assert table.rows[0].cells == ("Ärger", "12", "1.5", "TRUE", "")


def test_days_in_a_workbook_become_iso_dates() -> None:
    from datetime import date

    assert read_table(xlsx_bytes([("a", date(2024, 2, 1))], header=("Name", "Day"))).rows[0].cells == (
        "a",
        "2024-02-01",
    )


def test_a_sheet_can_be_named() -> None:
    with pytest.raises(BrokenFile, match="no sheet “Other”; it has: Sheet1"):
        read_table(xlsx_bytes(), sheet="Other")


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("letter.txt", "dear all")
    assert "no Excel workbook" in broken(held.getvalue())


def test_a_workbook_that_unpacks_to_gigabytes_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_UNPACKED", 1_000_000)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "x" * 2_000_000)
    assert len(held.getvalue()) < 10_000
    assert "more than is sane" in broken(held.getvalue())


def test_a_damaged_workbook_is_refused() -> None:
    content = bytearray(xlsx_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = b"\x00" * 64
    assert "cannot be read" in broken(bytes(content))


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8), mark=st.sampled_from(",;\t|"))
def test_whatever_the_csv_module_writes_is_read_back(rows: list[list[str]], mark: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=mark)
    writer.writerow(["first", "second", "third"])
    writer.writerows([[f"x{cells[0]}", *cells[1:]] for cells in rows])
    table = read_table(text.getvalue().encode("utf-8-sig"), fits=lambda header: int(list(header)[:1] == ["first"]))
    assert [list(row.cells) for row in table.rows] == [[f"x{cells[0]}", *cells[1:]] for cells in rows]


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=400))
def test_any_bytes_are_a_table_or_a_broken_file_and_nothing_else(content: bytes) -> None:
    try:
        table = read_table(content)
    except BrokenFile:
        return
    assert all(len(row.cells) == len(table.columns) for row in table.rows)
