"""Opening and editing use cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.access import can
from accounts.models import User
from kernel.canonical import digest
from kernel.errors import Conflict
from ledger import UnitOfWork, state, unit_of_work
from ledger.states import safe
from portfolio.lifecycle import ENDED
from portfolio.models import BusinessUnit, StageChange, Status, UseCase
from portfolio.services.checks import assign, locked, refuse, refuse_unknown
from portfolio.services.keys import free_keys
from portfolio.services.rights import Actor, demand, person
from portfolio.signals import announce_change

INTAKE = ("problem_statement", "target_users", "non_ai_alternative", "objective", "strategic_goal", "decision_name")
PROFILE = (
    "third_party",
    "personal_data",
    "affects_people",
    "generative_or_agentic",
    "jurisdictions",
    "regulations",
    "eu_role",
    "oversight_tier",
    "primary_metric",
    "vendor",
)
EDITABLE = ("name", "summary", *INTAKE, *PROFILE)
SOURCE = ("source_profile", "source_key", "source_digest", "source_row", "source_data")
"""Where an imported row came from: written by imports only."""
DECLARED = ("tier", "tier_source", "legal_hold", "stage", "stage_since", "status")
"""What an inventory may state when it brings a use case; from then on it changes through gates and the register."""
LISTS = frozenset({"jurisdictions", "regulations"})
ANNOUNCED_AS = {
    **dict.fromkeys((*INTAKE, "name", "summary"), "purpose"),
    "personal_data": "data",
    "third_party": "vendor",
    "vendor": "vendor",
    "oversight_tier": "oversight",
}
"""Field -> the word of the policy's ``invalidated_by`` that its change is announced as; else "profile"."""


def create_use_case(
    *, unit: BusinessUnit, name: str, by: Actor, key: str = "", summary: str = "", **profile: Any
) -> UseCase:
    """Open a use case in ``unit``; without a key it gets the next number, such as UC-0042.

    It begins as an idea. Imports may also give what the inventory states (DECLARED) and where it came from (SOURCE).
    """
    demand(by, "use_case.create", unit)
    given = {"name": name, "summary": summary, **profile}
    refuse_unknown(given, (*EDITABLE, *SOURCE, *DECLARED))
    if not _may_import(by, unit, given):
        raise PermissionDenied(_("Only an import states the stage, the tier or the source of a new use case."))
    use_case = UseCase(unit=unit, created_by=person(by))
    assign(use_case, _tidy({**given, "key": key} if key else given))
    if use_case.stage in ENDED:
        use_case.status = Status.CLOSED
    with unit_of_work(by=by) as uow:
        _insert(use_case)
        _record_created(uow, use_case, by)
    return use_case


def edit_use_case(*, use_case: UseCase, changes: Mapping[str, Any], by: Actor) -> UseCase:
    """Change what is known of a use case; what stays the same is no change. ``unit`` moves it to another unit."""
    demand(by, "use_case.edit", use_case)
    refuse_unknown(changes, ("unit", *EDITABLE, *SOURCE))
    if not _may_import(by, use_case, changes):
        raise PermissionDenied(_("Only an import changes where a use case came from."))
    values = _tidy(changes)
    with unit_of_work(by=by) as uow:
        fresh = locked(UseCase, use_case.pk, "unit")
        names = [*values]
        before = state(fresh, names)
        old_unit = fresh.unit
        assign(fresh, values)
        after = state(fresh, names)
        changed = [name for name in names if before[name] != after[name]]
        if not changed:
            return fresh
        if "unit" in changed and fresh.unit.pk != old_unit.pk:
            demand(by, "use_case.create", fresh.unit)
        fresh.save(update_fields=[*changed, "updated_at"])
        uow.record(
            "use_case.edited", subject=fresh, use_case=fresh, before=_flat(before, changed), after=_flat(after, changed)
        )
        for what in sorted({ANNOUNCED_AS.get(name, "profile") for name in changed}):
            announce_change(uow, fresh.pk, what)
    return fresh


