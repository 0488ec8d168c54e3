"""The round trip to the identity provider: allauth's own views, with an answer for a provider that has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import structlog
from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.freshness import ways_to_confirm
from accounts.identity import UNANSWERED, ask_again
from accounts.views.shared import user_of
from kernel.htmx import render

log = structlog.get_logger(__name__)


@login_not_required  # type: ignore[untyped-decorator]
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Off to the provider to sign in."""
    return _answered(openid_connect.login, request, provider_id)


@login_not_required  # type: ignore[untyped-decorator]
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from the provider."""
    return _answered(openid_connect.callback, request, provider_id)


@login_required
@never_cache
@require_GET
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm at the provider that one came by, and go on to ``next``."""
    asked = request.GET.get("next", "")
    after = asked if url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure()) else "/settings/"
    ways = ways_to_confirm(user_of(request))
    return ask_again(request, provider=ways.provider, after=after) if ways.provider else redirect(after)


def _answered(view: Callable[..., Any], request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        return cast(HttpResponse, view(request, provider_id))
    except UNANSWERED as error:
        log.warning("identity_provider_failed", provider=provider_id, error=repr(error)[:500])
        why = _("The identity provider does not answer as it should. Try again in a moment, or sign in another way.")
        return render(request, "socialaccount/authentication_error.html", {"why": why}, status=502)
