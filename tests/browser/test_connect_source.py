"""A source is connected in the browser: chosen, filled in, tested, saved; and its points arrive by themselves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product

pytestmark = pytest.mark.browser
WITHIN = 90.0


class Gateway(BaseHTTPRequestHandler):
    """A system that gives a value for each of the last five minutes."""

    def do_GET(self) -> None:
        now = datetime.now(UTC).replace(microsecond=0, second=0)
        rows = [
            {"at": (now - timedelta(minutes=age)).isoformat(), "p95": 610.5 + age, "calls": 900} for age in range(1, 6)
        ]
        body = json.dumps({"points": rows}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def gateway() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/metrics"
    finally:
        server.shutdown()
        thread.join()


def test_a_source_is_tested_connected_and_pulled(product: Product, enter: Enter) -> None:
    case = scout.under_assurance(product)
    lead = enter(case.people["technical_lead"])
    page = lead.page
    with gateway() as address:
        lead.go(f"/monitoring/use-cases/{case.key}/sources/new/?connector=http_json")
        page.fill("[name=name]", "Gateway of the browser")
        page.select_option("[name=every_seconds]", "60")
        page.fill("[name=config-url]", address)
        page.fill("[name=config-items]", "nowhere[[")
        page.fill("[name=config-time]", "at")
        page.fill("[name=config-value]", "p95")
        page.fill("[name=config-metric]", "gateway_latency")
        page.fill("[name=config-n]", "calls")
        page.get_by_role("button", name="Test: show the first points").click()
        expect(page.locator("#inline-form")).to_contain_text("not JMESPath")

        page.fill("[name=config-items]", "points")
        page.get_by_role("button", name="Test: show the first points").click()
        expect(page.locator("#preview")).to_contain_text("611.5")
        expect(page.locator("#preview")).to_contain_text("Nothing was stored")

        page.locator("#inline-form form button[type=submit]").first.click()
        page.wait_for_url("**/monitoring/sources/*/")
        deadline = time.monotonic() + WITHIN
        while "611.5" not in lead.text():
            assert time.monotonic() < deadline, lead.text()
            page.wait_for_timeout(1000)
            page.reload()
        expect(page.locator("main")).to_contain_text("Working")
        lead.go("/monitoring/sources/?q=Gateway+of+the+browser")
        expect(page.locator("#table")).to_contain_text("closed")
