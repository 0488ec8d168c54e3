"""A policy owner changes a threshold, reads the difference, simulates and proposes it; a board member publishes it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Enter

pytestmark = pytest.mark.browser

OWNER = "Nadia Rahman"
BOARD = "Amara Diallo"


def test_a_change_is_drafted_simulated_and_published_by_another(enter: Enter) -> None:
    owner = enter(OWNER)
    page = owner.page
    owner.go("/gates/policies/default/")
    page.get_by_role("link", name="Draft a change").click()
    page.get_by_label("What changes and why").fill("Incidents are exercised on the limited tier too.")
    page.get_by_role("button", name="Start the draft").click()
    draft = page.url.partition(owner.address)[2].removesuffix("form/")

    owner.go(f"{draft}form/production_to_operations/criteria/OP-03/")
    page.get_by_label("Threshold, high tier").fill("9")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("contradictory")
    page.get_by_label("Threshold, high tier").fill("2.5")
    page.get_by_role("button", name="Save").click()
    owner.go(f"{draft}form/production_to_operations/criteria/OP-10/")
    page.locator("[name=mode_limited]").select_option("mandatory")
    page.get_by_role("button", name="Save").click()

    owner.go(draft)
    row = page.locator("tr").filter(has_text="threshold, high tier")
    for words in ("<= 3", "<= 2.5", "tightened"):
        expect(row).to_contain_text(words)
    page.get_by_role("button", name="Simulate on the portfolio").click()
    expect(page.get_by_text("Which criteria turn")).to_be_visible(timeout=60_000)
    expect(page.locator("main")).to_contain_text("Judged")
    expect(page.locator("#table")).to_contain_text("OP-10")

    owner.go(draft)
    page.get_by_role("button", name="Propose for publication").click()
    expect(page.locator("main")).to_contain_text("Waiting for publication")
    expect(page.get_by_role("button", name="Publish 1.1.0")).to_have_count(0)

    board = enter(BOARD)
    board.go(draft)
    board.page.get_by_role("button", name="Publish 1.1.0").click()
    expect(board.page.locator("h1")).to_contain_text("Default gate policy")
    expect(board.page.locator(".page-header")).to_contain_text("1.1.0")
    board.go("/gates/policies/default/versions/")
    expect(board.page.locator("main")).to_contain_text("From 1.0.0 to 1.1.0")
    assert not owner.complaints
    assert not board.complaints