def hold(*, use_case: UseCase, by: Actor, reason: str) -> UseCase:
    """Pause a use case: it keeps its stage, and nobody is asked to move it on."""
    return _set_status(use_case, Status.ON_HOLD, from_status=Status.ACTIVE, by=by, reason=reason)


def resume(*, use_case: UseCase, by: Actor, reason: str = "") -> UseCase:
    """Take up a paused use case again."""
    return _set_status(use_case, Status.ACTIVE, from_status=Status.ON_HOLD, by=by, reason=reason)


def _set_status(use_case: UseCase, to: Status, *, from_status: Status, by: Actor, reason: str) -> UseCase:
    demand(by, "use_case.edit", use_case)
    if to == Status.ON_HOLD and not reason.strip():
        refuse({"reason": [_("Say why it is put on hold.")]})
    with unit_of_work(by=by) as uow:
        fresh = locked(UseCase, use_case.pk, "unit")
        if fresh.status != from_status:
            raise Conflict(
                _("%(key)s is %(status)s, so this cannot be done now.")
                % {"key": fresh.key, "status": fresh.get_status_display().lower()}
            )
        before = state(fresh, ("status",))
        fresh.status = to
        fresh.save(update_fields=["status", "updated_at"])
        action = "use_case.held" if to == Status.ON_HOLD else "use_case.resumed"
        uow.record(
            action, subject=fresh, use_case=fresh, before=before, after=state(fresh, ("status",)), note=reason.strip()
        )
        announce_change(uow, fresh.pk, "status")
    return fresh


def _may_import(by: Actor, where: BusinessUnit | UseCase, given: Mapping[str, Any]) -> bool:
    if not isinstance(by, User) or not set(given) & {*SOURCE, *DECLARED}:
        return True
    return can(by, "discovery.import", where)


def _tidy(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lists without blanks and repetitions, in the order given; a list field accepts nothing but texts."""
    tidied = dict(values)
    for name in LISTS & set(values):
        items = values[name] or []
        if isinstance(items, str) or not all(isinstance(item, str) for item in items):
            refuse({name: [_("Give a list of texts.")]})
        tidied[name] = list(dict.fromkeys(item.strip() for item in items if item.strip()))
    return tidied


def _insert(use_case: UseCase) -> None:
    if use_case.key:
        try:
            with transaction.atomic():
                use_case.save(force_insert=True)
        except IntegrityError as error:
            raise _refusal(use_case, error) from error
        return
    for key in free_keys():
        use_case.key = key
        try:
            with transaction.atomic():
                use_case.save(force_insert=True)
        except IntegrityError as error:
            if not UseCase.objects.filter(key=key).exists():
                raise _refusal(use_case, error) from error
            continue
        return
    raise Conflict(_("No free key was found. Please try again."))


def _refusal(use_case: UseCase, error: IntegrityError) -> Exception:
    if UseCase.objects.filter(key=use_case.key).exists():
        said = _("The key %(key)s is taken.") % {"key": use_case.key}
        return Conflict(said, errors={"key": [said]})
    if use_case.source_key:
        return Conflict(_("This row of the inventory has been imported already."))
    return error


def _record_created(uow: UnitOfWork, use_case: UseCase, by: Actor) -> None:
    StageChange(use_case=use_case, to_stage=use_case.stage, at=use_case.stage_since, by=person(by)).save(
        force_insert=True
    )
    names = ["key", "unit", *EDITABLE, "stage", "status", "tier", "tier_source", "legal_hold"]
    if use_case.source_key or use_case.source_data:
        # The whole row is kept with the use case; its digest binds it to this event.
        names += ["source_profile", "source_key", "source_digest", "source_row"]
    after = state(use_case, names)
    uow.record("use_case.created", subject=use_case, use_case=use_case, after=after)
    announce_change(uow, use_case.pk, "purpose")


def _flat(values: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """The values for an event; source data column by column, so that the event names the columns that changed."""
    flat = {name: values[name] for name in names if name != "source_data"}
    if "source_data" in names:
        columns = values["source_data"] or {}
        flat["source_data"] = {"sha256": digest(columns)}
        flat.update({f"source_data.{column}": safe(value) for column, value in columns.items()})
    return flat
