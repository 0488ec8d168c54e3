"""Which roles somebody holds on a use case, asked once a request however many buttons a page has."""

from __future__ import annotations

from uuid import UUID

from accounts.access import roles_on
from accounts.models import User
from portfolio.models import UseCase


def held(user: User, use_case: UseCase) -> set[str]:
    """Role keys, kept on the user object, which lives as long as the request."""
    known: dict[UUID, set[str]] = user.__dict__.setdefault("_roles_by_use_case", {})
    if use_case.pk not in known:
        known[use_case.pk] = roles_on(user, use_case)
    return known[use_case.pk]
