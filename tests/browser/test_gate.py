"""The main job: from a missing result to a decision that moves the stage, each step by the person who owes it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

SIGNERS = ("business_owner", "technical_lead", "data_steward")
NOT_ASKED = "ai_governance_board"


def test_a_missing_result_becomes_a_decision_that_moves_the_stage(product: Product, enter: Enter) -> None:
    case = scout.nearly_ready(product)
    people = case.people
    _add_a_link(enter(people["technical_lead"]), case.key)
    _log_the_result(enter(people["technical_lead"]), case.key)
    lead = enter(people["use_case_lead"])
    review, digest = _submit(lead, case.key)

    _refused(lead, review, "You cannot sign this: you submitted it (SOD-01).")
    _refused(enter(people[NOT_ASKED]), review, "You hold none of these roles here.")
    for role in SIGNERS:
        _sign(enter(people[role]), review, people[role], digest)
    _refused(enter(people[SIGNERS[0]]), review, "You have already signed this review; one person signs once (SOD-02).")

    _decide(enter(people["portfolio_manager"]), review, case.key)
    _read_the_ledger(enter(people["auditor"]), case.key, review)


def _add_a_link(lead: Visitor, key: str) -> None:
    page = lead.page
    lead.go(f"/use-cases/{key}/evidence/?criterion=PP-01")
    page.get_by_role("link", name="Add a link as evidence").click()
    page.locator("[name=url]").fill("https://results.example.org/poc/72")
    page.locator("[name=title]").fill("Result sheet of the PoC")
    expect(page.locator("form.form [name=criterion], form:has([name=url]) [name=criterion]").first).to_have_value(
        "PP-01"
    )
    page.get_by_role("button", name="Add this link").click()
    expect(page.get_by_role("link", name="Result sheet of the PoC")).to_be_visible()


def _log_the_result(lead: Visitor, key: str) -> None:
    """From the finding to its form and back: what was missing is met."""
    page = lead.page
    lead.go(f"/use-cases/{key}/gate/")
    finding = page.locator("#PP-01")
    expect(finding).to_contain_text("Missing")
    finding.locator("summary").click()
    for words in ("Required", "at least 60 %", "What to do", "Technical lead"):
        expect(finding).to_contain_text(words)
    finding.get_by_role("link", name="Log a result").click()
    expect(page.get_by_label("Kind", exact=True)).to_have_value("poc_result")
    page.get_by_label("Value").first.fill("82")
    page.get_by_label("Sample size").fill("400")
    page.get_by_role("button", name="Log this result").click()
    page.wait_for_url(f"**/use-cases/{key}/gate/")
    expect(page.locator("#PP-01")).to_contain_text("Met")
    page.locator("#PP-01 summary").click()
    expect(page.locator("#PP-01")).to_contain_text("82")


def _submit(lead: Visitor, key: str) -> tuple[str, str]:
    page = lead.page
    lead.go(f"/use-cases/{key}/gate/")
    page.get_by_role("link", name="Submit for review").first.click()
    expect(page.locator("main")).to_contain_text("Business owner")
    page.locator("[name=message]").fill("The PoC reached what the charter asked for.")
    page.get_by_role("button", name="Freeze the facts and submit").click()
    page.wait_for_url("**/gates/reviews/*/")
    digest = page.locator("main header [data-copy], main header .digest").first
    number = re.search(r"/gates/reviews/(\d+)/", page.url)
    assert number is not None
    return number.group(1), digest.inner_text()


def _refused(visitor: Visitor, review: str, reason: str) -> None:
    answer = visitor.go(f"/gates/reviews/{review}/sign/")
    assert answer.status == 403
    assert reason in visitor.text()


def _sign(signer: Visitor, review: str, name: str, digest: str) -> None:
    page = signer.page
    signer.go(f"/gates/reviews/{review}/")
    page.locator(".sticky-bar").get_by_role("link", name="Read and sign").click()
    expect(page.locator("main")).to_contain_text(name)
    expect(page.locator("main")).to_contain_text(digest)
    page.get_by_label("Approve", exact=True).check()
    expect(page.locator("main")).to_contain_text("type the password “demo”")
    signer.prove()
    page.get_by_role("button", name="Sign this snapshot").click()
    page.wait_for_url(f"**/gates/reviews/{review}/")
    expect(page.locator("#sign-offs")).to_contain_text(name)


def _decide(manager: Visitor, review: str, key: str) -> None:
    page = manager.page
    manager.go(f"/gates/reviews/{review}/")
    page.get_by_role("link", name="Decide").click()
    manager.prove()
    page.get_by_role("button", name="Decide and put on record").click()
    page.wait_for_url(f"**/gates/reviews/{review}/")
    manager.go(f"/use-cases/{key}/")
    expect(page.locator("[aria-current=step]")).to_contain_text("Pilot")


def _read_the_ledger(auditor: Visitor, key: str, review: str) -> None:
    """Who did what, when, by which way in, and what was before and after."""
    page = auditor.page
    auditor.go(f"/ledger/?use_case={key}")
    for what in ("Evidence added", "Review submitted", "Sign off given", "Decision made", "Use case stage moved"):
        expect(page.locator("main")).to_contain_text(what)
    page.get_by_role("link", name="Use case stage moved").first.click()
    expect(page.locator("main")).to_contain_text("poc")
    expect(page.locator("main")).to_contain_text("pilot")
    expect(page.locator("main")).to_contain_text("Nadia Rahman")
    expect(page.locator("main")).to_contain_text("Leaf hash")
    assert auditor.go(f"/gates/reviews/{review}/").status == 200
