"""What follows a call as days pass: it is settled by a decision, reminded of, and goes a level up when it is late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from gates.assessment import ask_again
from gates.criterion import day
from gates.fact import within
from gates.models import Decision, Review, ReviewCall
from gates.review_owed import responsible_for
from kernel.database import lock_rows
from ledger import SYSTEM, unit_of_work
from notify.services import tell

REMIND_BEFORE = timedelta(days=3)
TOLD_WHEN_LATE = ("business_sponsor", "portfolio_manager", "risk_compliance")
ENDING = (Decision.Outcome.PIVOT, Decision.Outcome.STOP, Decision.Outcome.RETIRE)
AT_ONCE = 500


def settle_calls(use_case_ids: Sequence[UUID] | None = None) -> int:
    """Settle the calls that a decision has answered since. Returns how many.

    A review that was returned decided nothing. After an emergency only a review of that very gate will do, or the end
    of what was released; any other call is answered by whatever review was decided after it: it looked at everything.
    """
    rows = within(ReviewCall.objects.filter(settled_at__isnull=True), use_case_ids)
    waiting = list(rows)
    if not waiting:
        return 0
    made = within(Decision.objects.exclude(outcome=Decision.Outcome.RETURN), use_case_ids, "review__use_case")
    earliest = min(call.called_at for call in waiting)
    decided: dict[UUID, list[Decision]] = {}
    for decision in made.filter(decided_at__gt=earliest).select_related("review").order_by("decided_at", "pk"):
        decided.setdefault(decision.review.use_case_id, []).append(decision)
    settled = 0
    for call in waiting:
        found = next((d for d in decided.get(call.use_case_id, ()) if _answers(d, call)), None)
        settled += found is not None and _settle(call.pk, found)
    return settled


def press_calls(*, at: datetime | None = None) -> int:
    """Remind of what is due soon, and take a level up what is late: each once. Returns how many were pressed."""
    moment = at or timezone.now()
    waiting = ReviewCall.objects.filter(settled_at__isnull=True)
    soon = waiting.filter(reminded_at__isnull=True, due_at__lte=moment + REMIND_BEFORE)
    late = waiting.filter(escalated_at__isnull=True, due_at__lte=moment).exclude(cause=ReviewCall.Cause.EMERGENCY)
    pressed = [_remind(pk, moment) for pk in list(soon.values_list("pk", flat=True)[:AT_ONCE])]
    pressed += [_escalate(pk, moment) for pk in list(late.values_list("pk", flat=True)[:AT_ONCE])]
    return sum(pressed)


def _answers(decision: Decision, call: ReviewCall) -> bool:
    if decision.decided_at <= call.called_at:
        return False
    strict = call.cause == ReviewCall.Cause.EMERGENCY
    return not strict or decision.review.gate == call.gate or decision.outcome in ENDING


def _settle(pk: UUID, decision: Decision) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        call = _locked(pk)
        if call.settled_at is not None:
            return False
        call.settled_at, call.settled_by = decision.decided_at, decision.review
        call.save(update_fields=["settled_at", "settled_by"])
        after = {"settled_at": call.settled_at, "settled_by": str(decision.review)}
        uow.record("review_call.settled", subject=call, use_case=call.use_case, after=after)
    ask_again([call.use_case_id])
    return True


def _remind(pk: UUID, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        call = _locked(pk)
        if call.settled_at is not None or call.reminded_at is not None:
            return False
        call.reminded_at = moment
        call.save(update_fields=["reminded_at"])
        uow.record("review_call.reminded", subject=call, use_case=call.use_case, after={"reminded_at": moment})
        _tell(call, "review_call.reminded", f"a review is due on {day(call.due_at)}", None)
    return True


def _escalate(pk: UUID, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        call = _locked(pk)
        if call.settled_at is not None or call.escalated_at is not None or call.due_at > moment:
            return False
        call.escalated_at = moment
        call.save(update_fields=["escalated_at"])
        uow.record("review_call.escalated", subject=call, use_case=call.use_case, after={"escalated_at": moment})
        _tell(call, "review_call.escalated", f"a review was due on {day(call.due_at)} and is late", TOLD_WHEN_LATE)
    ask_again([call.use_case_id])
    return True


def _tell(call: ReviewCall, kind: str, words: str, roles: tuple[str, ...] | None) -> None:
    ids = [call.use_case_id]
    people = responsible_for(ids, roles) if roles else responsible_for(ids)
    tell(
        recipients=people.get(call.use_case_id, []),
        kind=kind,
        title=f"{call.use_case.key} {call.use_case.name}: {words}",
        body=call.text,
        url=f"/gates/review-calls/?q={call.use_case.key}",
    )


def _locked(pk: UUID) -> ReviewCall:
    return lock_rows(ReviewCall.objects.select_related("use_case__unit").filter(pk=pk)).get()


def under_way(calls: Sequence[ReviewCall]) -> dict[UUID, Review]:
    """call -> the review that is open for it, if one is. One query."""
    waiting = [c for c in calls if c.settled_at is None]
    if not waiting:
        return {}
    rows = Review.objects.filter(state=Review.State.OPEN, use_case__in={c.use_case_id for c in waiting})
    running = {(r.use_case_id, r.gate): r for r in rows}
    return {c.pk: running[c.use_case_id, c.gate] for c in waiting if (c.use_case_id, c.gate) in running}
