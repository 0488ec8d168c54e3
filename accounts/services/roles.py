"""Giving and ending roles: the guardian grant, its history row and the event are written together."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from guardian.shortcuts import assign_perm, remove_perm

import ledger
from accounts.access import forget_grants, require, require_everywhere, scopes
from accounts.conflicts import refusal
from accounts.models import RoleAssignment, User
from accounts.roles import Role, catalogue
from accounts.signals import announce_roles
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid

FIELDS = ("user", "role", "scope_kind", "scope_id", "starts_at", "ended_at")


def assign_role(*, user: User, role: str, on: Model, by: User | str, reason: str = "") -> RoleAssignment:
    """Give ``user`` a role on a business unit or a use case; if they hold it there already, nothing happens.

    Refuses a role that conflicts with one the person holds anywhere (``Conflict``), and the own account
    (``PermissionDenied``).
    """
    found = known_role(role)
    may_assign(by=by, user_id=user.pk, role=found, on=on)
    kind = scope_kind(on)
    with ledger.unit_of_work(by=by) as uow:
        held = _current(user)  # locks the account: two conflicting roles given at once meet here
        for row in held:
            if (row.role, row.scope_kind, row.scope_id) == (role, kind, on.pk):
                return row
        _refuse(user, role, {row.role for row in held})
        assignment = RoleAssignment.objects.create(
            user=user,
            role=role,
            scope_kind=kind,
            scope_id=on.pk,
            granted_by=by if isinstance(by, User) else None,
            reason=reason,
        )
        assign_perm(found.permission, user, on)
        uow.record(
            "role.assigned",
            subject=assignment,
            **where(on),
            after=ledger.state(assignment, FIELDS),
            note=reason,
        )
        announce_roles(uow, scope_kind=kind, scope_ids={on.pk}, assignment_ids=[assignment.pk], what="assigned")
    forget_grants(user)
    return assignment


def end_role(*, assignment: RoleAssignment, by: User | str, reason: str = "") -> RoleAssignment:
    """End a role now. The history row stays; the grant goes."""
    on = scope_of(assignment)
    found = known_role(assignment.role)
    if on is not None:
        may_assign(by=by, user_id=assignment.user_id, role=found, on=on)
    with ledger.unit_of_work(by=by) as uow:
        row = lock_rows(RoleAssignment.objects.filter(pk=assignment.pk)).get()
        if not row.is_current:
            raise Conflict(_("This role has ended already."))
        end_rows([row], by=by)
        if on is not None:
            remove_perm(found.permission, row.user, on)
        before = ledger.state(assignment, FIELDS) | {"ended_at": None}
        uow.record("role.ended", subject=row, **where(on), before=before, after=ledger.state(row, FIELDS), note=reason)
        announce_roles(uow, scope_kind=row.scope_kind, scope_ids={row.scope_id}, assignment_ids=[row.pk], what="ended")
    forget_grants(row.user)
    forget_grants(assignment.user)
    assignment.ended_at, assignment.ended_by = row.ended_at, row.ended_by
    return row


def known_role(key: str) -> Role:
    found = catalogue().roles.get(key)
    if found is None:
        raise Invalid(_("There is no role “%(key)s”.") % {"key": key}, errors={"role": [_("Choose a known role.")]})
    return found


def scope_kind(on: Model) -> str:
    if isinstance(on, scopes().unit):
        return RoleAssignment.Scope.UNIT.value
    if isinstance(on, scopes().use_case):
        return RoleAssignment.Scope.USE_CASE.value
    raise TypeError(f"a role is held on a unit or a use case, not on {on!r}")


def scope_of(assignment: RoleAssignment) -> Any:
    """The unit or use case of an assignment, or None when it is gone."""
    is_unit = assignment.scope_kind == RoleAssignment.Scope.UNIT
    model: Any = scopes().unit if is_unit else scopes().use_case
    rows = model._default_manager.all() if is_unit else model._default_manager.select_related("unit")
    return rows.filter(pk=assignment.scope_id).first()


def where(on: Model | None) -> dict[str, Any]:
    """Under which use case or unit an event about this scope is found."""
    if on is None:
        return {}
    return {"use_case": on} if isinstance(on, scopes().use_case) else {"unit": on}


def may_assign(*, by: User | str, user_id: UUID, role: Role, on: Model) -> None:
    if not isinstance(by, User):
        return  # the system: commands, imports, the demonstration
    if by.pk == user_id:
        raise PermissionDenied(_("You cannot change the roles of your own account. Ask somebody else who may."))
    require(by, "role.assign", on)
    if "user.manage" in role.actions:
        require_everywhere(by, "user.manage")  # else whoever assigns roles could make themselves an administrator


def end_rows(rows: list[RoleAssignment], *, by: User | str) -> None:
    now = timezone.now()
    for row in rows:
        row.ended_at = max(now, row.starts_at)
        row.ended_by = by if isinstance(by, User) else None
    RoleAssignment.objects.bulk_update(rows, ["ended_at", "ended_by"], batch_size=500)


def _current(user: User) -> list[RoleAssignment]:
    lock_rows(User.objects.filter(pk=user.pk)).get()
    return list(RoleAssignment.objects.filter(user=user, ended_at__isnull=True))


def _refuse(user: User, role: str, held: set[str]) -> None:
    if not user.is_active:
        raise Conflict(_("This account is not active, so it cannot be given a role."))
    if sentence := refusal(user, role, held):
        raise Conflict(sentence)
