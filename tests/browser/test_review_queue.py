"""A system pushes its outputs over REST, people judge a sample of them, and too much disagreement fails the version."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser

WITHIN = 120.0


def push(product: Product, token: str, key: str, version: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    body = {"use_case": key, "version": version, "outputs": outputs}
    request = urllib.request.Request(
        f"{product.address}/api/v1/outputs:batch",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.load(answer))


def test_outputs_are_judged_and_too_much_disagreement_fails_the_version(product: Product, enter: Enter) -> None:
    case = scout.under_review(product)
    token = scout.token_of_the_pipeline(product)
    _the_lead_sets_a_plan(enter(case.people["technical_lead"]), case)

    reviewer = case.people["human_reviewer"]
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    outputs: list[dict[str, Any]] = [
        {
            "external_id": f"walk-{n}",
            "at": at,
            "summary": f"Walk: case {n} is settled",
            "payload": {"letter": f"Letter {n}"},
        }
        for n in range(1, 5)
    ]
    outputs.append({"external_id": "walk-own", "at": at, "summary": "Walk: own case is settled", "acted_by": reviewer})
    assert push(product, token, case.key, case.version, outputs)["sampled"] == 5
    assert push(product, token, case.key, case.version, outputs[:1])["unchanged"] == 1
    with pytest.raises(urllib.error.HTTPError) as refused:
        push(product, token, case.key, case.version, [{**outputs[0], "summary": "Something else"}])
    assert refused.value.code == 422

    visitor = enter(reviewer)
    _who_acted_is_refused(visitor)
    _the_reviewer_answers_by_keys(visitor)
    _the_version_has_failed(enter(case.people["technical_lead"]), case)


def test_on_a_phone_the_queue_says_what_waits(product: Product, enter: Enter) -> None:
    case = scout.under_review(product)
    visitor = enter(case.people["human_reviewer"], viewport=PHONE)
    visitor.go("/monitoring/review/")
    expect(visitor.page.get_by_role("heading", name="Output review")).to_be_visible()
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def _the_lead_sets_a_plan(lead: Visitor, case: scout.Found) -> None:
    lead.go(f"/monitoring/use-cases/{case.key}/review/")
    lead.page.get_by_role("link", name="Set a sampling plan").click()
    for label, value in (
        ("Share drawn at random", "100"),
        ("Most disagreement", "20"),
        ("Least sample", "4"),
        ("Share reviewed by two people", "0"),
        ("Due after", "1"),
    ):
        lead.page.get_by_label(label, exact=False).fill(value)
    lead.page.get_by_role("button", name="Save the plan").click()
    expect(lead.page.locator("main")).to_contain_text("20 % disagreement, from 4 reviews on")


def _who_acted_is_refused(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("/monitoring/review/")
    expect(page.locator("main")).to_contain_text("you acted on")
    visitor.go("/monitoring/outputs/?q=walk-own")
    page.get_by_role("link", name="Walk: own case is settled").click()
    expect(page.locator("main")).to_contain_text("You cannot review this output: you acted on it (SOD-14).")
    expect(page.get_by_role("button", name="Review this output")).to_have_count(0)


def _the_reviewer_answers_by_keys(visitor: Visitor) -> None:
    """Two agreed, two not, one of them taken back and said again."""
    page = visitor.page
    visitor.go("/monitoring/outputs/?q=walk-1")
    page.get_by_role("link", name="Walk: case 1 is settled").click()
    page.get_by_role("button", name="Review this output").click()
    expect(page.locator("main")).to_contain_text("Letter 1")
    page.keyboard.press("a")
    expect(page.locator("body")).to_contain_text("Recorded.")
    for n, against in ((2, False), (3, True), (4, True)):
        visitor.go(f"/monitoring/outputs/?q=walk-{n}")
        page.get_by_role("link", name=f"Walk: case {n} is settled").click()
        expect(page.locator("h1")).to_contain_text(f"Walk: case {n} is settled")
        again = page.get_by_role("button", name="Review this output")
        if again.count():
            again.click()
        page.get_by_role("heading", name="Your verdict").wait_for()
        if not against:
            page.keyboard.press("a")
        else:
            page.keyboard.press("d")
            page.locator("[name=disagree-reason_code]").select_option("wrong_outcome")
            page.locator("[name=disagree-reason]").fill("The limit of the contract was not applied.")
            page.keyboard.press("Control+Enter")
        expect(page.locator("body")).to_contain_text("Recorded.")
    visitor.go("/monitoring/review/")
    page.keyboard.press("u")
    expect(page.locator("h1")).to_contain_text("Walk: case 4 is settled")
    page.keyboard.press("d")
    page.get_by_role("button", name="Record that you disagree").click()
    expect(page.locator("main")).to_contain_text("Choose")
    page.locator("[name=disagree-reason_code]").select_option("incomplete")
    page.locator("[name=disagree-reason]").fill("The second letter was left out.")
    page.get_by_role("button", name="Record that you disagree").click()
    expect(page.locator("body")).to_contain_text("Recorded.")


def _the_version_has_failed(lead: Visitor, case: scout.Found) -> None:
    deadline = time.monotonic() + WITHIN
    _look_until(lead, f"/monitoring/use-cases/{case.key}/review/", "On record", deadline)
    expect(lead.page.locator("main")).to_contain_text("Above 20 %")
    lead.page.get_by_role("link", name=case.version, exact=True).first.click()
    expect(lead.page.locator("main")).to_contain_text("disagreement 50")
    _look_until(lead, f"/use-cases/{case.key}/", "At risk", deadline)


def _look_until(lead: Visitor, path: str, words: str, deadline: float) -> None:
    lead.go(path)
    while words not in lead.text():
        assert time.monotonic() < deadline, lead.text()
        lead.page.wait_for_timeout(500)
        lead.go(path)
