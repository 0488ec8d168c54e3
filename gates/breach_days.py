"""Breach decisions past their time: reminded of once when due, taken a level up once at twice the time.

What belongs to a use case that has ended is no longer owed. Who owes it is found anew when that person left.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from gates.breaching import OPEN, owing
from gates.criterion import day
from gates.models import BreachDecision
from gates.review_owed import responsible_for
from kernel.database import lock_rows
from ledger import SYSTEM, unit_of_work
from notify.services import tell
from portfolio.models import Status
from portfolio.signals import announce_change

TOLD = ("business_sponsor", "portfolio_manager", "risk_compliance")
AT_ONCE = 200


def chase_breaches(*, at: datetime | None = None) -> list[UUID]:
    """Remind, escalate, hand on and let lapse. Returns the use cases to judge again."""
    moment = at or timezone.now()
    open_rows = BreachDecision.objects.filter(state__in=OPEN).select_related("use_case", "owed_by", "alert")
    touched: set[UUID] = set()
    rows = list(open_rows.order_by("due_at")[: AT_ONCE * 5])
    people = owing({row.use_case_id for row in rows}) if rows else {}
    for row in rows:
        if row.use_case.status == Status.CLOSED:
            _lapse(row, moment)
            continue
        if _left(row, people):
            _hand_on(row, people.get(row.use_case_id))
        if row.reminded_at is None and row.due_at <= moment and _remind(row.pk, moment):
            touched.add(row.use_case_id)
        if row.escalated_at is None and moment >= escalates_at(row):
            _escalate(row.pk, moment)
    return sorted(touched)


def escalates_at(row: BreachDecision) -> datetime:
    """Twice the time that the policy gives."""
    return row.due_at + (row.due_at - row.opened_at)


def _left(row: BreachDecision, people: dict[UUID, User]) -> bool:
    mine = people.get(row.use_case_id)
    gone = row.owed_by is None or not row.owed_by.is_active
    if mine is None or (not gone and row.owed_by_id == mine.pk):
        return False
    return gone or row.owed_by not in responsible_for([row.use_case_id], ("business_owner", "risk_compliance")).get(
        row.use_case_id, []
    )


def _hand_on(row: BreachDecision, person: User | None) -> None:
    with unit_of_work(by=SYSTEM) as uow:
        held = _locked(row.pk)
        before = {"owed_by": held.owed_by_id}
        held.owed_by = person
        held.save(update_fields=["owed_by"])
        after = {"owed_by": held.owed_by_id}
        uow.record("breach.handed_on", subject=held, use_case=held.use_case, before=before, after=after)
        _tell(held, "breach.owed", f"decide what is done by {day(held.due_at)}", [person] if person else [])


def _lapse(row: BreachDecision, moment: datetime) -> None:
    with unit_of_work(by=SYSTEM) as uow:
        held = _locked(row.pk)
        if not held.is_open:
            return
        before = {"state": held.state}
        held.state, held.decided_at = BreachDecision.State.LAPSED, moment
        held.reason = held.reason or f"The use case is {held.use_case.stage}."
        held.save(update_fields=["state", "decided_at", "reason"])
        after = {"state": held.state}
        uow.record("breach.lapsed", subject=held, use_case=held.use_case, before=before, after=after)
        announce_change(uow, held.use_case_id, "breach")


def _remind(pk: UUID, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        row = _locked(pk)
        if not row.is_open or row.reminded_at is not None:
            return False
        row.reminded_at = moment
        row.save(update_fields=["reminded_at"])
        uow.record("breach.reminded", subject=row, use_case=row.use_case, after={"due_at": row.due_at})
        _tell(row, "breach.late", "the decision after a breach is late", [row.owed_by] if row.owed_by else [])
        announce_change(uow, row.use_case_id, "breach")
    return True


def _escalate(pk: UUID, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        row = _locked(pk)
        if not row.is_open or row.escalated_at is not None:
            return False
        row.escalated_at = moment
        row.save(update_fields=["escalated_at"])
        after = {"due_at": row.due_at, "owed_by": row.owed_by_id}
        uow.record("breach.escalated", subject=row, use_case=row.use_case, after=after)
        people = responsible_for([row.use_case_id], TOLD).get(row.use_case_id, [])
        _tell(row, "breach.escalated", f"a breach is undecided since {day(row.opened_at)}", people)
        announce_change(uow, row.use_case_id, "breach")
    return True


def _tell(row: BreachDecision, kind: str, words: str, people: list[User]) -> None:
    owes = f"{row.owed_by} owes the decision." if row.owed_by else "Nobody who could owe the decision holds a role."
    tell(
        recipients=people,
        kind=kind,
        title=f"{row.use_case.key} {row.use_case.name}: {words}",
        body=f"{row.alert.message} It was due on {day(row.due_at)}. {owes}",
        url=f"/gates/breaches/{row.number}/",
    )


def _locked(pk: UUID) -> BreachDecision:
    rows = BreachDecision.objects.select_related("use_case__unit", "alert", "owed_by")
    return lock_rows(rows.filter(pk=pk)).get()
