"""Who may open an account: nobody by themselves, unless the installation says so. Who does is recorded like anybody."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.demo import is_demo_person
from accounts.freshness import PROVIDER, fresh_proof, ways_to_confirm
from accounts.identity import come_back, is_confirming, note, refuse, subjects_agree
from accounts.models import User
from accounts.services import record_arrival
from ledger import SYSTEM, unit_of_work


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.TOLLGATE_SIGNUP_OPEN)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """What gives somebody a new way in (passkey, password, address, connected account) binds them like a signature.

        allauth asks nobody who has neither password nor second factor. Here such a person goes back to the identity
        provider: else whoever finds the session open could add a key of their own and sign with it.
        """
        request = context.request
        if fresh_proof(request) is not None or (settings.TOLLGATE_DEMO and is_demo_person(request.user)):
            return False
        if not self.get_reauthentication_methods(request.user):
            raise PermissionDenied(
                _("There is nothing that you could confirm this with: set a password by “Forgot your password?” first.")
            )
        raise ReauthenticationRequired

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if user.is_authenticated and ways_to_confirm(user).provider:
            where = reverse("accounts:confirm_at_provider")
            methods.append({"id": PROVIDER, "description": _("Confirm at your organisation's sign-in"), "url": where})
        return methods

    def post_login(self, request: HttpRequest, user: User, *, signal_kwargs: Any, **kwargs: Any) -> HttpResponse:
        if sociallogin := (signal_kwargs or {}).get("sociallogin"):
            note(request, sociallogin)
        return cast(HttpResponse, super().post_login(request, user, signal_kwargs=signal_kwargs, **kwargs))

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        with unit_of_work(by=SYSTEM):
            saved: User = super().save_user(request, user, form, commit=commit)
            return record_arrival(user=saved) if commit else saved


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """The organisation's own identity provider vouches for its people."""
        return bool(settings.SOCIALACCOUNT_PROVIDERS)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """A round trip that began as a confirmation ends as one: whoever the provider names, the session stays."""
        if is_confirming(sociallogin.state) and subjects_agree(sociallogin):
            raise ImmediateHttpResponse(come_back(request, sociallogin))
        if not subjects_agree(sociallogin):
            raise PermissionDenied

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        state = (extra_context or {}).get("state")
        if state is not None and is_confirming(state):
            code = request.GET.get("error", "")
            cancelled = error == AuthError.CANCELLED
            raise ImmediateHttpResponse(refuse(request, state, code=code, cancelled=cancelled))

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        parts = (data.get("first_name"), data.get("last_name"))
        user.full_name = (data.get("name") or " ".join(part for part in parts if part))[:200]
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        with unit_of_work(by=SYSTEM):
            saved: User = super().save_user(request, sociallogin, form)
            return record_arrival(user=saved)
