"""The board of the demonstration: who votes, a closed meeting with its minutes, and one that is planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from gates.demonstration.cast import ON_THE_BOARD, Cast
from gates.demonstration.story import Story
from gates.models import AgendaItem, Attendance, Meeting, Recusal, Review
from gates.seats import BOARD, asks_the_board
from gates.services.boards import call_meeting
from gates.services.boards.minutes import AUTOMATIC, minutes_body
from gates.services.boards.reading import waiting_reviews
from gates.services.reviews import submit_review
from gates.services.sign_offs import sign
from kernel.canonical import digest
from kernel.errors import NotReady
from ledger import SYSTEM, unit_of_work
from portfolio.models import UseCase

UNITS = {name: code for name, _role, code in ON_THE_BOARD if code}
SAID = (
    "The chair asked how often people correct the system. The lead showed the figures of the last four weeks: "
    "corrections fell by a third, and no case went out unchecked.\n\n"
    "Risk asked that the limits of use stay in the instructions. Agreed."
)
GENERAL = "Members want the cost per case next to the measured value from the next meeting on."
TITLE = "Meeting of the AI governance board"


def voters(story: Story) -> list[User]:
    """The chair, risk, legal, and one of the business from another unit; members of the own unit do not vote."""
    members = [m for m in story.cast.everywhere[BOARD] if UNITS.get(m.full_name) != story.unit.code]
    business = [m for m in members if m.full_name in UNITS]
    return [m for m in members if m not in business] + business[:1]


def meet(stories: Iterable[Story], cast: Cast, gate_of: Mapping[str, str]) -> list[str]:
    """Returns what the story lacks (nothing, if all is well)."""
    lacking = _bring(stories, gate_of)
    chair = User.objects.get(pk=cast.everywhere[BOARD][0].pk)
    taken = _past_reviews()
    if not taken:
        return [*lacking, "No decision of the past asked for the board."]
    _held(taken, cast, chair)
    starts = (timezone.now() + timedelta(days=6)).replace(hour=13, minute=0, second=0, microsecond=0)
    call_meeting(
        title=TITLE, starts_at=starts, place="Board room, third floor", by=chair, reviews=waiting_reviews(chair)[:6]
    )
    return lacking


def _bring(stories: Iterable[Story], gate_of: Mapping[str, str]) -> list[str]:
    """Submit what waits for the board: the first with every other signature, the next with some, the rest with none."""
    lacking: list[str] = []
    for n, story in enumerate(s for s in stories if s.health == "board"):
        use_case = UseCase.objects.get(pk=story.use_case.pk)
        words = f"The pilot of {story.name.lower()} is over. Please read what testers said about its limits."
        try:
            review = submit_review(
                use_case=use_case, gate=gate_of[story.stage], by=story.person("use_case_lead"), message=words
            )
        except NotReady as wrong:
            lacking += [f"{use_case.key}: {line}" for line in wrong.errors.get("criteria", [])]
            continue
        roles = [slot["role"] for slot in review.slots if slot["role"] != BOARD]
        for role in roles[: {0: len(roles), 1: len(roles) // 2}.get(n, 0)]:
            sign(review=review, role=role, verdict="approve", digest=review.digest, by=story.person(role))
    return lacking


def _past_reviews() -> list[Review]:
    """Reviews that the board decided on within three days, one of them of a unit that a member leads."""
    rows = Review.objects.filter(state=Review.State.DECIDED).select_related("use_case__unit")
    asked = [r for r in rows.order_by("-closed_at") if asks_the_board(r) and r.closed_at]
    for first in asked:
        near = [r for r in asked if abs(r.closed_at - first.closed_at) <= timedelta(days=3)]  # type: ignore[operator]
        if first.use_case.unit.code in UNITS.values():
            return sorted(near, key=lambda r: r.number)[:3]
    return []


def _held(reviews: list[Review], cast: Cast, chair: User) -> None:
    """A meeting on the eve of the first decision. It is told as past decisions are, with the times of its day."""
    begun = min(r.closed_at for r in reviews if r.closed_at).replace(
        hour=9, minute=0, second=0, microsecond=0
    ) - timedelta(days=1)
    ended = begun + timedelta(hours=1, minutes=20)
    members = cast.everywhere[BOARD]
    with unit_of_work(by=SYSTEM) as uow:
        meeting = Meeting.objects.create(
            number=1,
            title=TITLE,
            starts_at=begun,
            place="Board room, third floor",
            chair=chair,
            called_by=chair,
            state=Meeting.State.CLOSED,
            minutes=GENERAL,
            opened_at=begun + timedelta(minutes=3),
            closed_at=ended,
        )
        Attendance.objects.bulk_create(Attendance(meeting=meeting, person=m, present=True) for m in members)
        for n, review in enumerate(reviews, start=1):
            AgendaItem.objects.create(meeting=meeting, review=review, position=n, minutes=SAID)
            for member in members:
                if UNITS.get(member.full_name) == review.use_case.unit.code:
                    Recusal.objects.create(
                        use_case=review.use_case, review=review, person=member, reason=AUTOMATIC, declared_at=begun
                    )
        meeting.minutes_digest = digest(minutes_body(meeting))
        meeting.save(update_fields=["minutes_digest"])
        after = {"number": 1, "state": meeting.state, "minutes_digest": meeting.minutes_digest}
        uow.record("meeting.closed", subject=meeting, after=after, note="Demonstration history")
