"""Days of conditions: their owners are told a week before, and everybody concerned once they are overdue.

Each is told once for a day; moving the day begins anew. What falls overdue is judged again at once, because it closes
the next gate and puts at risk the gate that was passed with it.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.people import holders
from gates.models import Condition
from gates.owed import OWED
from kernel.database import lock_rows
from ledger import SYSTEM, unit_of_work
from notify.services import tell

DAYS_BEFORE = 7
MOST_AT_ONCE = 500


def remind_owners() -> int:
    """Tell the owner of what falls due within a week and is not reported yet. Returns how many conditions."""
    soon = timezone.localdate() + timedelta(days=DAYS_BEFORE)
    rows = Condition.objects.filter(
        state=Condition.State.OPEN, due_on__lte=soon, due_on__gte=timezone.localdate(), reminded_at__isnull=True
    )
    return sum(_remind(pk) for pk in _first(rows))


def tell_overdue() -> set[UUID]:
    """Tell whom it concerns what is newly overdue. Returns the use cases, which have to be judged again."""
    late = Condition.objects.filter(state__in=OWED, due_on__lt=timezone.localdate(), overdue_told_at__isnull=True)
    found = {_tell_overdue(pk) for pk in _first(late)}
    return {use_case for use_case in found if use_case is not None}


def _first(rows: QuerySet[Condition, Condition]) -> list[UUID]:
    return list(rows.order_by("due_on", "pk").values_list("pk", flat=True)[:MOST_AT_ONCE])


def _remind(pk: UUID) -> int:
    with unit_of_work(by=SYSTEM):
        row = _locked(pk, Q(state=Condition.State.OPEN, reminded_at__isnull=True))
        if row is None:
            return 0
        row.reminded_at = timezone.now()
        row.save(update_fields=["reminded_at"])
        title = f"{row.use_case.key}: a condition falls due on {row.due_on:%-d %b %Y}"
        _tell(row, [row.owner], "condition.due", title)
    return 1


def _tell_overdue(pk: UUID) -> UUID | None:
    with unit_of_work(by=SYSTEM) as uow:
        row = _locked(pk, Q(state__in=OWED, overdue_told_at__isnull=True))
        if row is None:
            return None
        row.overdue_told_at = timezone.now()
        row.save(update_fields=["overdue_told_at"])
        after = {"due_on": row.due_on, "state": row.state}
        uow.record("condition.overdue", subject=row, use_case=row.use_case, after=after)
        title = f"{row.use_case.key}: a condition is overdue since {row.due_on:%-d %b %Y}"
        _tell(row, _concerned(row), "condition.overdue", title)
    return row.use_case_id


def _locked(pk: UUID, still: Q) -> Condition | None:
    """The row under its lock, unless another worker or its owner was faster."""
    rows = Condition.objects.select_related("use_case__unit", "owner", "decision__decided_by")
    return lock_rows(rows.filter(still, pk=pk)).first()


def _concerned(row: Condition) -> list[User]:
    """Who owes it, who decided it, and who answers for the use case."""
    people = {person.pk: person for person in (row.owner, row.decision.decided_by)}
    for role in ("business_owner", "use_case_lead"):
        people.update((person.pk, person) for person in holders(role=role, use_case=row.use_case))
    return list(people.values())


def _tell(row: Condition, people: list[User], kind: str, title: str) -> None:
    tell(recipients=people, kind=kind, title=title, body=row.text, url=f"/gates/conditions/{row.pk}/")
