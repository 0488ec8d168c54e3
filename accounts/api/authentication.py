"""REST clients sign in with ``Authorization: Bearer tg_<prefix>_<secret>``: one query a request, one write a minute."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

import ledger
from accounts.keys import matches, prefix_of
from accounts.models import ApiToken, User

REALM = 'Bearer realm="Tollgate"'
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """``request.auth`` is the token; ``request.user.token_scopes`` limits what ``accounts.access`` lets it do.

    Unknown, expired, revoked and deactivated all get the same answer, so that nobody learns which prefixes exist.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = _token(key.strip())
        if token is None:
            raise AuthenticationFailed(_("This token is unknown, expired or revoked."))
        user = token.user
        user.token_scopes = frozenset(token.scopes)
        ledger.set_auth_method(f"token:{token.prefix}")
        _note_use(token)
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return REALM


def _token(key: str) -> ApiToken | None:
    prefix = prefix_of(key)
    if prefix is None:
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=prefix).first()
    if token is None or not matches(key, token.digest):
        return None
    return token if token.is_usable() and token.user.is_active else None


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    due = now - USE_IS_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at < due:
        not_noted = Q(last_used_at__isnull=True) | Q(last_used_at__lt=due)
        ApiToken.objects.filter(not_noted, pk=token.pk).update(last_used_at=now)


class TokenScheme(OpenApiAuthenticationExtension):
    """How the schema describes it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "tg_<prefix>_<secret>"}
