"""A go with conditions: a signer asks for them, the manager decides them, the owner reports, risk closes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

OWED = "Measure the error rate at the second site, too."


def test_conditions_are_asked_for_decided_reported_and_closed(product: Product, enter: Enter) -> None:
    case = scout.almost_signed(product)
    signer, manager = enter(case.people["last_signer"]), enter(case.people["portfolio_manager"])
    _sign_with_conditions(signer, case.review)
    _decide(manager, case.review, case.people["technical_lead"])
    owner = enter(case.people["technical_lead"])
    _report(owner, case.key)
    _close(enter(case.people["risk_compliance"]))
    owner.go("/gates/conditions/?mine=on&state=closed")
    expect(owner.page.locator("#table")).to_contain_text(OWED)


def _sign_with_conditions(signer: Visitor, review: int) -> None:
    page = signer.page
    signer.go(f"/gates/reviews/{review}/sign/")
    page.get_by_label("Approve with conditions", exact=True).check()
    page.locator("[name=reason]").fill("Only the first site was measured.")
    signer.prove()
    page.get_by_role("button", name="Sign this snapshot").click()
    page.wait_for_url(f"**/gates/reviews/{review}/")


def _decide(manager: Visitor, review: int, owner: str) -> None:
    """A plain go is not offered; the fields of conditions show with their outcome, row by row."""
    page = manager.page
    manager.go(f"/gates/reviews/{review}/decide/")
    expect(page.locator("main")).to_contain_text("Only the first site was measured.")
    expect(page.get_by_label("Go Passes the gate")).to_have_count(0)
    page.get_by_label("Return", exact=False).first.check()
    expect(page.locator("[name=condition_1_text]")).to_be_hidden()
    page.get_by_label("Go with conditions").check()
    expect(page.locator("[name=condition_1_text]")).to_be_visible()
    page.locator("[name=condition_1_text]").fill(OWED)
    page.locator("[name=condition_1_scope]").fill("The second site")
    page.locator("[name=condition_1_evidence_wanted]").fill("A validation run")
    page.locator("[name=condition_1_owner]").select_option(label=owner)
    manager.prove()
    page.get_by_role("button", name="Decide and put on record").click()
    expect(page.locator(".error-summary")).to_contain_text("Give the day until which it is done.")
    expect(page.locator("[name=condition_1_text]")).to_have_value(OWED)
    day = datetime.now(UTC).date() + timedelta(days=30)
    page.locator("[name=condition_1_due_on]").fill(day.isoformat())
    manager.prove()
    page.get_by_role("button", name="Decide and put on record").click()
    page.wait_for_url(f"**/gates/reviews/{review}/")
    expect(page.locator("main")).to_contain_text("Go with conditions")


def _report(owner: Visitor, key: str) -> None:
    page = owner.page
    owner.go(f"/use-cases/{key}/gate/")
    page.locator("#conditions").get_by_role("link", name=OWED).click()
    page.get_by_role("link", name="Report it done").click()
    page.get_by_label("What was done").fill("Measured at the second site: 2.1 %, as at the first.")
    page.get_by_role("button", name="Report it done").click()
    expect(page.locator("main")).to_contain_text("It is reported done, and owed until somebody else closes it.")
    address = page.url.removeprefix(owner.address)
    assert owner.go(f"{address}close/").status == 403


def _close(risk: Visitor) -> None:
    page = risk.page
    risk.go("/gates/conditions/?state=reported")
    page.get_by_role("link", name=OWED).click()
    page.get_by_role("link", name="Close", exact=True).click()
    expect(page.locator("main")).to_contain_text("Measured at the second site")
    page.get_by_role("button", name="Close this condition").click()
    page.wait_for_url(re.compile(r"/gates/conditions/[0-9a-f-]{36}/$"))
    expect(page.locator("main header")).to_contain_text("Closed")
