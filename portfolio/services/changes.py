"""Record that something changed that voids evidence given before."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.access import require
from accounts.models import User
from kernel.errors import Invalid
from ledger import SYSTEM, unit_of_work
from portfolio.models import MaterialChange, UseCase
from portfolio.signals import announce_change


def mark_change(*, use_case: UseCase, what: str, note: str, by: User | Any) -> MaterialChange:
    """Append a material change. Evidence invalidated by ``what`` is stale from now on.

    Services call it for what they know to be material (a significant version, a new owner); people record
    the rest, such as a change of law or of the group of users.
    """
    if what not in MaterialChange.What.values:
        raise Invalid(f"“{what}” is not a kind of change.", errors={"what": [", ".join(MaterialChange.What.values)]})
    if not note.strip():
        raise Invalid("Say what changed.", errors={"note": ["This cannot be empty."]})
    if by is not SYSTEM:
        require(by, "use_case.view", use_case)
    with unit_of_work(by=by) as uow:
        person = None if by is SYSTEM else by
        change = MaterialChange.objects.create(
            use_case=use_case, what=what, note=note.strip()[:500], by=person, at=timezone.now()
        )
        uow.record(
            "use_case.materially_changed",
            subject=use_case,
            use_case=use_case,
            after={"what": what, "note": change.note},
        )
        announce_change(uow, use_case.pk, what)
    return change
