"""What the ledger cannot know: who may read it, and what accounts are called."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest

from accounts.access import NOWHERE, reach, scopes
from accounts.models import User
from ledger.access import EventScope

ACTION = "audit_log.view"
MANY = 200


def readable_events(request: HttpRequest) -> EventScope:
    """The events of the units and use cases on which the account may read the audit trail."""
    user = cast(User, request.user)
    far = reach(user, ACTION)
    if far == NOWHERE or far.everything:
        return EventScope(everything=far.everything)
    grants = cast(Any, scopes().use_case_grant)._default_manager.filter(
        user=user, permission__codename__in=far.permissions
    )
    use_cases = grants.values_list("content_object_id", flat=True).distinct()
    return EventScope(unit_paths=far.unit_paths, use_case_ids=tuple(str(pk) for pk in use_cases))


class Accounts:
    """Names of accounts, for ``ledger.lookups``."""

    def names(self, keys: Collection[str]) -> Mapping[str, str]:
        named = User.objects.filter(pk__in=[key for key in keys if _is_uuid(key)]).values_list(
            "pk", "full_name", "email"
        )
        return {str(pk): name or email for pk, name, email in named}

    def search(self, text: str) -> Collection[str]:
        found = User.objects.filter(Q(full_name__icontains=text) | Q(email__iexact=text)).order_by("pk")
        return [str(pk) for pk in found.values_list("pk", flat=True)[:MANY]]

    def url(self, key: str) -> str:
        return ""


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
