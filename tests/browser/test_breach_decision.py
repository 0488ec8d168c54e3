"""From a point that breaks an act rule to a decision, a request that goes out signed, its answer, and back in force."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, expect
from pytest_httpserver import HTTPServer

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

WITHIN = 180.0
BUNDLE = {"code": "git:8f2c11a", "data": "sha256:77aa", "environment": "sha256:01bc", "prompts": "none"}


def send(product: Product, token: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{product.address}{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.load(answer))


def test_from_a_breach_to_a_decision_to_its_answer_and_back_in_force(
    product: Product, enter: Enter, httpserver: HTTPServer
) -> None:
    case = scout.under_assurance(product)
    token = scout.token_of_the_pipeline(product, "monitor.ingest", "version.register")
    httpserver.expect_request("/training").respond_with_data("", status=202)
    secret = _set_up_the_receiver(enter(case.people["technical_lead"]), case.key, httpserver.url_for("/training"))

    began = datetime.now(UTC).replace(microsecond=0)
    broken = [{"time": began.isoformat(), "value": 7.5, "n": 900}]
    assert send(product, token, "/api/v1/points:batch", {"series": case.series, "points": broken})["stored"] == 1
    owner = enter(case.people["business_owner"])
    _decide(owner, case.key)
    owner.go(f"/use-cases/{case.key}/")
    expect(owner.page.locator(".page-header__title")).to_contain_text("At risk")

    asked = _received(httpserver, secret)
    assert (asked["type"], asked["data"]["use_case"]["key"]) == ("retrain.requested", case.key)
    answer = {"state": "done", "version": "walk-2", "message": "Trained on November.", "bundle": BUNDLE}
    path = f"/api/v1/retraining-requests/{asked['data']['request']}/answer/"
    assert send(product, token, path, {**answer, "significant": False})["state"] == "done"
    owner.go(f"/monitoring/retraining/{asked['data']['request']}/")
    for words in ("Trained on November.", "walk-2", "Evidence", "Delivered"):
        expect(owner.page.locator("body")).to_contain_text(words)

    now = datetime.now(UTC).replace(microsecond=0)
    well = [{"time": (now + timedelta(seconds=n)).isoformat(), "value": 0.4, "n": 900} for n in range(6)]
    send(product, token, "/api/v1/points:batch", {"series": case.series, "points": well})
    badge = owner.page.locator(".page-header__title")
    _look_until(owner, f"/use-cases/{case.key}/", badge, "In force")
    owner.go(f"/use-cases/{case.key}/business/")
    expect(owner.page.locator("main")).to_contain_text("A breach was decided")


def _set_up_the_receiver(lead: Visitor, key: str, url: str) -> str:
    """Name the receiver, keep the secret that is shown once, try it."""
    lead.go(f"/monitoring/use-cases/{key}/retraining/")
    lead.page.get_by_role("link", name="Add a receiver").click()
    lead.page.locator("[name=name]").fill("Training pipeline")
    lead.page.locator("[name=url]").fill(url)
    lead.page.get_by_role("button", name="Add the receiver").click()
    secret = lead.page.locator("#secret code").inner_text().strip()
    assert secret.startswith("whsec_")
    lead.page.get_by_role("button", name="Send a test message").click()
    expect(lead.page.locator("main")).to_contain_text("it answered 202")
    return secret


def _decide(owner: Visitor, key: str) -> None:
    """The breach waits on Home; its owner decides to retrain."""
    _look_until(owner, f"/gates/breaches/?q={key}&state=owed", owner.page.locator("#table"), key)
    address = owner.page.locator("#table tbody th a").first.get_attribute("href")
    owner.go("/")
    owner.page.locator(f'main a[href="{address}"]').first.click()
    expect(owner.page.locator("h1")).to_contain_text("Error rate")
    owner.page.get_by_role("link", name="Decide what is done").last.click()
    owner.page.get_by_label("Retrain:").check()
    owner.page.get_by_label("Why").fill("The supplier changed its layout; train on the new one.")
    owner.page.get_by_role("button", name="Put the decision on record").click()
    expect(owner.page.locator("main")).to_contain_text("Decided: Retrain")
    expect(owner.page.locator("main")).to_contain_text("Points it was decided on")


def _received(httpserver: HTTPServer, secret: str) -> dict[str, Any]:
    """The request as it arrived, once its signature has been checked."""
    deadline = time.monotonic() + WITHIN
    while True:
        for request, _answer in httpserver.log:
            body = request.get_data(as_text=True)
            if json.loads(body)["type"] != "tollgate.test":
                signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.{body}".encode()
                raw = base64.b64decode(secret.removeprefix("whsec_"))
                expected = base64.b64encode(hmac.new(raw, signed, hashlib.sha256).digest()).decode()
                assert request.headers["webhook-signature"] == f"v1,{expected}"
                return dict(json.loads(body))
        assert time.monotonic() < deadline, "no request arrived"
        time.sleep(0.5)


def _look_until(visitor: Visitor, path: str, place: Locator, words: str) -> None:
    deadline = time.monotonic() + WITHIN
    visitor.go(path)
    while words not in place.inner_text():
        assert time.monotonic() < deadline, place.inner_text()
        visitor.page.wait_for_timeout(1000)
        visitor.go(path)
