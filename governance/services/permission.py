"""Who is acting, and may they: asked at the start of every service.

``ledger.SYSTEM`` stands for imports and workers and is let through; whatever has to name a person refuses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.utils.translation import gettext as _

from accounts import access
from accounts.models import User
from accounts.roles import role_name
from ledger import SYSTEM
from portfolio.models import UseCase

Actor: TypeAlias = "User | str"


def allow(by: Actor, action: str, obj: Model) -> None:
    """Raise ``PermissionDenied`` unless ``by`` may do ``action`` on ``obj``."""
    if isinstance(by, User):
        access.require(by, action, obj)


def allow_any(by: Actor, actions: Iterable[str], obj: Model) -> None:
    """Raise ``PermissionDenied`` unless ``by`` may do one of ``actions`` on ``obj``."""
    if not isinstance(by, User):
        return
    *others, last = actions
    if not any(access.can(by, action, obj) for action in others):
        access.require(by, last, obj)


def hold(by: Actor, roles: Iterable[str], use_case: UseCase, *, scope: str = "evidence.verify") -> str:
    """The first of ``roles`` that ``by`` holds on the use case; ``PermissionDenied`` names them when there is none.

    Somebody who comes with a token needs ``scope`` on it besides: a role alone would let any token speak for them.
    """
    if not isinstance(by, User):
        return ""
    if access.is_barred(by, scope):
        raise PermissionDenied(_("This token lacks the scope %(scope)s.") % {"scope": scope})
    wanted = list(roles)
    held = access.roles_on(by, use_case) if by.is_active else set()
    for role in wanted:
        if role in held:
            return role
    names = ", ".join(role_name(role) for role in wanted)
    raise PermissionDenied(_("This needs one of these roles here: %(roles)s.") % {"roles": names})


def account(by: Actor) -> User:
    """The account that answers for it; work that nobody answers for cannot be recorded."""
    if isinstance(by, User):
        return by
    raise TypeError("this has to be done by an account, not by the system itself")


def account_or_none(by: Actor) -> User | None:
    return by if isinstance(by, User) else None


def person(by: Actor) -> User:
    """A human being: machines send measurements, they never attest, sign or decide."""
    if isinstance(by, User) and by.is_person:
        return by
    raise PermissionDenied(_("A service account cannot do this: it needs a person who answers for it."))


def another(by: Actor, author_id: object, message: str) -> None:
    """Raise ``PermissionDenied`` when the one who acts is the one who made it."""
    if isinstance(by, User) and author_id is not None and by.pk == author_id:
        raise PermissionDenied(message)


__all__ = ["SYSTEM", "Actor", "account", "account_or_none", "allow", "allow_any", "another", "hold", "person"]
