"""A passed gate that stays at risk past its due date goes a level up, once."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from accounts.people import holders
from gates.models import GateAssurance
from kernel.database import lock_rows
from ledger import SYSTEM, unit_of_work
from notify.services import tell

TOLD = ("business_sponsor", "portfolio_manager", "risk_compliance")
AT_ONCE = 200


def escalate_overdue(*, at: datetime | None = None) -> int:
    """Tell sponsor, portfolio manager and risk of what nobody has settled in time. Returns how many went up."""
    moment = at or timezone.now()
    due = GateAssurance.objects.exclude(state=GateAssurance.State.IN_FORCE)
    late = due.filter(due_at__lte=moment, escalated_at__isnull=True).order_by("due_at")
    return sum(_escalate(pk, moment) for pk in list(late.values_list("pk", flat=True)[:AT_ONCE]))


def _escalate(pk: int, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        row = lock_rows(GateAssurance.objects.select_related("use_case__unit").filter(pk=pk)).get()
        is_late = row.due_at is not None and row.due_at <= moment
        if row.escalated_at is not None or row.state == GateAssurance.State.IN_FORCE or not is_late:
            return False
        row.escalated_at = moment
        row.save(update_fields=["escalated_at"])
        after = {"state": row.state, "due_at": row.due_at, "reasons": [r["text"] for r in row.reasons][:20]}
        uow.record("assurance.escalated", subject=row, use_case=row.use_case, after=after)
        people = {p.pk: p for role in TOLD for p in holders(role=role, use_case=row.use_case)}
        words = str(GateAssurance.State(row.state).label).lower()
        tell(
            recipients=list(people.values()),
            kind="assurance.escalated",
            title=f"{row.use_case.key} {row.use_case.name}: {words} and past its due date",
            body=row.reasons[0]["text"] if row.reasons else "",
            url=f"/use-cases/{row.use_case.key}/gate/",
        )
    return True
