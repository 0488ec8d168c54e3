"""The frame: where it leads, what it marks, and how one template answers both the browser and HTMX."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails
from pytest_django import Settings

from kernel import context
from kernel.context import Nav
from kernel.htmx import render

URLCONF = "tests.kernel.frame_urls"
SOURCE = "{% load partials %}before {% partialdef part inline %}<p>{{ word }}</p>\n{% endpartialdef %} after\n"


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.ROOT_URLCONF = URLCONF


def request_to(view_name: str = "", *, namespace: str = "", **headers: str) -> HttpRequest:
    request = RequestFactory().get("/here/", headers=headers)
    request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]  # what the middleware does
    request.session = {}  # type: ignore[assignment]  # enough for the messages
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]  # what the middleware does
    request.resolver_match = SimpleNamespace(view_name=view_name, namespace=namespace)  # type: ignore[assignment]
    return request


def nav(request: HttpRequest) -> dict[str, bool]:
    entries: Any = context.shell(request)["nav"]
    return {entry.url_name: entry.active for entry in entries}


def test_entries_without_an_address_are_left_out() -> None:
    assert set(nav(request_to())) == {"portfolio:home", "portfolio:list", "portfolio:reports"}


def test_the_page_itself_is_marked() -> None:
    assert nav(request_to("portfolio:reports", namespace="portfolio")) == {
        "portfolio:home": False,
        "portfolio:list": False,
        "portfolio:reports": True,
    }


def test_a_page_further_in_marks_the_first_entry_of_its_app() -> None:
    marked = nav(request_to("portfolio:detail", namespace="portfolio"))
    assert [name for name, active in marked.items() if active] == ["portfolio:list"]


def test_a_page_of_no_app_marks_nothing() -> None:
    assert not any(nav(request_to("styleguide")).values())


def test_a_request_that_was_never_resolved_still_gets_a_frame() -> None:
    request = request_to()
    request.resolver_match = None
    assert not any(nav(request).values())


def test_an_address_that_does_not_exist_is_empty() -> None:
    assert context.address("nowhere:at_all") == ""


def test_every_entry_has_an_icon_and_a_name_of_its_own() -> None:
    entries: list[Nav] = [*context.RAIL, *context.NEW_MENU]
    assert len({entry.url_name for entry in entries}) == len(entries)
    assert all(entry.icon for entry in entries)


# -- One template, two answers -----------------------------------------------------------------------------------------


@pytest.fixture
def _page(settings: Settings) -> None:
    """A page of its own, so that the test does not depend on a page of the product."""
    memory = ("django.template.loaders.locmem.Loader", {"page.html": SOURCE})
    options = {"loaders": [("template_partials.loader.Loader", [memory])]}
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": options}]


def answer(**headers: str) -> HttpResponse:
    return render(request_to(**headers), "page.html", {"word": "hello"}, partial="part")


@pytest.mark.usefixtures("_page")
def test_a_browser_gets_the_page() -> None:
    assert answer().content == b"before <p>hello</p>\n after\n"


@pytest.mark.usefixtures("_page")
def test_htmx_gets_the_part() -> None:
    assert answer(HX_Request="true").content.strip() == b"<p>hello</p>"


@pytest.mark.usefixtures("_page")
@pytest.mark.parametrize("header", ["HX_Boosted", "HX_History_Restore_Request"])
def test_htmx_gets_the_page_where_it_replaces_the_page(header: str) -> None:
    assert answer(HX_Request="true", **{header: "true"}).content.startswith(b"before")


@pytest.mark.usefixtures("_page")
def test_caches_keep_the_two_answers_apart() -> None:
    assert "HX-Request" in answer()["Vary"]


@pytest.mark.usefixtures("_page")
def test_messages_travel_with_a_part() -> None:
    request = request_to(HX_Request="true")
    messages.success(request, "Überall gespeichert")
    response = render(request, "page.html", {"word": "x"}, partial="part")
    assert json.loads(response["HX-Trigger"]) == {
        "tollgate:toasts": {"toasts": [{"text": "Überall gespeichert", "tone": "success"}]}
    }


@pytest.mark.usefixtures("_page")
def test_messages_stay_for_the_page_when_there_is_no_part() -> None:
    request = request_to()
    messages.success(request, "Saved")
    response = render(request, "page.html", {"word": "x"}, partial="part")
    assert "HX-Trigger" not in response
    assert [str(message) for message in messages.get_messages(request)] == ["Saved"]


# -- When nothing else works -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 404, 409, 429, 500])
def test_error_pages_render_without_any_context(status: int) -> None:
    html = render_to_string(f"{status}.html")
    assert f">{status}<" in html
    assert "data-reason" in html


def test_an_error_page_says_what_the_error_says() -> None:
    html = render_to_string(
        "errors/error.html", {"status": 422, "message": "The file is empty.", "errors": {"file": ["Choose a file."]}}
    )
    assert "The file is empty." in html
    assert "<dt>file</dt><dd>Choose a file.</dd>" in html
