"""Accounts of machines: each has a person who answers for it."""

from __future__ import annotations

from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.utils.text import slugify
from django.utils.translation import gettext as _

import ledger
from accounts.access import can, can_everywhere
from accounts.models import User
from accounts.services.people import described
from kernel.errors import Invalid


def create_service_account(*, name: str, owner: User, by: User | str) -> User:
    """Open an account for a machine. It cannot sign in to pages; it works with API tokens."""
    if isinstance(by, User) and not (can_everywhere(by, "user.manage") or can(by, "token.manage")):
        raise PermissionDenied(_("Service accounts are made by administrators and technical leads."))
    name = " ".join(name.split())
    if not name or len(name) > 100:
        raise Invalid(_("A name of at most 100 characters is needed."), errors={"name": [_("Enter a name.")]})
    if not owner.is_person or not owner.is_active:
        raise Invalid(
            _("A person with an active account has to answer for it."), errors={"owner": [_("Choose a person.")]}
        )
    with ledger.unit_of_work(by=by) as uow:
        account = User.objects.create_user(
            f"{slugify(name)[:60] or 'machine'}-{uuid4().hex[:8]}@service.invalid",  # .invalid: no mail goes there
            full_name=name,
            kind=User.Kind.SERVICE,
            owner=owner,
        )
        uow.record("service_account.created", subject=account, after=described(account))
    return account
