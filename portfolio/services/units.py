"""Business units: a tree that grows by leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from portfolio.models import BusinessUnit
from portfolio.services.checks import assign, locked, refuse_unknown
from portfolio.services.rights import Actor, demand_any

FIELDS = ("code", "name", "path", "description")
EDITABLE = ("name", "description")
RIGHTS = ("settings.edit", "role.assign")
"""Who may change the tree: those who configure the installation and those who say who is responsible where."""


def create_unit(
    *, code: str, name: str, by: Actor, parent: BusinessUnit | None = None, description: str = ""
) -> BusinessUnit:
    """Add a unit below ``parent``; without a parent it is the organisation itself, of which there is one."""
    demand_any(by, RIGHTS, parent, _("Only portfolio managers and system administrators add business units."))
    unit = BusinessUnit(parent=parent)
    assign(unit, {"code": code, "name": name, "description": description})
    unit.path = unit.path_below(parent)
    if len(unit.path) > 500:
        raise Invalid(_("The tree is too deep here."), errors={"parent": [_("The tree is too deep here.")]})
    with unit_of_work(by=by) as uow:
        try:
            with transaction.atomic():
                unit.save(force_insert=True)
        except IntegrityError as error:
            raise _taken(unit) from error
        uow.record("unit.created", subject=unit, unit=unit, after=state(unit, FIELDS))
    return unit


def edit_unit(*, unit: BusinessUnit, changes: Mapping[str, Any], by: Actor) -> BusinessUnit:
    """Change how a unit is called. Its code and place are part of its people's rights and stay."""
    demand_any(by, RIGHTS, unit, _("Only portfolio managers and system administrators change business units."))
    refuse_unknown(changes, EDITABLE)
    with unit_of_work(by=by) as uow:
        fresh = locked(BusinessUnit, unit.pk)
        before = state(fresh, FIELDS)
        assign(fresh, changes)
        after = state(fresh, FIELDS)
        if after != before:
            fresh.save(update_fields=[*changes])
            uow.record("unit.edited", subject=fresh, unit=fresh, before=before, after=after)
    return fresh


def _taken(unit: BusinessUnit) -> Conflict:
    if BusinessUnit.objects.filter(code=unit.code).exists():
        said = _("There is already a unit with the code %(code)s.") % {"code": unit.code}
        return Conflict(said, errors={"code": [said]})
    return Conflict(_("There is already a unit at the top: name the parent of the new one."))
