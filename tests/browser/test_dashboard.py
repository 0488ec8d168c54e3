"""A technical lead arranges a dashboard and shares it; the business owner sees it, exports it, and turns the phone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.visitor import PHONE

pytestmark = pytest.mark.browser


def order(page: Page) -> list[str]:
    return [str(each.get_attribute("data-widget")) for each in page.locator("[data-widget]").all()]


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def saved(page: Page, revision: int) -> None:
    expect(page.locator("#arrange")).to_have_attribute("data-revision", str(revision))


def test_a_dashboard_is_arranged_shared_seen_by_another_exported_and_turned(product: Product, enter: Enter) -> None:
    case = scout.under_assurance(product)
    lead = enter(case.people["technical_lead"])
    page = lead.page

    lead.go(f"/use-cases/{case.key}/monitoring/")
    page.get_by_role("link", name="Dashboard", exact=True).click()
    expect(page.get_by_text("Ready-made")).to_be_visible()
    page.get_by_role("link", name="Make it your own").click()
    page.get_by_label("Name of your copy").fill("Morning look")
    page.get_by_role("button", name="Make a copy").click()
    page.wait_for_url(re.compile("/edit/$"))

    first, second, *rest = order(page)
    later = page.locator(f"#later-{first}")
    later.focus()
    page.keyboard.press("Enter")
    saved(page, 2)
    assert order(page) == [second, first, *rest]
    expect(page.locator(f"#later-{first}")).to_be_focused()

    grip = page.locator(f"[data-widget={first}] [data-grip]")
    target = page.locator(f"[data-widget={second}]").bounding_box()
    held = grip.bounding_box()
    assert target is not None
    assert held is not None
    page.mouse.move(held["x"] + 20, held["y"] + 10)
    page.mouse.down()
    page.mouse.move(target["x"] + 10, target["y"] + 30, steps=6)
    page.mouse.up()
    saved(page, 3)
    assert order(page) == [first, second, *rest]

    corner = page.locator(f"[data-widget={first}] [data-corner]").bounding_box()
    assert corner is not None
    page.mouse.move(corner["x"] + 8, corner["y"] + 8)
    page.mouse.down()
    page.mouse.move(corner["x"] + 320, corner["y"] + 8, steps=8)
    page.mouse.up()
    saved(page, 4)
    expect(page.locator(f"[data-widget={first}]")).to_have_class(re.compile("widget--6"))

    page.get_by_role("link", name="Note", exact=True).click()
    page.get_by_label("Text").fill("Call **Hanna** first.")
    page.get_by_role("button", name="Add to the dashboard").click()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("Call Hanna first.")).to_be_visible()
    page.get_by_role("link", name="Name and sharing").click()
    expect(page.get_by_label("Data steward or owner")).to_be_hidden()
    page.get_by_label("Everybody who may see what it is about").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Shared")).to_be_visible()

    owner = enter(case.people["business_owner"])
    theirs = owner.page
    owner.go("/monitoring/dashboards/")
    theirs.get_by_role("link", name="Morning look").click()
    expect(theirs.get_by_text("Call Hanna first.")).to_be_visible()
    expect(theirs.get_by_role("link", name="Arrange")).to_have_count(0)
    expect(theirs.locator("[data-chart-canvas] canvas").first).to_be_visible()
    png = theirs.locator("[data-chart-png]").first
    with theirs.expect_download() as drawing:
        png.click()
    assert Path(drawing.value.path()).read_bytes().startswith(b"\x89PNG")
    theirs.locator("summary").filter(has_text="More").first.click()
    with theirs.expect_download() as picture:
        theirs.get_by_role("button", name="All of it as PNG").click()
    whole = Path(picture.value.path()).read_bytes()
    grid = theirs.locator(".widgets").bounding_box()
    assert whole.startswith(b"\x89PNG")
    assert grid is not None
    assert int.from_bytes(whole[16:20], "big") >= grid["width"]  # its header says how wide and high it is
    assert int.from_bytes(whole[20:24], "big") >= grid["height"]
    for name, start in (("All numbers as CSV", "Widget,Row"), ("Definition as JSON", "{")):
        if not theirs.get_by_role("link", name=name).is_visible():
            theirs.locator("summary").filter(has_text="More").first.click()
        with theirs.expect_download() as file:
            theirs.get_by_role("link", name=name).click()
        text = Path(file.value.path()).read_text()
        assert text.startswith(start)
    assert json.loads(text)["format"] == "tollgate-dashboard/1"

    phone = enter(case.people["business_owner"], viewport=PHONE)
    phone.go(theirs.url.removeprefix(product.address))
    expect(phone.page.locator("[data-chart-canvas] canvas").first).to_be_visible()
    assert overflow(phone.page) <= 0
    for width, height in ((844, 390), (390, 844)):
        phone.page.set_viewport_size({"width": width, "height": height})
        assert overflow(phone.page) <= 0, "right after the turn"
        phone.page.wait_for_timeout(400)
        assert overflow(phone.page) <= 0
