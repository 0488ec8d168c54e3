"""Who holds which role, on the use case or on a unit above it, and conflicts of duty among them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import RoleAssignment
from gates.fact import FactLoader, fact_loaders, within
from portfolio.models import BusinessUnit, UseCase

FEW = 2000
"""Up to so many use cases, only what is held on them and above them is read; beyond, everything."""


@fact_loaders.register
class People(FactLoader):
    """``{role: [user id, ...]}`` under ``holders``; people who left (inactive) hold nothing."""

    key = "people"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        units = dict(BusinessUnit.objects.values_list("pk", "path"))
        unit_of = dict(within(UseCase.objects.all(), use_case_ids, "pk").values_list("pk", "unit_id"))
        held = RoleAssignment.objects.filter(starts_at__lte=at, user__is_active=True).exclude(ended_at__lte=at)
        if len(unit_of) <= FEW:
            held = held.filter(scope_id__in=_scopes(unit_of, units))
        names = ("scope_kind", "scope_id", "role", "user_id")
        on_unit: dict[str, list[tuple[str, str]]] = {}
        on_use_case: dict[UUID, list[tuple[str, str]]] = {}
        for kind, scope, role, user in held.order_by("starts_at", "pk").values_list(*names):
            if kind == RoleAssignment.Scope.UNIT:
                on_unit.setdefault(units.get(scope, ""), []).append((role, str(user)))
            else:
                on_use_case.setdefault(scope, []).append((role, str(user)))
        inherited = {path: _inherited(path, on_unit) for path in units.values()}
        found: dict[UUID, Any] = {}
        for pk, unit in unit_of.items():
            holders: dict[str, list[str]] = {}
            for role, user in (*on_use_case.get(pk, ()), *inherited[units[unit]]):
                names_in = holders.setdefault(role, [])
                if user not in names_in:
                    names_in.append(user)
            found[pk] = {"holders": holders, "named": sorted({role for role, _user in on_use_case.get(pk, ())})}
        return found

    def empty(self) -> Any:
        return {"holders": {}, "named": []}


def _scopes(unit_of: dict[UUID, UUID], units: dict[UUID, str]) -> list[UUID]:
    """The use cases themselves, and every unit at or above theirs."""
    paths = {units[unit] for unit in unit_of.values()}
    return [*unit_of, *(unit for unit, above in units.items() if any(path.startswith(above) for path in paths))]


def _inherited(path: str, on_unit: dict[str, list[tuple[str, str]]]) -> list[tuple[str, str]]:
    return [pair for above, pairs in on_unit.items() if above and path.startswith(above) for pair in pairs]
