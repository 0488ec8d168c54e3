"""Decisions past their time: at the end of the policy's days the signers are reminded, at twice the days it goes up.

Each happens once a review. Being late decides nothing: the review stays open and waits for people.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.roles import role_name
from gates.criterion import day, listed
from gates.models import Review
from gates.review_owed import responsible_for
from gates.scenes import Room, room_of
from kernel.database import lock_rows
from ledger import SYSTEM, UnitOfWork, unit_of_work
from notify.services import tell
from portfolio.signals import announce_change

TOLD = ("business_sponsor", "portfolio_manager")
DECIDES = ("portfolio_manager",)
AT_ONCE = 200


def chase_late_reviews(*, at: datetime | None = None) -> int:
    """Remind and escalate what is late. Returns how many reviews somebody was told of."""
    moment = at or timezone.now()
    late = Review.objects.filter(state=Review.State.OPEN, due_at__lte=moment)
    unreminded = list(late.filter(reminded_at__isnull=True).values_list("pk", flat=True)[:AT_ONCE])
    unescalated = late.filter(escalated_at__isnull=True).only("due_at", "submitted_at").order_by("due_at")
    waiting = [r.pk for r in unescalated.iterator(chunk_size=500) if moment >= escalates_at(r)][:AT_ONCE]
    return sum(_remind(pk, moment) for pk in unreminded) + sum(_escalate(pk, moment) for pk in waiting)


def escalates_at(review: Review) -> datetime:
    """Twice the days that the policy gives from the submission."""
    return review.due_at + (review.due_at - review.submitted_at)


def days_late(review: Review, now: datetime) -> int:
    """Whole days past the day it was due, at least 1; 0 when it is not late."""
    if not review.is_open or now < review.due_at:
        return 0
    return max(1, (now - review.due_at) // timedelta(days=1))


def _remind(pk: UUID, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        review = _locked(pk)
        if not review.is_open or review.reminded_at is not None or review.due_at > moment:
            return False
        review.reminded_at = moment
        review.save(update_fields=["reminded_at"])
        room = room_of(review)
        owing = room.waited_for()
        _record(uow, "review.reminded", review, room)
        stand_ins = [a.stand_in for p in owing if (a := (room.away or {}).get(p.pk)) and a.stand_in is not None]
        people = owing or responsible_for([review.use_case_id], DECIDES).get(review.use_case_id, [])
        words = "your sign-off is late" if owing else "its decision is late"
        _tell(review, room, "review.reminded", f"{review}: {words}", [*people, *stand_ins])
    return True


def _escalate(pk: UUID, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        review = _locked(pk)
        if not review.is_open or review.escalated_at is not None or moment < escalates_at(review):
            return False
        review.escalated_at = moment
        review.save(update_fields=["escalated_at"])
        room = room_of(review)
        _record(uow, "review.escalated", review, room)
        people = responsible_for([review.use_case_id], TOLD).get(review.use_case_id, [])
        title = f"{review} of {review.use_case.key} is {days_late(review, moment)} days late"
        _tell(review, room, "review.escalated", title, people)
    return True


def waits_for(room: Room) -> str:
    """In words: the roles still waited for, who is away, and who stands in."""
    roles = [role_name(s.role) for s in room.slots() if s.state == "waiting"]
    if not roles:
        return "All signatures are in; it waits for its decision."
    return " ".join([f"Waits for {listed(roles)}.", *absences(room)])


def absences(room: Room) -> list[str]:
    """Who of those waited for is away today, with their stand-ins by name."""
    away, people = room.away or {}, {p.pk: p for p in room.waited_for()}
    found = []
    for person, absence in away.items():
        if person in people:
            instead = f"{absence.stand_in} stands in" if absence.stand_in else "nobody stands in"
            found.append(f"{people[person]} is away until {absence.ends_on:%-d %b %Y}; {instead}.")
    return found


def _record(uow: UnitOfWork, action: str, review: Review, room: Room) -> None:
    owing = [s.role for s in room.slots() if s.state == "waiting"]
    uow.record(action, subject=review, use_case=review.use_case, after={"due_at": review.due_at, "waits_for": owing})
    announce_change(uow, review.use_case_id, "review")


def _tell(review: Review, room: Room, kind: str, title: str, people: list[User]) -> None:
    each = {p.pk: p for p in people}
    tell(
        recipients=list(each.values()),
        kind=kind,
        title=title,
        body=f"{review.use_case.name}. It was due on {day(review.due_at)}. {waits_for(room)}",
        url=f"/gates/reviews/{review.number}/",
    )


def _locked(pk: UUID) -> Review:
    rows = Review.objects.select_related("use_case__unit", "policy_version__policy", "submitted_by")
    return lock_rows(rows.filter(pk=pk)).get()
