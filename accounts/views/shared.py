"""What the pages of this app have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest

from accounts.models import RoleAssignment, User
from accounts.selectors import visible_assignments, with_scope_names
from kernel.context import address


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def current_roles(people: Iterable[User], *, seen_by: User) -> dict[UUID, list[RoleAssignment]]:
    """user id -> the roles in force that ``seen_by`` may know of, in one query."""
    rows = visible_assignments(seen_by).filter(user__in=list(people), ended_at__isnull=True)
    found: dict[UUID, list[RoleAssignment]] = {}
    for row in with_scope_names(rows).order_by("role", "starts_at"):
        found.setdefault(row.user_id, []).append(row)
    return found


def scope_url(row: Any) -> str:
    """Where the unit or use case of an assignment is shown; empty when it cannot be."""
    if not row.scope_key:
        return ""
    if row.scope_kind == RoleAssignment.Scope.USE_CASE:
        return address("portfolio:list") and _use_case(row.scope_key)
    listed = address("portfolio:list")
    return f"{listed}?unit={row.scope_key}" if listed else ""


def _use_case(key: str) -> str:
    from django.urls import NoReverseMatch, reverse

    try:
        return reverse("portfolio:use_case", kwargs={"key": key})
    except NoReverseMatch:
        return ""
