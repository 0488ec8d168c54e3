"""Say who settles an open criterion, and by when."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from accounts.access import can, require
from accounts.models import User
from gates.in_force import policy_for
from gates.models import Assignment
from kernel.errors import Invalid
from ledger import unit_of_work
from notify.services import tell
from portfolio.models import UseCase


def assign_criterion(
    *, use_case: UseCase, gate: str, criterion: str, by: User, person: User | None, due_on: date | None, note: str = ""
) -> Assignment | None:
    """Set or change who settles a criterion; without person, day and note the assignment is taken away (None).

    Any of the people who prepare the gate may do it. ``Invalid`` for a criterion that the gate does not have, a day
    that has passed, or a person who cannot see the use case.
    """
    require(by, "activity.update", use_case)
    _check(use_case, gate, criterion, person, due_on)
    with unit_of_work(by=by) as uow:
        found = Assignment.objects.filter(use_case=use_case, gate=gate, criterion=criterion).first()
        before = _plain(found) if found else None
        if person is None and due_on is None and not note.strip():
            if found is not None:
                uow.record("criterion.unassigned", subject=found, use_case=use_case, before=before, after=None)
                found.delete()
            return None
        row = found or Assignment(use_case=use_case, gate=gate, criterion=criterion)
        row.person, row.due_on, row.note = person, due_on, note.strip()
        row.assigned_by, row.assigned_at = by, timezone.now()
        row.save()
        uow.record("criterion.assigned", subject=row, use_case=use_case, before=before, after=_plain(row))
        if person is not None and person.pk != by.pk and (before or {}).get("person") != str(person.pk):
            tell(
                recipients=[person],
                kind="criterion.assigned",
                title=f"{use_case.key} {use_case.name}: {criterion} is yours to settle",
                body=row.note or (f"Due {due_on:%-d %b %Y}." if due_on else ""),
                url=f"/gates/missing/{use_case.key}/",
            )
    return row


def _check(use_case: UseCase, gate: str, criterion: str, person: User | None, due_on: date | None) -> None:
    errors: dict[str, list[str]] = {}
    _version, policy = policy_for(use_case)
    known = policy.gates.get(gate)
    if known is None or criterion not in {c.id for c in known.criteria}:
        errors["criterion"] = [f"The policy has no criterion {criterion} at the gate {gate}."]
    if due_on is not None and due_on < timezone.localdate():
        errors["due_on"] = ["This day has passed; choose today or a later one."]
    if person is not None and not (person.is_person and person.is_active and can(person, "use_case.view", use_case)):
        errors["person"] = ["Choose a person who is active and may see this use case."]
    if errors:
        raise Invalid("This was not assigned.", errors=errors)


def _plain(row: Assignment) -> dict[str, str]:
    return {
        "gate": row.gate,
        "criterion": row.criterion,
        "person": str(row.person_id or ""),
        "due_on": row.due_on.isoformat() if row.due_on else "",
        "note": row.note,
    }
