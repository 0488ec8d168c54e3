"""The role catalogue: 23 roles and 76 actions, read once from ``roles.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

CATALOGUE = Path(__file__).with_name("roles.yaml")
SIGNING = "signing"


@dataclass(frozen=True, slots=True)
class Role:
    """A named responsibility that is granted on a unit or on one use case."""

    key: str
    name: str
    kind: str
    default_scope: str
    purpose: str
    responsibilities: tuple[str, ...]
    actions: Mapping[str, str]
    """Action key -> scope word of the access matrix (all, domain, assigned, own)."""

    @property
    def signs(self) -> bool:
        return self.kind == SIGNING

    @property
    def permission(self) -> str:
        """Codename of the django-guardian object permission that stands for this role."""
        return f"role_{self.key}"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done, with the roles that may do it."""

    key: str
    area: str
    allow: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two actions that one person may not both do within the same thing."""

    a: str
    b: str
    within: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    roles: Mapping[str, Role]
    actions: Mapping[str, Action]
    conflicts: tuple[Conflict, ...]


@cache
def catalogue() -> Catalogue:
    raw = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    actions = {row["key"]: Action(row["key"], row["area"], dict(row["allow"])) for row in raw["actions"]}
    roles = {
        row["key"]: Role(
            key=row["key"],
            name=row["name"],
            kind=row["kind"],
            default_scope=row["default_scope"],
            purpose=row["purpose"],
            responsibilities=tuple(row["responsibilities"]),
            actions={a.key: a.allow[row["key"]] for a in actions.values() if row["key"] in a.allow},
        )
        for row in raw["roles"]
    }
    conflicts = tuple(Conflict(row["a"], row["b"], row["within"]) for row in raw["conflicts"])
    return Catalogue(roles, actions, conflicts)


def role(key: str) -> Role:
    """The role of that key; ``KeyError`` names the key when it is unknown."""
    return catalogue().roles[key]


def role_name(key: str) -> str:
    found = catalogue().roles.get(key)
    return found.name if found else key


def role_choices() -> list[tuple[str, str]]:
    return [(r.key, r.name) for r in catalogue().roles.values()]


def roles_allowing(action: str) -> Mapping[str, str]:
    """Role key -> scope word for an action; an unknown action is a programming error."""
    return catalogue().actions[action].allow


def action_label(key: str) -> str:
    """An action in words: ``use_case.view`` reads "Use case: view"."""
    noun, _dot, verb = key.partition(".")
    return f"{noun.replace('_', ' ').capitalize()}: {verb.replace('_', ' ')}"


def area_label(key: str) -> str:
    return key.replace("_", " ").capitalize()


def role_permissions() -> list[tuple[str, str]]:
    """Object permissions, one a role, for the ``Meta.permissions`` of units and use cases."""
    return [(r.permission, f"Holds the role {r.name}") for r in catalogue().roles.values()]
