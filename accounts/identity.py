"""Confirming who one is at the organisation's identity provider (OpenID Connect Core 1.0).

Whoever confirms there is sent with ``prompt=login`` and ``max_age=0``: the provider is to ask again although its own
session may still be open. What comes back counts only if it is about the same person, answers this very question
(nonce) and says when the person was asked (``auth_time``, which section 2 requires of a provider given ``max_age``).
Anything else changes nothing: the person stays signed in as before and reads why it was not accepted.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, cast

import structlog
from allauth.account.internal.flows.login import record_authentication
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from requests import RequestException

from accounts.freshness import ASKED_AT, FRESH_SECONDS, PROVIDER

CONFIRMS = "confirms"
CLOCKS_DIFFER = 60
"""Seconds that the provider's clock may be ahead of ours."""
UNANSWERED = (RequestException, OAuth2Error, LookupError, TypeError, ValueError)
"""What allauth raises where a provider does not answer, or answers with something that OpenID Connect does not know."""

log = structlog.get_logger(__name__)


def ask_again(request: HttpRequest, *, provider: str, after: str) -> HttpResponse:
    """Off to the provider, to come back to ``after``; straight to ``after`` with the reason if there is no way."""
    nonce = secrets.token_urlsafe(24)
    try:
        found = get_adapter().get_provider(request, provider)
        return cast(
            HttpResponse,
            found.redirect(
                request,
                process="login",
                next_url=after,
                data={CONFIRMS: str(request.user.pk), "nonce": nonce},
                auth_params={**found.get_auth_params(), "prompt": "login", "max_age": "0", "nonce": nonce},
            ),
        )
    except SocialApp.DoesNotExist:
        why = _("The identity provider that you came by is not set up any more. Confirm in another way.")
    except UNANSWERED as error:
        log.warning("identity_provider_failed", provider=provider, error=repr(error)[:500])
        why = _("Your identity provider does not answer, so nothing is confirmed. Try again in a moment.")
    messages.error(request, why)
    return redirect(after)


def is_confirming(state: Any) -> bool:
    """Whether a round trip, by what was stashed for it, began as a confirmation."""
    return isinstance(state, dict) and CONFIRMS in (state.get("data") or {})


def come_back(request: HttpRequest, sociallogin: Any) -> HttpResponse:
    """The provider vouched for somebody: note it, or say why it confirms nothing. Never changes who is signed in."""
    why_not = _why_not(request, sociallogin)
    if why_not:
        messages.error(request, why_not)
    else:
        note(request, sociallogin)
        messages.success(request, _("You confirmed that it is you. Press the button once more to go on."))
    return redirect(sociallogin.state.get("next") or "/")


def refuse(request: HttpRequest, state: dict[str, Any], *, code: str, cancelled: bool) -> HttpResponse:
    """The provider answered a confirmation with an error; ``code`` is its own word for it."""
    if cancelled:
        why = _("The sign-in at your identity provider was cancelled, so nothing is confirmed.")
    elif code:
        why = _("Your identity provider refused (%(code)s), so nothing is confirmed.") % {"code": code[:60]}
    else:
        why = _("Your identity provider gave no usable answer, so nothing is confirmed. Try again in a moment.")
    messages.error(request, why)
    return redirect(state.get("next") or "/")


def note(request: HttpRequest, sociallogin: Any) -> None:
    """Note in the session when the provider asked the person, if it says so and that was just now."""
    asked_at = _asked_at(sociallogin)
    if asked_at is None or _is_old(asked_at):
        return
    account = sociallogin.account
    record_authentication(
        request,
        request.user,
        PROVIDER,
        provider=account.provider,
        uid=account.uid,
        reauthenticated=True,
        # The five minutes run from when the person was asked, on our clock at the latest.
        at=min(asked_at, time.time()),
        **{ASKED_AT: asked_at},
    )


def subjects_agree(sociallogin: Any) -> bool:
    """Whether ID token and userinfo are about the same person (OpenID Connect Core 1.0, section 5.3.2)."""
    said = sociallogin.account.extra_data or {}
    subjects = {part["sub"] for part in (said.get("id_token"), said.get("userinfo")) if part and "sub" in part}
    return len(subjects) <= 1


def _why_not(request: HttpRequest, sociallogin: Any) -> str:
    asked = sociallogin.state["data"]
    person = request.user
    if str(person.pk) != asked[CONFIRMS]:
        return _("Somebody else is signed in here by now, so nothing is confirmed.")
    if not (sociallogin.is_existing and sociallogin.user == person):
        return _(
            "Your identity provider signed in somebody else than %(name)s, so nothing is confirmed. "
            "Sign in there with the account that you came by."
        ) % {"name": person}
    if _claims(sociallogin).get("nonce") != asked["nonce"]:
        return _("The answer of your identity provider belongs to another request, so nothing is confirmed. Try again.")
    asked_at = _asked_at(sociallogin)
    if asked_at is None:
        return _(
            "Your identity provider does not say when it asked you (auth_time), so nothing is confirmed. Confirm in "
            "another way, and tell your administrator."
        )
    if _is_old(asked_at):
        return _("Your identity provider did not ask you again, so nothing is confirmed.")
    return ""


def _claims(sociallogin: Any) -> dict[str, Any]:
    """What the ID token says; userinfo says nothing of when and why somebody was asked."""
    found = (sociallogin.account.extra_data or {}).get("id_token")
    return found if isinstance(found, dict) else {}


def _asked_at(sociallogin: Any) -> float | None:
    found = _claims(sociallogin).get(ASKED_AT)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _is_old(asked_at: float) -> bool:
    return not -CLOCKS_DIFFER <= time.time() - asked_at < FRESH_SECONDS
