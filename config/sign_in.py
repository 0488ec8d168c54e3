"""Who may open an account: nobody by themselves, unless the installation says so. Who does is recorded like anybody."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest

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

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        parts = (data.get("first_name"), data.get("last_name"))
        user.full_name = (data.get("name") or " ".join(part for part in parts if part))[:200]
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        with unit_of_work(by=SYSTEM):
            saved: User = super().save_user(request, sociallogin, form)
            return record_arrival(user=saved)
