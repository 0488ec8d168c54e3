"""A sponsor looks at the portfolio: finds, narrows, keeps and takes away; then reads one use case."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

SPONSOR = "Clara Weber"
OVERVIEW = "Elena Petrova"


def rows(page: Page) -> list[str]:
    return page.locator("#table tbody tr th .table__title").all_inner_texts()


def settled(visitor: Visitor, address_holds: str) -> None:
    visitor.page.wait_for_url(f"**{address_holds}**")
    visitor.page.wait_for_load_state("networkidle")


def pick(visitor: Visitor, menu: str, choice: str) -> None:
    """Tick one choice of a filter that unfolds."""
    bar = visitor.page.locator("[data-filter-bar]")
    bar.locator("summary").get_by_text(menu, exact=True).click()
    bar.get_by_role("group", name=menu, exact=True).get_by_label(choice, exact=True).check()


@pytest.mark.parametrize(
    ("menu", "choice", "in_address", "cell"),
    [
        ("Stage", "Pilot", "stage=pilot", "Pilot"),
        ("Tier", "Minimal", "tier=minimal", "Minimal risk"),
        ("Status", "Active", "status=active", ""),
        ("Assurance", "At risk", "assurance=at_risk", "At risk"),
    ],
)
def test_each_filter_narrows_what_is_shown(enter: Enter, menu: str, choice: str, in_address: str, cell: str) -> None:
    sponsor = enter(SPONSOR)
    sponsor.go("/portfolio/")
    before = len(rows(sponsor.page))
    pick(sponsor, menu, choice)
    settled(sponsor, in_address)
    shown = sponsor.page.locator("#table tbody tr").all_inner_texts()
    assert 0 < len(shown) <= before
    assert all(cell in text for text in shown)


def test_a_sponsor_sees_the_own_use_cases_and_no_others(enter: Enter) -> None:
    sponsor = enter(SPONSOR)
    sponsor.go("/portfolio/?sort=name")
    subs = sponsor.page.locator("#table tbody tr th .table__sub").all_inner_texts()
    assert len(subs) == 15
    assert all("Customer Care" in text for text in subs)
    assert sponsor.go("/use-cases/UC-0055/").status == 404


def test_search_sort_and_pages(enter: Enter) -> None:
    viewer = enter(OVERVIEW)
    viewer.go("/portfolio/")
    page = viewer.page
    first = rows(page)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Next page").click()
    settled(viewer, "page=2")
    assert not set(first) & set(rows(page))
    viewer.go("/portfolio/")
    page.locator("[data-filter-bar] [name=q]").fill("UC-0055")
    settled(viewer, "q=UC-0055")
    assert rows(page) == ["Adverse media screening"]
    viewer.go("/portfolio/?unit=claims")
    page.locator("#table-sort-name").click()
    settled(viewer, "sort=-name")
    names = rows(page)
    assert names == sorted(names, key=str.casefold, reverse=True)


def test_a_unit_is_a_filter_and_the_filters_are_kept_under_a_name(enter: Enter) -> None:
    viewer = enter(OVERVIEW)
    page = viewer.page
    viewer.go("/portfolio/?stage=pilot")
    page.locator("#id_unit").select_option("lending")
    settled(viewer, "unit=lending")
    shown = rows(page)
    page.locator("summary:has-text('Views')").click()
    page.get_by_role("link", name="Save what is shown now").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Pilots in lending")
    page.get_by_role("button", name="Save this view").click()
    page.wait_for_load_state("networkidle")
    viewer.go("/portfolio/")
    page.locator("summary:has-text('Views')").click()
    page.get_by_role("link", name="Pilots in lending").click()
    settled(viewer, "unit=lending")
    assert rows(page) == shown


def test_the_board_shows_the_stages_side_by_side(enter: Enter) -> None:
    sponsor = enter(SPONSOR)
    sponsor.go("/portfolio/")
    sponsor.page.get_by_role("link", name="Board").click()
    for stage in ("Idea", "PoC", "Pilot", "Production", "Operations"):
        expect(sponsor.page.get_by_role("heading", name=stage, exact=True)).to_be_visible()


def test_what_is_shown_can_be_taken_away(enter: Enter) -> None:
    sponsor = enter(SPONSOR)
    sponsor.go("/portfolio/?stage=pilot")
    names = rows(sponsor.page)
    with sponsor.page.expect_download() as download:
        sponsor.page.get_by_role("link", name="CSV").click()
    with Path(download.value.path()).open(newline="", encoding="utf-8-sig") as file:
        lines = list(csv.reader(file))
    assert len(lines) == len(names) + 1
    assert all(any(name in line for line in lines) for name in names)
    with sponsor.page.expect_download() as download:
        sponsor.page.get_by_role("link", name="XLSX").click()
    assert zipfile.is_zipfile(download.value.path())


def test_the_page_of_a_use_case_answers_what_where_who_and_what_is_missing(enter: Enter) -> None:
    sponsor = enter(SPONSOR)
    page = sponsor.page
    sponsor.go("/use-cases/UC-0009/")
    expect(page.locator("[aria-current=step]")).to_contain_text("Pilot")
    for name in ("Clara Weber", "Aisha Haddad", "Hanna Aziz", "Priya Mensah"):
        expect(page.locator("main header")).to_contain_text(name)
    expect(page.get_by_role("heading", name="Next gate")).to_be_visible()

    page.get_by_role("link", name="All criteria").click()
    finding = page.locator("#PR-04")
    finding.locator("summary").click()
    for word in ("Observed", "Required", "Source"):
        expect(finding).to_contain_text(word)
    excused = page.locator("#PR-13")
    for word in ("Waived until", "Without the waiver: missing", "Business owner"):
        expect(excused).to_contain_text(word)

    sponsor.go("/use-cases/UC-0009/kpis/")
    for word in ("Baseline", "Target"):
        expect(page.locator("main")).to_contain_text(word)
    sponsor.go("/use-cases/UC-0009/people/")
    expect(page.locator("main")).to_contain_text("Data steward")
    sponsor.go("/use-cases/UC-0009/history/")
    expect(page.locator("main")).to_contain_text("PoC")
