"""What the frame of every page offers somebody: entries that their roles make no use of are left out."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest

from accounts.access import is_barred, scopes, unit_grants
from accounts.models import User
from accounts.roles import catalogue

NEEDS = {
    "ledger:events": "audit_log.view",
    "portfolio:create": "use_case.create",
    "portfolio:import_start": "discovery.import",
}
"""Address name of an entry -> the action that has to be allowed somewhere."""


def is_offered(request: HttpRequest, url_name: str) -> bool:
    """Whether an entry leads anywhere for the person of this request; whoever is not signed in is asked to first."""
    user: Any = getattr(request, "user", None)
    action = NEEDS.get(url_name)
    if action is None or user is None or not user.is_authenticated:
        return True
    return action in actions_anywhere(cast(User, user))


def actions_anywhere(user: User) -> frozenset[str]:
    """Every action that somebody may do on some unit or use case: one query, once for each user object."""
    known: frozenset[str] | None = getattr(user, "_actions_anywhere", None)
    if known is None:
        grants = cast(Any, scopes().use_case_grant)._default_manager.filter(user=user)
        held = {codename for codename, _path in unit_grants(user)}
        held |= set(grants.values_list("permission__codename", flat=True).distinct())
        roles = {key for key, role in catalogue().roles.items() if role.permission in held}
        actions = catalogue().actions.items()
        known = frozenset(key for key, action in actions if roles & set(action.allow) and not is_barred(user, key))
        user._actions_anywhere = known  # type: ignore[attr-defined]  # per-object cache, dies with the request
    return known
