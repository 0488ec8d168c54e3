"""Which roles may not meet in one account, as ``roles.yaml`` says it."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import SIGNING, catalogue, role, role_name

SAME_PERSON = "same person, always"
SERVICE_ROLE = "service_account"


def refusal(user: User, asked: str, held: Iterable[str]) -> str:
    """Why ``user``, who holds the roles ``held``, may not be given the role ``asked``; empty when nothing speaks
    against it."""
    if user.kind == User.Kind.SERVICE and asked != SERVICE_ROLE:
        return _("A service account holds the role %(allowed)s only: machines send, they do not decide.") % {
            "allowed": role_name(SERVICE_ROLE)
        }
    if user.is_person and asked == SERVICE_ROLE:
        return _("%(role)s is a role for machines, and this is a person's account.") % {"role": role_name(asked)}
    for other in held:
        if clash := clashing(asked, other):
            a, b = clash
            return _(
                "The same person may not hold %(asked)s and %(other)s: whoever may “%(a)s” may never “%(b)s”."
                " Give one of the two roles to somebody else."
            ) % {"asked": role_name(asked), "other": role_name(other), "a": a, "b": b}
    return ""


def clashing(one: str, other: str) -> tuple[str, str] | None:
    """The two actions that these roles would bring together although one person may never hold both."""
    for conflict in catalogue().conflicts:
        if conflict.within != SAME_PERSON:
            continue
        for a, b in ((conflict.a, conflict.b), (conflict.b, conflict.a)):
            if a in role(one).actions and b in role(other).actions:
                return conflict.a, conflict.b
    return None


def signing_roles() -> frozenset[str]:
    return frozenset(key for key, found in catalogue().roles.items() if found.kind == SIGNING)
