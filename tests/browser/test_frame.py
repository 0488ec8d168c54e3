"""What holds on every page: it says that this is a demonstration, strangers sign in first, the API explains itself."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Enter

pytestmark = pytest.mark.browser

OVERSEER = "Nadia Rahman"


@pytest.mark.parametrize("place", ["/", "/portfolio/", "/gates/policies/"])
def test_a_page_says_that_this_is_a_demonstration(enter: Enter, place: str) -> None:
    visitor = enter(OVERSEER)
    visitor.go(place)
    assert "Demonstration" in visitor.page.locator("body").inner_text()


def test_a_stranger_is_asked_to_sign_in(enter: Enter) -> None:
    visitor = enter()
    visitor.go("/portfolio/")
    assert "/accounts/login/" in visitor.page.url


def test_the_documents_of_the_api_open_under_the_strict_policy(enter: Enter) -> None:
    visitor = enter(OVERSEER)
    visitor.go("/api/v1/docs/")
    visitor.page.locator('[data-path^="/api/v1/"]').first.wait_for()  # it draws what is in sight, no more
