"""One template, two answers: the whole page, or only the named partial that HTMX asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_page
from django.utils.cache import patch_vary_headers
from django_htmx.http import trigger_client_event
from django_htmx.middleware import HtmxDetails


def render(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    partial: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Renders `template`; for an HTMX request only its `{% partialdef <partial> %}`.

    Boosted links and history restores get the whole page. Messages waiting for the person travel with a partial as an
    event, because the region that shows them lies outside what is swapped.
    """
    wants_partial = partial is not None and asks_for_partial(request)
    name = f"{template}#{partial}" if wants_partial else template
    response = render_page(request, name, dict(context or {}), status=status)
    if partial is not None:
        patch_vary_headers(response, ("HX-Request",))
    if wants_partial:
        _send_messages(request, response)
    return response


def asks_for_partial(request: HttpRequest) -> bool:
    """Whether HTMX will swap the answer into a page that is already there."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)  # absent where the middleware did not run
    return htmx is not None and bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def _send_messages(request: HttpRequest, response: HttpResponse) -> None:
    toasts = [{"text": str(message), "tone": message.level_tag} for message in get_messages(request)]
    if toasts:
        trigger_client_event(response, "tollgate:toasts", {"toasts": toasts})
