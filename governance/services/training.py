"""Training: who owes which course for a use case, and when it was completed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import access
from accounts.models import User
from governance.models import TrainingRecord
from governance.services.permission import Actor, allow
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import Personal, state, unit_of_work
from portfolio.models import UseCase
from portfolio.signals import announce_change

SHOWN = ("course", "person", "completed_at", "valid_until")
VALID_FOR = timedelta(days=365)


def assign_training(
    *, use_case: UseCase, course: str, by: Actor, person: User | None = None, person_label: str = ""
) -> TrainingRecord:
    """Say that somebody owes a course; for people without an account by name. Assigning twice changes nothing."""
    allow(by, "training.assign", use_case)
    errors: dict[str, list[str]] = {}
    if not course.strip():
        errors["course"] = [_("Choose a course.")]
    if person is None and not person_label.strip():
        errors["person"] = [_("Say who has to take it.")]
    if errors:
        raise Invalid(_("The course cannot be assigned like this."), errors=errors)
    label = "" if person is not None else person_label.strip()[:200]
    with unit_of_work(by=by) as uow:
        lock_rows(UseCase.objects.filter(pk=use_case.pk)).get()
        rows = TrainingRecord.objects.filter(
            use_case=use_case, course=course.strip(), person=person, person_label=label
        )
        there = rows.first()
        if there is not None:
            return there
        record = TrainingRecord.objects.create(
            use_case=use_case, course=course.strip(), person=person, person_label=label, assigned_at=timezone.now()
        )
        after = {**state(record, SHOWN), "person_label": Personal(label)}
        uow.record("training.assigned", subject=record, use_case=use_case, after=after)
        announce_change(uow, use_case.pk, "evidence")
    return record


def complete_training(
    *,
    record: TrainingRecord,
    by: Actor,
    completed_at: datetime | None = None,
    valid_until: datetime | None = None,
) -> TrainingRecord:
    """The course was completed: said by the person concerned, or by whoever assigns training. Valid for a year."""
    if isinstance(by, User) and by.pk != record.person_id and not access.can(by, "training.assign", record.use_case):
        raise PermissionDenied(_("Only the person concerned, or somebody who assigns training, can say so."))
    at = completed_at or timezone.now()
    until = valid_until or at + VALID_FOR
    errors: dict[str, list[str]] = {}
    if at > timezone.now() + timedelta(minutes=5):
        errors["completed_at"] = [_("This cannot be in the future.")]
    if until <= at:
        errors["valid_until"] = [_("It has to be valid beyond the day it was completed.")]
    if errors:
        raise Invalid(_("The completion cannot be kept like this."), errors=errors)
    with unit_of_work(by=by) as uow:
        record = lock_rows(TrainingRecord.objects.select_related("use_case__unit")).get(pk=record.pk)
        before = state(record, SHOWN)
        record.completed_at, record.valid_until = at, until
        record.save(update_fields=["completed_at", "valid_until"])
        after = state(record, SHOWN)
        uow.record("training.completed", subject=record, use_case=record.use_case, before=before, after=after)
        announce_change(uow, record.use_case_id, "evidence")
    return record
