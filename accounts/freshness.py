"""Fresh authentication: what binds a person needs the password or a second factor, entered within five minutes.

A session that somebody left open on a shared machine may read; it may not sign (21 CFR 11.200 asks for the same). Every
authentication is noted in the session by allauth, the first one as well as each confirmation, and nothing else counts:
not the session's age, not a cookie, not a token. Coming in from an identity provider counts from when the provider says
that it asked the person (`accounts.identity`): its own session may have been open since the morning.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.demo import DEMO_PASSWORD, is_demo_person
from accounts.models import User
from kernel.errors import DomainError

FRESH_SECONDS = 300
DEMONSTRATION = "demonstration"
PROVIDER = "socialaccount"
ASKED_AT = "auth_time"
"""In the record of a sign-in at an identity provider: when it asked, seconds since 1970. Without it, nobody knows."""
PROVING = frozenset({"password", "mfa", PROVIDER, DEMONSTRATION})
"""Kinds of record that prove who it is; a link from an e-mail, such as for a new password, does not."""


class ReauthenticationRequired(DomainError):
    """Who is signed in has to prove it once more. Over REST: 403 with the code ``reauthentication_required``."""

    status = 403
    code = "reauthentication_required"

    def __init__(self) -> None:
        super().__init__(
            _("Confirm that it is you: your password or second factor was last entered more than five minutes ago."),
            hint=_(
                "In the browser, enter it on the form. Over REST, send it to /api/v1/me/confirm/ in the same session, "
                "then repeat the request."
            ),
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """How and when (seconds since 1970) a person last proved who they are."""

    method: str
    """password, totp, webauthn, recovery_codes, sso:<provider>, or demonstration."""
    at: float


@dataclass(frozen=True, slots=True)
class Ways:
    """How one person can confirm: in a form at once (password, code), or elsewhere (passkey, identity provider)."""

    password: bool
    app: bool
    """Codes of an authenticator app."""
    recovery: bool
    """Recovery codes, which everybody has who has an app or a passkey."""
    passkey: bool
    provider: str
    """Identifier of the identity provider; empty without one."""
    demonstration: bool = False

    @property
    def code(self) -> bool:
        return self.app or self.recovery

    @property
    def in_form(self) -> bool:
        return self.password or self.code

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """``passkey`` and ``provider``, as far as the person has them, the nearer one first."""
        return tuple(way for way in ("passkey", "provider") if getattr(self, way))


def fresh_proof(request: Any) -> Proof | None:
    """The newest proof of this session, if it is fresh. ``request`` is Django's or REST framework's."""
    user = request.user
    if not user.is_authenticated or getattr(user, "token_scopes", None) is not None:
        return None
    records = [r for r in get_authentication_records(request, user) if _proves(r)]
    if not records:
        return None
    newest = max(records, key=lambda record: float(record["at"]))
    age = time.time() - float(newest["at"])
    return Proof(_method(newest), float(newest["at"])) if 0 <= age < FRESH_SECONDS else None


def require_fresh(request: Any) -> Proof:
    """Raise ``ReauthenticationRequired`` unless the person proved who they are within the last five minutes."""
    proof = fresh_proof(request)
    if proof is None:
        raise ReauthenticationRequired
    return proof


def ways_to_confirm(user: User) -> Ways:
    """Two queries."""
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    account = SocialAccount.objects.filter(user=user).order_by("-last_login").first()
    demonstration = settings.TOLLGATE_DEMO and is_demo_person(user)
    return Ways(
        password=user.has_usable_password() or demonstration,
        app=Authenticator.Type.TOTP in kinds,
        recovery=Authenticator.Type.RECOVERY_CODES in kinds,
        passkey=Authenticator.Type.WEBAUTHN in kinds,
        provider=account.provider if account is not None else "",
        demonstration=demonstration and not user.has_usable_password(),
    )


def confirm_password(request: HttpRequest, user: User, password: str) -> bool:
    """Note a fresh proof if the password is right. Demonstration people have the one that the form names."""
    if user.has_usable_password():
        right, method = user.check_password(password), "password"
    else:
        right = settings.TOLLGATE_DEMO and is_demo_person(user) and password == DEMO_PASSWORD
        method = DEMONSTRATION
    if right:
        record_authentication(request, user, method, reauthenticated=True)
    return right


def _proves(record: dict[str, Any]) -> bool:
    kind = record.get("method")
    return kind in PROVING and (kind != PROVIDER or ASKED_AT in record)


def _method(record: dict[str, Any]) -> str:
    kind = str(record["method"])
    if kind == "mfa":
        return str(record.get("type") or kind)
    if kind == PROVIDER:
        return f"sso:{record.get('provider', '')}"[:40]
    return kind
