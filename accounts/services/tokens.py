"""API tokens: made with a purpose and an end, shown once, revoked at any time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

import ledger
from accounts.access import can, can_everywhere, possible_actions
from accounts.keys import digest_of, new_key
from accounts.models import ApiToken, RoleAssignment, User
from accounts.roles import catalogue
from accounts.services.roles import scope_of
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid

LONGEST = timedelta(days=366)
FIELDS = ("user", "name", "prefix", "scopes", "expires_at", "revoked_at")


def issue_token(
    *, user: User, name: str, scopes: Iterable[str], expires_at: datetime, by: User | str
) -> tuple[ApiToken, str]:
    """Make a token and return it with its key, which nobody can read again.

    A person's token is made by that person alone; a service account's by those who may manage it.
    """
    require_may_manage(by, user)
    chosen = sorted(set(scopes))
    _stay_within_own_token(by, chosen)
    _check(user, name, chosen, expires_at)
    prefix, key = new_key()
    with ledger.unit_of_work(by=by) as uow:
        if not lock_rows(User.objects.filter(pk=user.pk)).get().is_active:
            raise Conflict(_("This account is not active, so it cannot have a token."))
        token = ApiToken.objects.create(
            user=user,
            name=name.strip(),
            prefix=prefix,
            digest=digest_of(key),
            scopes=chosen,
            expires_at=expires_at,
            created_by=by if isinstance(by, User) else None,
        )
        uow.record("token.issued", subject=token, after=ledger.state(token, FIELDS))
    return token, key


def revoke_token(*, token: ApiToken, by: User | str) -> ApiToken:
    """End a token at once. Revoking it twice changes nothing."""
    if isinstance(by, User) and by.pk != token.user_id and not can_everywhere(by, "user.manage"):
        require_may_manage(by, token.user)
    with ledger.unit_of_work(by=by) as uow:
        row = lock_rows(ApiToken.objects.filter(pk=token.pk)).get()
        if row.revoked_at is None:
            before = ledger.state(row, FIELDS)
            row.revoked_at = timezone.now()
            row.save(update_fields=["revoked_at"])
            uow.record("token.revoked", subject=row, before=before, after=ledger.state(row, FIELDS))
    token.revoked_at = row.revoked_at
    return row


def may_manage(by: User, account: User) -> bool:
    """Whether ``by`` may make tokens for ``account``: for oneself, or for a service account one answers for,
    administers, or whose every use case and unit one manages tokens on."""
    if by.pk == account.pk:
        return True
    if account.is_person:
        return False  # a token acts as its person: nobody else may hold it
    if account.owner_id == by.pk or can_everywhere(by, "user.manage") or can_everywhere(by, "token.manage"):
        return True
    held = RoleAssignment.objects.filter(user=account, ended_at__isnull=True)
    places = [scope_of(row) for row in held]
    return bool(places) and all(place is not None and can(by, "token.manage", place) for place in places)


def require_may_manage(by: User | str, account: User) -> None:
    if not isinstance(by, User) or may_manage(by, account):
        return
    if account.is_person:
        raise PermissionDenied(_("A token acts as its person, so only that person can make one."))
    raise PermissionDenied(_("You may not manage the tokens of this service account."))


def _stay_within_own_token(by: User | str, scopes: list[str]) -> None:
    """A token makes further ones only with the scope for it, and none that may more than itself."""
    limit = by.token_scopes if isinstance(by, User) else None
    if limit is None:
        return
    if "token.manage" not in limit:
        raise PermissionDenied(_("A token makes no further tokens unless it has the scope token.manage."))
    if beyond := sorted(set(scopes) - limit):
        raise PermissionDenied(_("Your own token lacks these scopes: %(keys)s.") % {"keys": ", ".join(beyond)})


def _check(user: User, name: str, scopes: list[str], expires_at: datetime) -> None:
    errors: dict[str, list[str]] = {}
    if not name.strip() or len(name.strip()) > 100:
        errors["name"] = [_("Enter a name of at most 100 characters that says what the token is for.")]
    if not scopes:
        errors["scopes"] = [_("Choose at least one thing that the token may do.")]
    unknown = [scope for scope in scopes if scope not in catalogue().actions]
    beyond = sorted(set(scopes) - possible_actions(user) - set(unknown))
    if unknown:
        errors.setdefault("scopes", []).append(_("Unknown: %(keys)s.") % {"keys": ", ".join(unknown)})
    if beyond:
        sentence = _("No role of this account allows: %(keys)s.") % {"keys": ", ".join(beyond)}
        errors.setdefault("scopes", []).append(sentence)
    now = timezone.now()
    if expires_at <= now:
        errors["expires_at"] = [_("The end has to lie in the future.")]
    elif expires_at > now + LONGEST:
        errors["expires_at"] = [_("A token lives for at most %(days)d days.") % {"days": LONGEST.days}]
    if errors:
        raise Invalid(_("The token cannot be made."), errors=errors)
