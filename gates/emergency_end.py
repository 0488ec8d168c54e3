"""How an emergency release ends, by a person or by itself, and what follows when its review is never held."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from gates.criterion import day
from gates.models import EmergencyRelease, ReviewCall
from gates.review_owed import responsible_for
from kernel.database import lock_rows
from ledger import SYSTEM, UnitOfWork, unit_of_work
from notify.services import tell
from portfolio.models import Status, UseCase
from portfolio.services import hold
from portfolio.signals import announce_change

RESPONSIBLE = (
    "business_sponsor",
    "business_owner",
    "technical_lead",
    "use_case_lead",
    "it_operations",
    "risk_compliance",
    "security",
    "portfolio_manager",
    "ai_governance_board",
)
"""Who is told of every step."""
UNANSWERED = timedelta(hours=24)
AT_ONCE = 200
State = EmergencyRelease.State


def end_due_releases(*, at: datetime | None = None) -> int:
    """End what has run its hours, and requests that nobody answered for a day. Returns how many ended."""
    moment = at or timezone.now()
    ran_out = EmergencyRelease.objects.filter(state=State.ACTIVE, ends_at__lte=moment)
    forgotten = EmergencyRelease.objects.filter(state=State.REQUESTED, requested_at__lte=moment - UNANSWERED)
    ids = [*ran_out.values_list("pk", flat=True)[:AT_ONCE], *forgotten.values_list("pk", flat=True)[:AT_ONCE]]
    return sum(_end(pk, moment) for pk in ids)


def suspend_unreviewed(*, at: datetime | None = None) -> int:
    """Put on hold what was released in an emergency and not reviewed within its days. Returns how many."""
    moment = at or timezone.now()
    owed = ReviewCall.objects.filter(
        cause=ReviewCall.Cause.EMERGENCY, settled_at__isnull=True, escalated_at__isnull=True, due_at__lte=moment
    )
    return sum(_suspend(pk, moment) for pk in list(owed.values_list("pk", flat=True)[:AT_ONCE]))


def end_release(uow: UnitOfWork, release: EmergencyRelease, *, at: datetime, who: str = "") -> None:
    """Write the end of a locked release. ``who`` ended it; empty when its time was up."""
    before = {"state": release.state}
    was_active = release.state == State.ACTIVE
    release.state, release.ended_at = State.ENDED, at
    release.save(update_fields=["state", "ended_at"])
    note = (
        "Ended before its time." if who else "Its time was up." if was_active else "Nobody confirmed it within a day."
    )
    after = {"state": release.state, "ended_at": at}
    use_case = release.use_case
    uow.record("emergency.ended", subject=release, use_case=use_case, before=before, after=after, note=note)
    owed = f" The full review is owed by {day(release.call.due_at)}." if release.call and not _settled(release) else ""
    if was_active:
        title = f"{use_case.key} {use_case.name}: the emergency release has ended"
        tell_all(
            release,
            "emergency.ended",
            title,
            (f"Ended by {who}." if who else note) + owed,
            f"/gates/emergencies/{release.pk}/",
        )
    announce_change(uow, release.use_case_id, "emergency")


def tell_all(release: EmergencyRelease, kind: str, title: str, body: str, url: str) -> None:
    """Tell everybody who answers for the use case, and the two people themselves."""
    people = {p.pk: p for p in responsible_for([release.use_case_id], RESPONSIBLE).get(release.use_case_id, [])}
    for person in (release.requested_by, release.answered_by):
        if person is not None:
            people[person.pk] = person
    tell(recipients=list(people.values()), kind=kind, title=title, body=body, url=url)


def _settled(release: EmergencyRelease) -> bool:
    return release.call is not None and release.call.settled_at is not None


def _end(pk: UUID, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        rows = EmergencyRelease.objects.select_related("use_case__unit", "requested_by", "answered_by", "call")
        release = lock_rows(rows.filter(pk=pk)).get()
        if release.state == State.ACTIVE and release.ends_at is not None and release.ends_at <= moment:
            end_release(uow, release, at=release.ends_at)
            return True
        if release.state == State.REQUESTED and release.requested_at <= moment - UNANSWERED:
            end_release(uow, release, at=moment)
            return True
    return False


def _suspend(pk: UUID, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        call = ReviewCall.objects.select_related("use_case__unit").get(pk=pk)
        use_case = lock_rows(UseCase.objects.select_related("unit").filter(pk=call.use_case_id)).get()
        call = lock_rows(ReviewCall.objects.filter(pk=pk)).get()
        if call.settled_at is not None or call.escalated_at is not None or call.due_at > moment:
            return False
        call.escalated_at = moment
        call.save(update_fields=["escalated_at"])
        text = f"Not reviewed by {day(call.due_at)} after an emergency release."
        after = {"escalated_at": moment, "suspended": use_case.status == Status.ACTIVE}
        uow.record("review_call.escalated", subject=call, use_case=use_case, after=after, note=text)
        if use_case.status == Status.ACTIVE:
            hold(use_case=use_case, by=SYSTEM, reason=text)
        tell(
            recipients=responsible_for([use_case.pk], RESPONSIBLE).get(use_case.pk, []),
            kind="emergency.suspended",
            title=f"{use_case.key} {use_case.name} is suspended",
            body=f"{text} Resume it, hold the review, and it may go on.",
            url=f"/use-cases/{use_case.key}/gate/",
        )
        announce_change(uow, use_case.pk, "review_call")
    return True
