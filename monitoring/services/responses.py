"""Response times: what the organisation asks for in place of what the product ships with, and what units tighten."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import can, can_everywhere, require, require_everywhere
from accounts.models import User
from accounts.roles import catalogue
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import state, unit_of_work
from monitoring.models import Alert, ResponseTarget
from monitoring.responses import GRAVEST_FIRST, LEVELS, TIERS, Target, target_for, target_of
from monitoring.wording import span
from portfolio.models import BusinessUnit
from portfolio.services.rights import Actor, person

RIGHT, UNIT_RIGHT = "settings.edit", "monitor.configure"
FIELDS = ("unit", "tier", "level", "severity", "acknowledge_minutes", "resolve_minutes", "told_first", "told_next")
MOST_MINUTES = 525_600


def may_set(user: User, unit: BusinessUnit | None) -> bool:
    """A unit's own by whoever configures monitoring for all of it, the organisation's by whoever edits settings."""
    if can_everywhere(user, RIGHT):
        return True
    return unit is not None and (can(user, UNIT_RIGHT, unit) or can(user, RIGHT, unit))


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
    unit: BusinessUnit | None = None,
) -> Target:
    """Set how soon alerts of a level are answered on a tier. It holds for alerts that open or rise from now on.

    With a unit it holds there and below, beside what holds above it: ``Invalid`` when it would loosen anything, or
    change nothing.
    """
    _demand(by, unit)
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
        if set(roles) - catalogue().roles.keys() or not (roles or unit):
            errors[name] = [_("Choose the roles that are told.")]
    _refuse(errors)
    with unit_of_work(by=by) as uow:
        row = lock_rows(ResponseTarget.objects.filter(unit=unit, tier=tier, level=level)).first()
        before = state(row, FIELDS) if row else None
        row = row or ResponseTarget(unit=unit, tier=tier, level=level)
        row.severity, row.acknowledge_minutes, row.resolve_minutes = severity, acknowledge_minutes, resolve_minutes
        row.told_first, row.told_next = list(told_first), list(told_next)
        row.edited_by, row.edited_at = person(by), timezone.now()
        if unit is not None:
            _refuse_loosening(row, unit)
        row.save()
        uow.record("response.set", subject=row, unit=unit, before=before, after=state(row, FIELDS))
    return target_for(tier, level, unit)


def reset_response(*, tier: str, level: str, by: Actor, unit: BusinessUnit | None = None) -> Target:
    """Go back to what the product ships with; in a unit, to what holds above it."""
    _demand(by, unit)
    with unit_of_work(by=by) as uow:
        row = lock_rows(ResponseTarget.objects.filter(unit=unit, tier=tier, level=level)).first()
        if row is not None:
            uow.record("response.reset", subject=row, unit=unit, before=state(row, FIELDS))
            row.delete()
    return target_for(tier, level, unit)


def _demand(by: Actor, unit: BusinessUnit | None) -> None:
    if not isinstance(by, User) or may_set(by, unit):
        return
    if unit is None:
        require_everywhere(by, RIGHT)
    else:
        require(by, UNIT_RIGHT, unit)
    raise PermissionDenied  # pragma: no cover  # one of the two has raised


def _refuse_loosening(row: ResponseTarget, unit: BusinessUnit) -> None:
    """A unit asks for more than what holds above it, never for less."""
    if unit.parent is None:
        said = _("The whole organisation has its own response times: set them there.")
        raise Invalid(said, errors={"unit": [said]})
    above = target_for(row.tier, row.level, unit.parent)
    errors: dict[str, list[str]] = {}
    if GRAVEST_FIRST.index(row.severity) > GRAVEST_FIRST.index(above.severity):
        said = _("Above this unit it is %(severity)s: it can only be graver here.")
        errors["severity"] = [said % {"severity": Alert.Severity(above.severity).label.lower()}]
    for name, minutes, most in (
        ("acknowledge_minutes", row.acknowledge_minutes, above.acknowledge),
        ("resolve_minutes", row.resolve_minutes, above.resolve),
    ):
        if minutes * 60 > most.total_seconds():
            said = _("Above this unit it is %(span)s: it can only be sooner here.")
            errors[name] = [said % {"span": span(most.total_seconds())}]
    _refuse(errors)
    if above.tightened(target_of(row)) == above:
        said = _("Nothing here is tighter than what holds above this unit: change a time, the severity or who is told.")
        raise Invalid(said, errors={"acknowledge_minutes": [said]})


def _refuse(errors: dict[str, list[str]]) -> None:
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)
