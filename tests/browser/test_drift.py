"""A metric that arrives over REST and breaks a rule puts a passed gate at risk, and nobody presses anything."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

WITHIN = 60.0


def push(product: Product, token: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{product.address}/api/v1/points:batch",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.load(answer))


def test_a_breach_over_rest_turns_the_assurance_within_a_minute(product: Product, enter: Enter) -> None:
    case = scout.under_assurance(product)
    token = scout.token_of_the_pipeline(product)
    lead = enter(case.people["technical_lead"])
    page = lead.page
    lead.go(f"/use-cases/{case.key}/")
    badge = page.locator(".page-header__title")
    expect(badge).to_contain_text("In force")

    now = datetime.now(UTC).replace(microsecond=0)
    points = [{"time": now.isoformat(), "value": 7.5, "n": 900}]
    answer = push(product, token, {"series": case.series, "points": points})
    assert answer["stored"] == 1
    deadline = time.monotonic() + WITHIN
    _look_until(lead, f"/use-cases/{case.key}/", badge, "At risk", deadline)
    expect(page.locator("main")).to_contain_text("Error rate")
    _look_until(lead, "/monitoring/alerts/", page.locator("#table"), case.name, deadline)

    lead.go("/notices/")
    expect(page.locator("main")).to_contain_text(f"{case.key} {case.name}: at risk")


def _look_until(lead: Visitor, path: str, place: Locator, words: str, deadline: float) -> None:
    lead.go(path)
    while words not in place.inner_text():
        assert time.monotonic() < deadline, place.inner_text()
        lead.page.wait_for_timeout(500)
        lead.go(path)
