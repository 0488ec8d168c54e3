"""Who holds which role where: read in four queries at most, however many use cases there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from accounts.access import scopes
from accounts.models import RoleAssignment, User
from accounts.roles import catalogue, role_name

_OWN = [key for key, role in catalogue().roles.items() if role.default_scope == "own"]
_COLUMNS = ("user_id", "role", "starts_at", "scope_id", "pk")
MANY = 5000  # beyond this, naming every use case in the query costs more than reading all assignments


@dataclass(frozen=True, slots=True)
class Held:
    """A role that an active account holds on a use case."""

    user: User
    role: str
    since: datetime
    inherited_from: str = ""
    """Name of the unit it is held on; empty when it is held on the use case itself."""
    assignment_id: UUID | None = None

    @property
    def role_name(self) -> str:
        return role_name(self.role)


def people_on(use_case_ids: Iterable[UUID]) -> dict[UUID, list[Held]]:
    """use case id -> the roles held on it, its own first, then those of its units from the nearest to the root.

    Four queries. Every id has an entry, empty when nobody is there. Left out: accounts that are not active, and those
    who as end users of a whole unit have to do with what they created alone.
    """
    wanted = list(use_case_ids)
    paths = _unit_paths(wanted)
    direct, by_unit = _assignments(paths)
    inherited: dict[str, list[Held]] = {}
    found: dict[UUID, list[Held]] = {}
    for use_case in wanted:
        path = paths.get(use_case, "")
        if path not in inherited:
            inherited[path] = [held for above in ancestors(path) for held in by_unit.get(above, [])]
        found[use_case] = direct.get(use_case, []) + inherited[path]
    return found


def holders(*, role: str, use_case: Any) -> list[User]:
    """Active accounts that hold a role on a use case, directly or through its units, by name. One query."""
    return list(_holders(role, use_case).order_by("full_name", "email"))


def ancestors(path: str) -> list[str]:
    """The path itself and every path above it, nearest first: "/retail/cards/", "/retail/", "/"."""
    if not path:
        return []
    parts = path.strip("/").split("/") if path != "/" else []
    return [f"/{'/'.join(parts[:n])}/" for n in range(len(parts), 0, -1)] + ["/"]


def current(**filters: Any) -> QuerySet[RoleAssignment]:
    """Assignments in force of active accounts."""
    return RoleAssignment.objects.filter(ended_at__isnull=True, user__is_active=True, **filters)


def _holders(role: str, use_case: Any) -> QuerySet[User]:
    units: Any = scopes().unit._default_manager
    above = units.filter(path__in=ancestors(use_case.unit.path)).values("pk")
    place = Q(scope_kind=RoleAssignment.Scope.USE_CASE, scope_id=use_case.pk)
    place |= Q(scope_kind=RoleAssignment.Scope.UNIT, scope_id__in=above)
    return User.objects.filter(pk__in=current(role=role).filter(place).values("user_id"))


def _unit_paths(use_cases: list[UUID]) -> dict[UUID, str]:
    rows: Any = scopes().use_case._default_manager.all()
    if len(use_cases) <= MANY:
        rows = rows.filter(pk__in=use_cases)
    return dict(rows.order_by().values_list("pk", "unit__path"))


def _assignments(paths: dict[UUID, str]) -> tuple[dict[UUID, list[Held]], dict[str, list[Held]]]:
    """(by use case, by unit path) of everything in force that concerns these use cases.

    Direct and inherited are asked separately: one question with an "or" would have the database read every assignment
    there is. Accounts are read once each, because one person may hold a role on thousands of use cases.
    """
    direct_rows = list(_direct(list(paths)).values_list(*_COLUMNS))
    above = {step for path in set(paths.values()) for step in ancestors(path)}
    unit_rows = list(_of_units(above).values_list(*_COLUMNS, "unit_path", "unit_name"))
    users = _users({row[0] for row in direct_rows} | {row[0] for row in unit_rows})
    direct: dict[UUID, list[Held]] = {}
    for user, role, since, scope, key in direct_rows:
        direct.setdefault(scope, []).append(Held(users[user], role, since, "", key))
    by_unit: dict[str, list[Held]] = {}
    for user, role, since, _scope, key, path, name in unit_rows:
        by_unit.setdefault(path, []).append(Held(users[user], role, since, name, key))
    return direct, by_unit


def _direct(use_cases: list[UUID]) -> QuerySet[RoleAssignment]:
    rows = current(scope_kind=RoleAssignment.Scope.USE_CASE).order_by("role", "starts_at", "pk")
    return rows.filter(scope_id__in=use_cases) if len(use_cases) <= MANY else rows


def _of_units(paths: set[str]) -> QuerySet[RoleAssignment]:
    units: Any = scopes().unit._default_manager
    unit = units.filter(pk=OuterRef("scope_id"))
    rows = current(scope_kind=RoleAssignment.Scope.UNIT, scope_id__in=units.filter(path__in=paths).values("pk"))
    named = rows.annotate(unit_path=Subquery(unit.values("path")[:1]), unit_name=Subquery(unit.values("name")[:1]))
    return named.exclude(role__in=_OWN).order_by("role", "starts_at", "pk")


def _users(keys: set[UUID]) -> dict[UUID, User]:
    return User.objects.in_bulk(list(keys)) if len(keys) <= MANY else User.objects.in_bulk()
