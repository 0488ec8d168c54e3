"""Somebody's inventory comes in: what would happen is shown first, then it happens, then there is a report."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from config.env import BASE_DIR
from tests.browser.conftest import Enter
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

MANAGER = "Nadia Rahman"
INVENTORY = """key,name,unit_code,stage,tier
UC-0900,Sorting of parcels by size,supply,pilot,minimal
UC-0901,Meter reading from photos,supply,flying,limited
UC-0902,Forecast of returns,supply,poc,colossal
"""
DATA = Path(os.environ.get("TOLLGATE_SHARED_DATA", BASE_DIR.parent / "shared" / "data"))
FEDERAL = DATA / "us_federal_ai_use_cases_2024.csv"


def preview(manager: Visitor, file: Path, profile: str) -> None:
    manager.go("/portfolio/import/")
    manager.page.locator("input[type=file]").set_input_files(file)
    manager.page.locator("[name=profile]").select_option(profile)
    manager.page.get_by_role("button", name="Read the file and preview").click()
    expect(manager.page.get_by_role("heading", name="Preview of the import")).to_be_visible(timeout=60_000)


def test_problems_are_named_before_anything_changes_and_reported_after(enter: Enter, tmp_path: Path) -> None:
    file = tmp_path / "inventory.csv"
    file.write_text(INVENTORY)
    manager = enter(MANAGER)
    page = manager.page
    preview(manager, file, "tollgate-inventory")
    expect(page.locator("main")).to_contain_text("Nothing has changed yet")
    expect(page.locator("#table")).to_contain_text("flying")
    expect(page.locator("#table")).to_contain_text("colossal")
    address = page.url
    assert manager.go("/use-cases/UC-0900/").status == 404

    page.goto(address)
    page.get_by_role("button", name="Import these 3 rows").click()
    expect(page.get_by_role("heading", name="Report")).to_be_visible(timeout=60_000)
    expect(page.locator("main")).to_contain_text("“flying” is none of")
    with page.expect_download() as download:
        page.get_by_role("link", name="Problems as CSV").click()
    report = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert "flying" in report
    assert "colossal" in report
    manager.go("/use-cases/UC-0900/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sorting of parcels by size")


@pytest.mark.skipif(not FEDERAL.exists(), reason=f"the federal inventory is not at {FEDERAL}")
def test_the_federal_inventory_comes_in_with_its_report(enter: Enter) -> None:
    manager = enter(MANAGER)
    page = manager.page
    preview(manager, FEDERAL, "us-federal-2024")
    for number in ("2133", "2130"):
        expect(page.locator("main")).to_contain_text(number)
    page.get_by_role("button", name="Import these 2133 rows").click()
    expect(page.get_by_role("heading", name="Report")).to_be_visible(timeout=90_000)
    expect(page.locator("main")).to_contain_text("2130")
    manager.go("/portfolio/?q=Department+of+Veterans")
    assert page.locator("#table tbody tr").count() > 0
