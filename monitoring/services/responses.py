"""Response times: what the organisation asks for in place of what the product ships with."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import require_everywhere
from accounts.models import User
from accounts.roles import catalogue
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import state, unit_of_work
from monitoring.models import Alert, ResponseTarget
from monitoring.responses import LEVELS, TIERS, Target, target_for
from portfolio.services.rights import Actor, person

RIGHT = "settings.edit"
FIELDS = ("tier", "level", "severity", "acknowledge_minutes", "resolve_minutes", "told_first", "told_next")
MOST_MINUTES = 525_600


def set_response(
    *,
    tier: str,
    level: str,
    severity: str,
    acknowledge_minutes: int,
    resolve_minutes: int,
    told_first: Sequence[str],
    told_next: Sequence[str],
    by: Actor,
) -> Target:
    """Set how soon alerts of a level are answered on a tier. It holds for alerts that open or rise from now on."""
    if isinstance(by, User):
        require_everywhere(by, RIGHT)
    errors: dict[str, list[str]] = {}
    if tier not in TIERS or level not in LEVELS:
        errors["tier"] = [_("There are response times for the tiers and levels that alerts have.")]
    if severity not in Alert.Severity.values:
        errors["severity"] = [_("Choose how bad it is.")]
    if not 1 <= acknowledge_minutes <= MOST_MINUTES:
        errors["acknowledge_minutes"] = [_("Give at least a minute and at most a year.")]
    if not acknowledge_minutes <= resolve_minutes <= MOST_MINUTES:
        errors["resolve_minutes"] = [_("It cannot be over before it is seen; at most a year.")]
    for name, roles in (("told_first", told_first), ("told_next", told_next)):
        if not roles or set(roles) - catalogue().roles.keys():
            errors[name] = [_("Choose the roles that are told.")]
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)
    with unit_of_work(by=by) as uow:
        row = lock_rows(ResponseTarget.objects.filter(tier=tier, level=level)).first()
        before = state(row, FIELDS) if row else None
        row = row or ResponseTarget(tier=tier, level=level)
        row.severity, row.acknowledge_minutes, row.resolve_minutes = severity, acknowledge_minutes, resolve_minutes
        row.told_first, row.told_next = list(told_first), list(told_next)
        row.edited_by, row.edited_at = person(by), timezone.now()
        row.save()
        uow.record("response.set", subject=row, before=before, after=state(row, FIELDS))
    return target_for(tier, level)


def reset_response(*, tier: str, level: str, by: Actor) -> Target:
    """Go back to what the product ships with."""
    if isinstance(by, User):
        require_everywhere(by, RIGHT)
    with unit_of_work(by=by) as uow:
        row = lock_rows(ResponseTarget.objects.filter(tier=tier, level=level)).first()
        if row is not None:
            uow.record("response.reset", subject=row, before=state(row, FIELDS))
            row.delete()
    return target_for(tier, level)
