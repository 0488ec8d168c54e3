"""The people of the demonstration, whom anybody may be while the demonstration mode is on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import RoleAssignment, User
from accounts.roles import Role, catalogue
from accounts.selectors import with_scope_names

DOMAIN = "demo.tollgate.example"
SHOWN = 3  # of each role at once; the others unfold
DEMO_PASSWORD = "demo"  # noqa: S105  # confirms a demonstration person in demonstration mode; no account stores it


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody to be: where they hold the role that they are shown under, and what else they hold."""

    user: User
    places: list[str]
    other_roles: list[str]


@dataclass(frozen=True, slots=True)
class DemoRole:
    role: Role
    people: list[DemoPerson]

    @property
    def first(self) -> list[DemoPerson]:
        return self.people[:SHOWN]

    @property
    def more(self) -> list[DemoPerson]:
        return self.people[SHOWN:]


def demo_people() -> QuerySet[User]:
    """Active people whose address ends in the domain of the demonstration; never a superuser or a machine."""
    return User.objects.filter(
        email__endswith=f"@{DOMAIN}", is_active=True, is_superuser=False, is_staff=False, kind=User.Kind.PERSON
    )


def is_demo_person(user: User) -> bool:
    """Whether ``user`` is one of ``demo_people``."""
    ordinary = user.is_active and user.is_person and not (user.is_superuser or user.is_staff)
    return ordinary and user.email.endswith(f"@{DOMAIN}")


def demo_roles() -> list[DemoRole]:
    """The people of the demonstration under the role that each holds most, in the order of the role catalogue.

    Everybody is shown once. Two queries.
    """
    held: dict[UUID, dict[str, list[str]]] = {}
    rows = RoleAssignment.objects.filter(user__in=demo_people(), ended_at__isnull=True)
    for row in with_scope_names(rows).order_by("starts_at"):
        places = held.setdefault(row.user_id, {}).setdefault(row.role, [])
        places.append(_name(row))
    groups: dict[str, list[DemoPerson]] = {}
    for user in demo_people():
        roles = held.get(user.pk)
        if roles:
            main = max(roles, key=lambda key: len(roles[key]))
            others = [catalogue().roles[key].name for key in roles if key != main]
            groups.setdefault(main, []).append(DemoPerson(user, roles[main], others))
    return [DemoRole(role, groups[key]) for key, role in catalogue().roles.items() if key in groups]


def _name(row: Any) -> str:
    return str(row.scope_name or "")
