"""An alert from its rule to its incident: tried on the past, acknowledged, snoozed, reported, answered for."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.visitor import PHONE

pytestmark = pytest.mark.browser


def test_a_rule_is_tried_on_the_past_and_nothing_is_stored(product: Product, enter: Enter) -> None:
    case = scout.under_assurance(product)
    lead = enter(case.people["technical_lead"])
    page = lead.page
    lead.go(f"/monitoring/series/{case.series}/")
    rules = page.get_by_role("button", name="Switch off").count()
    page.get_by_role("link", name="Add a rule").click()
    form = page.locator("#inline-form")
    form.get_by_role("link", name="Against the baseline").click()
    page.wait_for_url("**/rules/new/?kind=baseline")
    page.fill("[name=warn]", "1")
    page.get_by_role("button", name="Try on the last 90 days").click()
    expect(page.locator("#trial")).to_contain_text("in 90 days")
    expect(page.locator("#trial")).to_contain_text("the baseline")
    expect(page.locator("#trial canvas").first).to_be_visible()
    lead.go(f"/monitoring/series/{case.series}/")
    expect(page.get_by_role("button", name="Switch off")).to_have_count(rules)


def test_an_alert_is_acknowledged_snoozed_and_reported(product: Product, enter: Enter) -> None:
    alert = scout.an_open_alert(product)
    lead = enter(alert.people["technical_lead"])
    page = lead.page
    lead.go(f"/monitoring/alerts/?use_case={alert.key}&state=open")
    page.get_by_role("link", name=alert.message).first.click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("main")).to_contain_text("Acknowledged")

    page.get_by_role("button", name="I see to it").click()
    page.fill("[name=text]", "The feed was late; the values are right again from noon on.")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator("#comments")).to_contain_text("The feed was late")

    page.get_by_role("link", name="Snooze").click()
    page.locator("#inline-form [name=reason]").fill("The supplier repairs it tomorrow.")
    page.locator("#inline-form").get_by_role("button", name="Snooze").click()
    expect(page.locator("main")).to_contain_text("It rests")
    lead.go(f"/monitoring/alerts/?use_case={alert.key}&state=snoozed")
    expect(page.locator("#table")).to_contain_text(alert.message)

    page.get_by_role("link", name=alert.message).first.click()
    page.get_by_role("link", name="Report an incident").click()
    page.locator("#inline-form").get_by_role("button", name="Report this incident").click()
    page.wait_for_url("**/governance/incidents/*/")
    expect(page.locator("main")).to_contain_text("Reported because of")
    page.get_by_role("link", name=alert.message).last.click()
    expect(page.locator("main")).to_contain_text("Incident:")

    phone = enter(alert.people["technical_lead"], viewport=PHONE)
    phone.go("/monitoring/alerts/?state=any")
    wide = phone.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
