"""Somebody at a browser: signs in with one click, goes about, and hears what the browser complains of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, ViewportSize

DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@dataclass
class Visitor:
    """One browser window of one person."""

    address: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        refused = "the server responded with a status of 4"
        if message.type in {"error", "warning"} and refused not in message.text:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def go(self, path: str) -> Response:
        answer = self.page.goto(f"{self.address}{path}")
        assert answer is not None
        return answer

    def be(self, name: str) -> None:
        """Sign in with the one click of the demonstration."""
        self.go("/accounts/demo/")
        button = self.page.locator("form").filter(has_text=name).get_by_role("button", include_hidden=True).first
        folded = self.page.locator("details:not([open])").filter(has=button)
        if folded.count():
            folded.locator("summary").click()
        button.click()
        self.page.wait_for_url(f"{self.address}/")

    def prove(self) -> None:
        """Confirm who one is where the form asks: one click into the demonstration is no password."""
        password = self.page.locator("[name=password]")
        if password.count():
            password.fill("demo")

    def text(self) -> str:
        return self.page.locator("main").inner_text()

    def close(self) -> None:
        self.context.close()


def visit(browser: Browser, address: str, *, viewport: Any = None, **options: Any) -> Visitor:
    context = browser.new_context(viewport=viewport or DESK, accept_downloads=True, **options)
    context.set_default_timeout(15_000)
    visitor = Visitor(address, context, context.new_page())
    visitor.page.on("console", visitor.hear)
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(f"{visitor.page.url}: {error}"))
    return visitor
