"""Inventories for tests: small ones made here, and the real one, which is read from where it lies."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.conf import settings

from portfolio.importing.profile import Profile
from portfolio.importing.profile_format import parse_profile

SMALL = """
profile: small
title: Small
compare: [trim, collapse, casefold]
empty: ["", "N/A"]
dates: {formats: ["%m/%d/%Y", "%Y-%m-%d"], earliest: 1990-01-01, latest: 2030-12-31}
root: {code: acme, name: Acme Group}
identify: {by: source, columns: [Name, Unit]}
unit: {code: {column: Unit}, name: {column: Unit name}}
required: [Stage]
fields:
  name: {column: Name, shorten: true}
  summary: {column: What it does}
  stage:
    column: Stage
    map: {New: idea, Trial: pilot, Live: operations, Gone: retired}
    empty: idea
    unknown: idea
  stage_since: {column: Since}
  tier: {column: Risk, map: {High: high, Low: null}}
  personal_data: {column: Personal data}
practices:
  - practice: P-1
    column: Tested
    map: {Yes: yes, No: no, Soon: in_progress}
"""
HEADER = ("Name", "Unit", "Unit name", "What it does", "Stage", "Since", "Risk", "Personal data", "Tested", "Owner")
ROWS = (
    ("Chat", "HR", "People", "Answers questions", "Live", "2/1/2024", "High", "Yes", "Yes", "Ada"),
    ("Scan", "HR", "People", "Reads letters", "Trial", "2024-05-01", "Low", "No", "Soon", "Bob"),
    ("Plan", "OPS", "Operations", "Plans routes", "New", "", "", "N/A", "", "Cy"),
)


def small_profile(text: str = SMALL) -> Profile:
    return parse_profile(text.encode(), "small.yaml")


def profile_file(folder: Path, text: str = SMALL) -> str:
    path = folder / "small.yaml"
    path.write_text(text)
    return str(path)


def csv_bytes(
    rows: Iterable[Sequence[str]] = ROWS, *, header: Sequence[str] = HEADER, encoding: str = "utf-8"
) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_bytes(rows: Iterable[Sequence[Any]] = ROWS, *, header: Sequence[str] = HEADER) -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate([header, *rows]):
            for column, cell in enumerate(row):
                sheet.write(number, column, cell)
    return held.getvalue()


def with_cells(row: Sequence[str], changes: Mapping[str, str]) -> tuple[str, ...]:
    """The row with some of its columns saying something else."""
    return tuple(changes.get(label, cell) for label, cell in zip(HEADER, row, strict=True))


def federal_inventory() -> Path:
    """The US federal inventory of 2024; the test is skipped where it is not at hand."""
    shared = Path(os.environ.get("TOLLGATE_SHARED_DATA") or settings.BASE_DIR.parent / "shared" / "data")
    path = shared / "us_federal_ai_use_cases_2024.csv"
    if not path.exists():
        pytest.skip(f"the federal inventory is not at {path}: name its directory with TOLLGATE_SHARED_DATA")
    return path
