"""The style guide in a real browser: accessible, as wide as the screen, within the content security policy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
SIZES = {"phone": (390, 844), "desk": (1440, 900)}

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in this thread
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def address(live_server: LiveServer, settings: Settings) -> str:
    settings.ROOT_URLCONF = "tests.kernel.styleguide_urls"
    return f"{live_server.url}/styleguide/"


def opened(browser: Browser, address: str, width: int = 1440, height: int = 900, **options: Any) -> Page:
    page = browser.new_context(viewport={"width": width, "height": height}, **options).new_page()
    page.goto(address)
    page.wait_for_selector("canvas")
    return page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_component_is_accessible(browser: Browser, address: str, theme: Any, size: str) -> None:
    page = opened(browser, address, *SIZES[size], color_scheme=theme, bypass_csp=True)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440, 3840])
def test_no_page_is_wider_than_its_screen(browser: Browser, address: str, width: int) -> None:
    page = opened(browser, address, width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_nothing_breaks_the_content_security_policy(browser: Browser, address: str) -> None:
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page = browser.new_page()
    page.on("console", hear)
    page.goto(address)
    page.wait_for_selector("canvas")
    page.hover("canvas")  # tooltips of charts are made of inline styles unless one knows better
    page.click("#table-sort-days")
    page.wait_for_selector("#table th[aria-sort=descending]")
    assert complaints == []


def test_the_palette_goes_where_one_types(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    page.keyboard.press("Control+k")
    page.keyboard.type("set")
    assert page.locator("#palette [aria-selected=true]").inner_text() == "Settings"
    page.keyboard.press("Escape")
    assert not page.locator("#palette").is_visible()


def test_a_slash_goes_to_the_search_but_not_while_typing(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("a/b")
    assert page.input_value("#search") == "a/b"


def test_the_chosen_theme_is_there_before_the_first_paint(browser: Browser, address: str) -> None:
    page = opened(browser, address, color_scheme="light")
    page.click("summary:has-text('Your menu')")
    page.click("[data-theme-choice=dark]")
    page.reload(wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_rows_can_be_walked_and_ticked_by_keyboard(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    for key in ("j", "j", "x"):
        page.keyboard.press(key)
    assert page.locator("#table tbody tr:nth-child(2) input").is_checked()
    assert page.locator("[data-bulk-count]").inner_text() == "1"


def test_sorting_swaps_the_table_and_keeps_the_focus(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    page.click("#table-sort-days")
    page.wait_for_selector("#table th[aria-sort=descending]")
    assert page.url.endswith("?sort=-days")
    assert page.evaluate("document.activeElement.id") == "table-sort-days"


def test_without_scripts_the_page_is_all_there(browser: Browser, address: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(address)
    page.click("summary:has-text('Columns')")
    assert page.get_by_role("checkbox", name="Sponsor").is_visible()
    page.click("button:has-text('Apply filters')")
    assert "stage=" in page.url
