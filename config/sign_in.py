"""Who may open an account: nobody by themselves, unless the installation says so. Who does is recorded like anybody."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.freshness import FRESH_SECONDS
from accounts.models import User
from accounts.services import record_arrival
from ledger import SYSTEM, unit_of_work


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.TOLLGATE_SIGNUP_OPEN)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        with unit_of_work(by=SYSTEM):
            saved: User = super().save_user(request, user, form, commit=commit)
            return record_arrival(user=saved) if commit else saved


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """The organisation's own identity provider vouches for its people."""
        return bool(settings.SOCIALACCOUNT_PROVIDERS)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Somebody who is signed in and comes back from the same identity confirms who they are: the session stays.

        Without this they would be signed out and in again, and what they had filled in would be gone. A provider that
        says when it last asked (``auth_time``) is believed; one that asked too long ago has confirmed nothing.
        """
        known = request.user.is_authenticated and sociallogin.is_existing and sociallogin.user == request.user
        if not known or sociallogin.state.get("process") not in (None, "login"):
            return
        account = sociallogin.account
        claims = (account.extra_data or {}).get("id_token", account.extra_data or {})
        asked_at = claims.get("auth_time") if isinstance(claims, dict) else None
        if asked_at is not None and time.time() - float(asked_at) > FRESH_SECONDS:
            messages.error(request, _("Your identity provider did not ask you again, so nothing is confirmed yet."))
        else:
            record_authentication(
                request,
                request.user,
                "socialaccount",
                provider=account.provider,
                uid=account.uid,
                reauthenticated=True,
            )
        raise ImmediateHttpResponse(redirect(sociallogin.get_redirect_url(request) or settings.LOGIN_REDIRECT_URL))

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        parts = (data.get("first_name"), data.get("last_name"))
        user.full_name = (data.get("name") or " ".join(part for part in parts if part))[:200]
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        with unit_of_work(by=SYSTEM):
            saved: User = super().save_user(request, sociallogin, form)
            return record_arrival(user=saved)
