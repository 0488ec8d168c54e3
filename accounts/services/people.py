"""People: made, described, deactivated when they leave, reactivated when they return."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import BaseUserManager
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _

import ledger
from accounts.access import forget_grants, require_everywhere, scopes
from accounts.models import ApiToken, RoleAssignment, User
from accounts.services.roles import end_rows
from accounts.signals import announce_roles
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import Personal

MOST_LEVELS = 50


def create_person(
    *, email: str, full_name: str, by: User | str, password: str | None = None, job_title: str = ""
) -> User:
    """Open an account for a person. Without a password they come by single sign-on or set one themselves."""
    if isinstance(by, User):
        require_everywhere(by, "user.manage")
    email = _checked_email(email)
    full_name = _checked_name(full_name)
    with ledger.unit_of_work(by=by) as uow:
        person = User.objects.create_user(email, password, full_name=full_name, job_title=job_title.strip())
        uow.record("person.created", subject=person, after=described(person))
    return person


def record_arrival(*, user: User, full_name: str = "") -> User:
    """Record an account that was opened by signing up or by single sign-on, and name it.

    Who opens an account themselves is not yet anybody who could be its actor: the system is.
    """
    name = " ".join(full_name.split())[:200] or user.full_name or user.email.partition("@")[0]
    with ledger.unit_of_work(by=ledger.SYSTEM) as uow:
        user.full_name = name
        user.save(update_fields=["full_name"])
        uow.record("person.created", subject=user, after=described(user))
    return user


def edit_person(*, user: User, by: User | str, full_name: str, job_title: str = "") -> User:
    """Change how a person is named. One's own name, or anybody's for those who manage accounts."""
    if isinstance(by, User) and by.pk != user.pk:
        require_everywhere(by, "user.manage")
    full_name = _checked_name(full_name)
    with ledger.unit_of_work(by=by) as uow:
        row = lock_rows(User.objects.filter(pk=user.pk)).get()
        before = described(row)
        row.full_name, row.job_title = full_name, job_title.strip()
        after = described(row)
        if ledger.diff(before, after):
            row.save(update_fields=["full_name", "job_title"])
            uow.record("person.edited", subject=row, before=before, after=after)
    user.full_name, user.job_title = row.full_name, row.job_title
    return row


def set_manager(*, user: User, manager: User | None, by: User | str) -> User:
    """Say whom a person reports to (None: nobody). An independent validator never reports to the technical lead, so
    who may say it is who manages accounts, and nobody for themselves."""
    if isinstance(by, User):
        if by.pk == user.pk:
            raise PermissionDenied(_("You cannot say whom you report to yourself. Ask somebody else who may."))
        require_everywhere(by, "user.manage")
    with ledger.unit_of_work(by=by) as uow:
        row = lock_rows(User.objects.filter(pk=user.pk)).get()
        _check_manager(row, manager)
        if row.manager_id == (manager.pk if manager else None):
            return row
        before = ledger.state(row, ("manager",))
        row.manager = manager
        row.save(update_fields=["manager"])
        uow.record("person.manager_changed", subject=row, before=before, after=ledger.state(row, ("manager",)))
    user.manager = manager
    return row


def deactivate(*, user: User, by: User | str, reason: str) -> User:
    """Close an account: it can no longer sign in, its tokens are revoked and its roles end. Nothing is deleted."""
    if isinstance(by, User):
        if by.pk == user.pk:
            raise PermissionDenied(_("You cannot deactivate your own account. Ask somebody else who may."))
        require_everywhere(by, "user.manage")
    if not reason.strip():
        raise Invalid(_("Say why the account is closed."), errors={"reason": [_("A reason is needed.")]})
    with ledger.unit_of_work(by=by) as uow:
        row = lock_rows(User.objects.filter(pk=user.pk)).get()
        if not row.is_active:
            raise Conflict(_("This account is not active already."))
        row.is_active = False
        row.save(update_fields=["is_active"])
        ended = _end_all_roles(uow, row, by)
        tokens = ApiToken.objects.filter(user=row, revoked_at__isnull=True).update(revoked_at=timezone.now())
        uow.record(
            "account.deactivated",
            subject=row,
            before={"is_active": True, "roles": ended, "tokens": tokens},
            after={"is_active": False, "roles": 0, "tokens": 0},
            note=reason,
        )
    user.is_active = False
    forget_grants(user)
    return row


def reactivate(*, user: User, by: User | str, reason: str = "") -> User:
    """Open a closed account again, without roles or tokens: those are given anew."""
    if isinstance(by, User):
        require_everywhere(by, "user.manage")
    with ledger.unit_of_work(by=by) as uow:
        row = lock_rows(User.objects.filter(pk=user.pk)).get()
        if row.is_active:
            raise Conflict(_("This account is active."))
        row.is_active = True
        row.save(update_fields=["is_active"])
        uow.record(
            "account.reactivated", subject=row, before={"is_active": False}, after={"is_active": True}, note=reason
        )
    user.is_active = True
    return row


def described(user: User) -> dict[str, Any]:
    """An account as an event tells of it: what is about a person stays erasable."""
    if not user.is_person:
        return ledger.state(user, ("kind", "is_active", "full_name", "owner"))
    return ledger.state(user, ("kind", "is_active")) | {
        "email": Personal(user.email),
        "full_name": Personal(user.full_name),
        "job_title": Personal(user.job_title),
    }


def _end_all_roles(uow: ledger.UnitOfWork, user: User, by: User | str) -> int:
    rows = list(lock_rows(RoleAssignment.objects.filter(user=user, ended_at__isnull=True)))
    end_rows(rows, by=by)
    for grants in (scopes().unit_grant, scopes().use_case_grant):
        manager: Any = grants._default_manager
        manager.filter(user=user).delete()
    for kind in RoleAssignment.Scope.values:
        mine = [row for row in rows if row.scope_kind == kind]
        if mine:
            announce_roles(
                uow,
                scope_kind=kind,
                scope_ids={row.scope_id for row in mine},
                assignment_ids=[row.pk for row in mine],
                what="ended",
            )
    return len(rows)


def _check_manager(user: User, manager: User | None) -> None:
    if not user.is_person:
        raise Invalid(_("A service account reports to nobody; its owner answers for it."))
    if manager is None:
        return
    said = ""
    if not manager.is_person or not manager.is_active:
        said = _("Name a person whose account is active.")
    above: User | None = manager
    for _level in range(MOST_LEVELS):
        if above is None or said:
            break
        if above.pk == user.pk:
            said = _("Nobody reports to themselves, not even by way of others.")
        above = above.manager
    if said:
        raise Invalid(said, errors={"manager": [said]})


def _checked_email(email: str) -> str:
    email = BaseUserManager.normalize_email(email.strip()).lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(_("This is not an e-mail address."), errors={"email": list(error.messages)}) from error
    if User.objects.filter(email=email).exists():
        raise Invalid(_("There is an account with this address already."), errors={"email": [_("Already in use.")]})
    return email


def _checked_name(full_name: str) -> str:
    full_name = " ".join(full_name.split())
    if not full_name or len(full_name) > 200:
        raise Invalid(
            _("A name of at most 200 characters is needed."), errors={"full_name": [_("Enter the person's name.")]}
        )
    return full_name
