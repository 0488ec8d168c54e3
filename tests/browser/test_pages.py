"""Every main page on a desk and on a phone, by day and by night: as wide as the screen, silent, and accessible."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types

from tests.browser import scout
from tests.browser.conftest import Enter
from tests.browser.product import Product
from tests.browser.visitor import DESK, PHONE, Visitor

pytestmark = pytest.mark.browser

READER = "Ruth Okafor"
DRAWN = ("series", "dashboard", "tab monitoring", "tab kpis", "timeline")
"""Pages that fetch what they draw."""
THEMES: tuple[Any, ...] = ("light", "dark")


@pytest.fixture(scope="session")
def pages(product: Product) -> dict[str, str]:
    """Name -> address of one page of each kind, all of them open to somebody in risk and compliance."""
    one = scout.one_of_each(product)
    use_case = f"/use-cases/{one['use_case']}/"
    tabs = ("gate", "evidence", "documents", "kpis", "readiness", "models", "validation", "monitoring", "risk")
    more_tabs = ("controls", "roadmap", "people", "history")
    return {
        "home": "/",
        "portfolio": "/portfolio/",
        "board": "/portfolio/board/",
        "timeline": "/portfolio/timeline/",
        "use case": use_case,
        **{f"tab {tab}": f"{use_case}{tab}/" for tab in (*tabs, *more_tabs)},
        "reviews": "/gates/",
        "review": f"/gates/reviews/{one['review']}/",
        "sign": f"/gates/reviews/{one['review']}/sign/",
        "policies": "/gates/policies/",
        "policy": "/gates/policies/default/",
        "monitoring": "/monitoring/",
        "series": f"/monitoring/series/{one['series']}/",
        "alerts": "/monitoring/alerts/",
        "dashboards": "/monitoring/dashboards/",
        "dashboard": f"/monitoring/dashboards/ready/use_case/{one['use_case']}/",
        "governance": "/governance/",
        "evidence": "/governance/evidence/",
        "ledger": "/ledger/",
        "event": f"/ledger/{one['event']}/",
        "people": "/people/",
        "notices": "/notices/",
        "reports": "/reports/",
        "executive": "/gates/executive/",
        "settings": "/settings/",
    }


JUDGED = ("home", "portfolio", "use case", "tab gate", "review", "sign", "ledger", "policy", "alerts")


def test_no_page_is_wider_than_the_screen_or_complains(enter: Enter, pages: dict[str, str]) -> None:
    """Each is loaded once and then looked at in both sizes and both themes."""
    reader: Visitor = enter(READER)
    page = reader.page
    wide = []
    for name, address in pages.items():
        answer = reader.go(address)
        assert answer.status == 200, (name, answer.status)
        if name in DRAWN:
            page.wait_for_load_state("networkidle")
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            for screen in (PHONE, DESK):
                page.set_viewport_size(screen)
                width = page.evaluate("document.documentElement.scrollWidth")
                if width > screen["width"]:
                    wide.append((name, theme, width))
    assert wide == []


def test_a_phone_gets_the_same_pages_from_the_start(enter: Enter, pages: dict[str, str]) -> None:
    reader = enter(READER, viewport=PHONE, color_scheme="dark")
    for name in JUDGED:
        assert reader.go(pages[name]).status == 200
        assert reader.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], name


def test_the_pages_that_carry_the_product_are_accessible(enter: Enter, pages: dict[str, str]) -> None:
    reader = enter(READER, bypass_csp=True, reduced_motion="reduce")
    found: list[tuple[str, str, list[str]]] = []
    for name in JUDGED:
        for theme in THEMES:
            reader.page.emulate_media(color_scheme=theme)
            reader.go(pages[name])  # anew: colours that are on their way from one theme to the other are neither
            found += [(f"{name}, {theme}", *violation) for violation in _serious(reader)]
    assert found == []


def _serious(reader: Visitor) -> list[tuple[str, list[str]]]:
    violations = Axe().run(reader.page).response["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"][:3]])
        for each in violations
        if each["impact"] in {"serious", "critical"}
    ]
