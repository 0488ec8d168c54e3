"""Datasets and the right to use them: registered, certified by a steward, requested for a purpose, decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import access
from accounts.models import User
from governance.models import DataAccessRequest, Dataset
from governance.services.permission import Actor, account, account_or_none, allow, another, person
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import SYSTEM, UnitOfWork, state, unit_of_work
from portfolio.models import BusinessUnit, Tier, UseCase
from portfolio.services import mark_change
from portfolio.signals import announce_change

SHOWN = ("unit", "name", "description", "sensitivity", "lineage", "steward", "certified_at", "certified_until")
EDITABLE = ("name", "description", "sensitivity", "lineage", "steward")
REQUEST = ("state", "purpose", "dataset", "decided_by", "decided_role", "decision_note", "valid_until")


def register_dataset(
    *,
    unit: BusinessUnit,
    name: str,
    by: Actor,
    use_case: UseCase | None = None,
    description: str = "",
    sensitivity: str = "",
    lineage: str = "",
    steward: User | None = None,
) -> Dataset:
    """Enter a dataset of a unit. A data engineer may do so for a use case of that unit."""
    allow(by, "data_asset.register", use_case or unit)
    if use_case is not None and not use_case.unit.path.startswith(unit.path):
        message = _("The use case is not in this unit.")
        raise Invalid(message, errors={"unit": [message]})
    if not name.strip():
        message = _("Name the dataset.")
        raise Invalid(message, errors={"name": [message]})
    with unit_of_work(by=by) as uow:
        lock_rows(BusinessUnit.objects.filter(pk=unit.pk)).get()
        if Dataset.objects.filter(unit=unit, name=name.strip()).exists():
            message = _("The unit has a dataset of this name.")
            raise Invalid(message, errors={"name": [message]})
        dataset = Dataset.objects.create(
            unit=unit,
            name=name.strip(),
            description=description.strip(),
            sensitivity=sensitivity.strip(),
            lineage=lineage.strip(),
            steward=steward,
            registered_by=account_or_none(by),
            registered_at=timezone.now(),
        )
        uow.record("dataset.registered", subject=dataset, unit=unit, use_case=use_case, after=state(dataset, SHOWN))
    return dataset


def edit_dataset(*, dataset: Dataset, changes: Mapping[str, Any], by: Actor) -> Dataset:
    """Change how a dataset is described. Another sensitivity or lineage ends its certification."""
    allow(by, "data_asset.register", dataset.unit)
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise Invalid(_("These fields cannot be changed: %(fields)s.") % {"fields": ", ".join(unknown)})
    with unit_of_work(by=by) as uow:
        dataset = _locked(dataset)
        before = state(dataset, SHOWN)
        for name, value in changes.items():
            setattr(dataset, name, value)
        after = state(dataset, SHOWN)
        material = any(after[name] != before[name] for name in ("sensitivity", "lineage"))
        if material:
            dataset.certified_by = dataset.certified_at = dataset.certified_until = None
        dataset.save()
        uow.record("dataset.edited", subject=dataset, unit=dataset.unit, before=before, after=state(dataset, SHOWN))
        _announce_to_users_of(dataset, uow)
        if material:
            _mark_for_users_of(dataset)
    return dataset


def certify_dataset(*, dataset: Dataset, by: Actor, until: datetime | None = None) -> Dataset:
    """The steward stands for a dataset. For a use case of high tier not by whoever registered it."""
    someone = person(by)
    allow(by, "data_asset.certify", dataset.unit)
    if until is not None and until <= timezone.now():
        message = _("Certify until a day in the future.")
        raise Invalid(message, errors={"until": [message]})
    if _serves_high_tier(dataset):
        another(
            by, dataset.registered_by_id, _("You cannot certify this: you registered it, and its use is high-risk.")
        )
    with unit_of_work(by=by) as uow:
        dataset = _locked(dataset)
        before = state(dataset, SHOWN)
        dataset.certified_by, dataset.certified_at, dataset.certified_until = someone, timezone.now(), until
        dataset.save(update_fields=["certified_by", "certified_at", "certified_until"])
        uow.record("dataset.certified", subject=dataset, unit=dataset.unit, before=before, after=state(dataset, SHOWN))
        _announce_to_users_of(dataset, uow)
    return dataset


def request_data_access(
    *, use_case: UseCase, purpose: str, by: Actor, dataset: Dataset | None = None
) -> DataAccessRequest:
    """Ask to use data for a purpose. A steward decides."""
    allow(by, "data_access.request", use_case)
    if not purpose.strip():
        message = _("Say what the data is needed for.")
        raise Invalid(message, errors={"purpose": [message]})
    with unit_of_work(by=by) as uow:
        request = DataAccessRequest.objects.create(
            use_case=use_case,
            dataset=dataset,
            purpose=purpose.strip(),
            requested_by=account(by),
            requested_at=timezone.now(),
        )
        uow.record("data_access.requested", subject=request, use_case=use_case, after=state(request, REQUEST))
        announce_change(uow, use_case.pk, "evidence")
    return request


def decide_data_access(
    *, request: DataAccessRequest, approve: bool, by: Actor, note: str = "", valid_until: datetime | None = None
) -> DataAccessRequest:
    """The steward of the data grants or refuses it; never the person who asked."""
    someone = person(by)
    if not may_decide(request, someone):
        raise PermissionDenied(_("This is decided by the steward of the data."))
    another(by, request.requested_by_id, _("You cannot decide this request: you made it."))
    if not approve and not note.strip():
        message = _("Say why it is refused.")
        raise Invalid(message, errors={"note": [message]})
    if valid_until is not None and valid_until <= timezone.now():
        message = _("Grant it until a day in the future.")
        raise Invalid(message, errors={"valid_until": [message]})
    with unit_of_work(by=by) as uow:
        rows = DataAccessRequest.objects.select_related("use_case__unit")
        request = lock_rows(rows).get(pk=request.pk)
        if request.state != DataAccessRequest.RequestState.OPEN:
            raise Conflict(_("This request was decided already."))
        before = state(request, REQUEST)
        states = DataAccessRequest.RequestState
        request.state = states.APPROVED if approve else states.REFUSED
        request.decided_by, request.decided_role, request.decided_at = someone, "data_steward", timezone.now()
        request.decision_note, request.valid_until = note.strip(), valid_until
        request.save()
        after = state(request, REQUEST)
        uow.record("data_access.decided", subject=request, use_case=request.use_case, before=before, after=after)
        announce_change(uow, request.use_case_id, "evidence")
    return request


def may_decide(request: DataAccessRequest, someone: User) -> bool:
    """Whether somebody is steward of the unit that the dataset belongs to; without one, of the use case."""
    about = request.use_case if request.dataset is None else request.dataset.unit
    return access.can(someone, "data_access.approve", about)


def _serves_high_tier(dataset: Dataset) -> bool:
    uses = UseCase.objects.filter(models__versions__datasets=dataset)
    return uses.filter(Q(tier=Tier.HIGH) | Q(tier=Tier.UNCLASSIFIED)).exists()


def _announce_to_users_of(dataset: Dataset, uow: UnitOfWork) -> None:
    ids = UseCase.objects.filter(models__versions__datasets=dataset).distinct().values_list("pk", flat=True)
    for pk in ids:
        announce_change(uow, pk, "data")


def _mark_for_users_of(dataset: Dataset) -> None:
    """Data of another kind voids what was shown with it, also where whoever edits it may not look."""
    note = _("Dataset %(name)s: sensitivity or lineage changed.") % {"name": dataset.name}
    for use_case in UseCase.objects.filter(models__versions__datasets=dataset).select_related("unit").distinct():
        mark_change(use_case=use_case, what="data", note=note, by=SYSTEM)


def _locked(dataset: Dataset) -> Dataset:
    return lock_rows(Dataset.objects.select_related("unit")).get(pk=dataset.pk)
