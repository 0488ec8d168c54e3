"""A review comes back with a reason, is mended and submitted again; whoever signs sees what changed since."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

MENDED = "Supplier risk is scored late, in all four regions."
WHY = "The rollback of the second region was not tried."


def test_a_returned_review_is_mended_and_submitted_again(product: Product, enter: Enter) -> None:
    case = scout.returned(product)
    lead = enter(case.people["use_case_lead"])
    _mend(lead, case.key)
    second = _submit(lead, case.key)

    signer = enter(case.people["technical_lead"])
    _read_what_changed(signer, second)
    _ask(signer, second)
    _sign(signer, second)

    manager = enter(case.people["portfolio_manager"])
    _return(manager, second)
    signer.go(f"/gates/reviews/{second}/")
    expect(signer.page.locator("main header")).to_contain_text("Returned")
    expect(signer.page.locator("main")).to_contain_text("Lapsed")

    third = _submit(lead, case.key)
    assert third != second
    lead.go(f"/gates/reviews/{third}/")
    rounds = lead.page.locator("#rounds")
    expect(rounds).to_contain_text(f"R-{second}")
    expect(rounds).to_contain_text(WHY)


def _mend(lead: Visitor, key: str) -> None:
    lead.go(f"/use-cases/{key}/edit/")
    lead.page.locator("[name=problem_statement]").fill(MENDED)
    lead.page.locator("form.form button[type=submit]").last.click()
    lead.page.wait_for_url(f"**/use-cases/{key}/")


def _submit(lead: Visitor, key: str) -> int:
    lead.go(f"/gates/submit/{key}/")
    lead.page.locator("[name=message]").fill("All regions are covered now.")
    lead.page.get_by_role("button", name="Freeze the facts and submit").click()
    lead.page.wait_for_url("**/gates/reviews/*/")
    return int(lead.page.url.rstrip("/").rsplit("/", 1)[1])


def _read_what_changed(signer: Visitor, review: int) -> None:
    signer.go(f"/gates/reviews/{review}/")
    changes = signer.page.locator("#changes")
    expect(changes).to_contain_text("Changed since the round before")
    expect(changes.locator("ins").filter(has_text=MENDED)).to_be_visible()
    expect(changes.locator("del").first).to_be_visible()
    finding = signer.page.locator("#findings .finding").first
    finding.locator("summary").click()
    expect(finding).to_contain_text("Required")


def _ask(signer: Visitor, review: int) -> None:
    comments = signer.page.locator("#comments")
    comments.locator("[name=text]").fill("Which **regions** are meant?")
    comments.get_by_role("button", name="Comment").click()
    expect(comments.locator("strong", has_text="regions")).to_be_visible()


def _sign(signer: Visitor, review: int) -> None:
    page = signer.page
    signer.go(f"/gates/reviews/{review}/sign/")
    expect(page.locator("#changes")).to_contain_text(MENDED)
    page.get_by_label("Approve", exact=True).check()
    signer.prove()
    page.get_by_role("button", name="Sign this snapshot").click()
    page.wait_for_url(f"**/gates/reviews/{review}/")
    expect(page.locator("#sign-offs")).to_contain_text("Signed")


def _return(manager: Visitor, review: int) -> None:
    page = manager.page
    manager.go(f"/gates/reviews/{review}/decide/?outcome=return")
    page.locator("[name=outcome][value=return]").check()
    manager.prove()
    page.locator("[name=reason]").fill(WHY)
    page.locator("form.form button[type=submit]").last.click()
    page.wait_for_url(f"**/gates/reviews/{review}/")
