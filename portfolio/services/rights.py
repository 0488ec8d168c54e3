"""Who asks for a change: a person whose rights are checked, or the product itself, which needs none."""

from __future__ import annotations

from typing import TypeAlias

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.utils.translation import gettext as _

from accounts.access import can, require
from accounts.models import User

Actor: TypeAlias = User | str
"""An account, or ``ledger.SYSTEM``."""


def demand(by: Actor, action: str, obj: Model | None = None) -> None:
    """Raise ``PermissionDenied`` unless ``by`` may do ``action`` on ``obj``; ``ledger.SYSTEM`` may."""
    if isinstance(by, User):
        require(by, action, obj)


def demand_any(by: Actor, actions: tuple[str, ...], obj: Model | None, message: str = "") -> None:
    """Like ``demand`` for whoever may do one of several actions."""
    if isinstance(by, User) and not any(can(by, action, obj) for action in actions):
        raise PermissionDenied(message or _("Your roles here do not allow this."))


def person(by: Actor) -> User | None:
    """The account to name in a row's own columns; nobody when the product did it by itself."""
    return by if isinstance(by, User) else None
