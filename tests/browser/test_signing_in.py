"""One click makes one somebody; every page says that none of it is real; home says what waits."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Enter

pytestmark = pytest.mark.browser

BANNER = "Demonstration: the organisation, its people and its numbers are made up."
PEOPLE = {
    "portfolio_manager": "Nadia Rahman",
    "business_sponsor": "Clara Weber",
    "technical_lead": "Priya Mensah",
    "use_case_lead": "Hanna Aziz",
    "risk_compliance": "Ruth Okafor",
    "ai_governance_board": "Amara Diallo",
    "auditor": "Oskar Brandt",
    "executive_viewer": "Elena Petrova",
    "end_user": "Andrés Costa",
    "system_admin": "Yusuf Kaya",
}


def test_every_kind_of_person_comes_in_with_one_click(enter: Enter) -> None:
    visitor = enter()
    for name in PEOPLE.values():
        visitor.be(name)
        expect(visitor.page.get_by_role("heading", level=1)).to_contain_text(name.split()[0])
        expect(visitor.page.locator("body")).to_contain_text(BANNER)


def test_every_page_says_that_it_is_a_demonstration(enter: Enter) -> None:
    visitor = enter()
    for path in ("/accounts/login/", "/accounts/demo/"):
        visitor.go(path)
        expect(visitor.page.locator("body")).to_contain_text("made up")
    visitor.be(PEOPLE["risk_compliance"])
    for path in (
        "/portfolio/",
        "/gates/",
        "/gates/policies/",
        "/monitoring/",
        "/governance/",
        "/ledger/",
        "/settings/",
    ):
        assert visitor.go(path).status == 200
        expect(visitor.page.locator("body")).to_contain_text(BANNER)


def test_home_tells_a_signer_what_waits_and_leads_there(enter: Enter) -> None:
    sponsor = enter(PEOPLE["business_sponsor"])
    waiting = sponsor.page.locator(".card").filter(has=sponsor.page.get_by_role("heading", name="Sign-offs")).last
    expect(waiting).to_contain_text("due in")
    waiting.get_by_role("link", name="Read and sign").first.click()
    sponsor.page.locator(".sticky-bar").get_by_role("link", name="Read and sign").click()
    expect(sponsor.page.get_by_role("button", name="Sign this snapshot")).to_be_visible()
    expect(sponsor.page.locator("main")).to_contain_text(PEOPLE["business_sponsor"])


def test_home_tells_a_manager_which_reviews_can_be_decided(enter: Enter) -> None:
    manager = enter(PEOPLE["portfolio_manager"])
    expect(manager.page.get_by_role("heading", name="Decisions")).to_be_visible()
    manager.page.get_by_role("link", name="Decide R-").first.click()
    manager.page.get_by_role("link", name="Decide", exact=True).click()
    expect(manager.page.get_by_role("button", name="Decide and put on record")).to_be_visible()


def test_a_stranger_is_asked_to_sign_in_first(enter: Enter) -> None:
    stranger = enter()
    stranger.go("/portfolio/")
    assert "/accounts/login/" in stranger.page.url
