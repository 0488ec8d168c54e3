"""Many roles at once, for imports and the demonstration: same rules, a constant number of queries, one event."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple, cast
from uuid import UUID, uuid4

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.utils.translation import gettext as _

import ledger
from accounts.access import forget_grants, reach, require_everywhere, scopes
from accounts.conflicts import refusal
from accounts.models import RoleAssignment, User
from accounts.services.roles import known_role, scope_kind
from accounts.signals import announce_roles
from kernel.canonical import digest
from kernel.database import lock_rows
from kernel.errors import Conflict

BATCH = 1000
Held = tuple[UUID, str, str, UUID]


class Grant(NamedTuple):
    """One role to give: ``on`` is a business unit or a use case."""

    user: User
    role: str
    on: Model


def assign_roles_bulk(*, grants: Iterable[Grant], by: User | str, reason: str = "") -> list[RoleAssignment]:
    """Give many roles and return the assignments that are new; one that conflicts refuses the whole batch.

    The event holds how many of each role there are and the digest of the whole list, which the assignment rows
    can be compared with.
    """
    wanted = {_key(grant): grant for grant in grants}
    with ledger.unit_of_work(by=by) as uow:
        _may_assign(wanted.values(), by)
        new = _new_rows(wanted, by, reason)
        if not new:
            return []
        RoleAssignment.objects.bulk_create(new, batch_size=BATCH)
        _write_grants(new)
        uow.record(
            "roles.assigned",
            subject=ledger.Subject("accounts.role_assignments", str(uuid4()), _("%d roles") % len(new)),
            after=_summary(new),
            note=reason,
        )
        for kind in RoleAssignment.Scope.values:
            rows = [row for row in new if row.scope_kind == kind]
            if rows:
                ids = [row.pk for row in rows]
                announce_roles(
                    uow, scope_kind=kind, scope_ids={row.scope_id for row in rows}, assignment_ids=ids, what="assigned"
                )
    for grant in wanted.values():
        forget_grants(grant.user)
    return new


def _key(grant: Grant) -> Held:
    return (grant.user.pk, known_role(grant.role).key, scope_kind(grant.on), grant.on.pk)


def _may_assign(grants: Iterable[Grant], by: User | str) -> None:
    if not isinstance(by, User):
        return
    far = reach(by, "role.assign")
    for user, role, on in grants:
        if user.pk == by.pk:
            raise PermissionDenied(_("You cannot change the roles of your own account. Ask somebody else who may."))
        unit = cast(Any, on if isinstance(on, scopes().unit) else cast(Any, on).unit)
        if not far.everything and not unit.path.startswith(far.unit_paths or ("\x00",)):
            raise PermissionDenied(_("You may not assign roles in %(unit)s.") % {"unit": unit})
        if "user.manage" in known_role(role).actions:
            require_everywhere(by, "user.manage")


def _new_rows(wanted: dict[Held, Grant], by: User | str, reason: str) -> list[RoleAssignment]:
    users = {grant.user.pk: grant.user for grant in wanted.values()}
    list(lock_rows(User.objects.filter(pk__in=users).order_by("pk")).values_list("pk", flat=True))
    rows = RoleAssignment.objects.filter(user__in=users, ended_at__isnull=True)
    current: set[Held] = set(rows.values_list("user_id", "role", "scope_kind", "scope_id"))
    held: dict[UUID, set[str]] = defaultdict(set)
    for user_id, role, *_scope in current:
        held[user_id].add(role)
    new = []
    for key, grant in wanted.items():
        if key in current:
            continue
        user_id, role, kind, scope_id = key
        if role not in held[user_id]:
            _refuse(grant.user, role, held[user_id])
            held[user_id].add(role)
        new.append(
            RoleAssignment(
                user=grant.user,
                role=role,
                scope_kind=kind,
                scope_id=scope_id,
                granted_by=by if isinstance(by, User) else None,
                reason=reason,
            )
        )
    return new


def _refuse(user: User, role: str, held: set[str]) -> None:
    if not user.is_active:
        raise Conflict(_("%(user)s is not active, so cannot be given a role.") % {"user": user})
    if sentence := refusal(user, role, held):
        raise Conflict(f"{user}: {sentence}")


def _write_grants(rows: list[RoleAssignment]) -> None:
    models: dict[str, tuple[Any, Any]] = {
        RoleAssignment.Scope.UNIT.value: (scopes().unit, scopes().unit_grant),
        RoleAssignment.Scope.USE_CASE.value: (scopes().use_case, scopes().use_case_grant),
    }
    for kind, (model, grant_model) in models.items():
        content_type = ContentType.objects.get_for_model(model)
        permission = dict(Permission.objects.filter(content_type=content_type).values_list("codename", "pk"))
        grant_model._default_manager.bulk_create(
            (
                grant_model(
                    user_id=row.user_id,
                    permission_id=permission[known_role(row.role).permission],
                    content_object_id=row.scope_id,
                )
                for row in rows
                if row.scope_kind == kind
            ),
            batch_size=BATCH,
            ignore_conflicts=True,
        )


def _summary(rows: list[RoleAssignment]) -> dict[str, Any]:
    listed = sorted([str(row.pk), str(row.user_id), row.role, row.scope_kind, str(row.scope_id)] for row in rows)
    return {"count": len(rows), "roles": dict(Counter(row.role for row in rows)), "list_digest": digest(listed)}
