"""What a meeting talks about, in which order; and a new vote when the old one may not stand."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import Max

from accounts.access import can
from accounts.models import User
from gates.models import AgendaItem, Meeting, Review
from gates.seats import BOARD, asks_the_board
from gates.services.boards.meetings import (
    IN_SESSION,
    PLANNED,
    locked,
    require_state,
    require_to_lead,
    say_why,
    tell_members,
)
from gates.services.reviews import lapse, locked_review, require_open
from gates.services.scenes import votes_that_count
from kernel.errors import Conflict
from ledger import UnitOfWork, unit_of_work
from portfolio.signals import announce_change


def add_item(*, meeting: Meeting, review: Review, by: User) -> AgendaItem:
    """Put an open review that asks for the board at the end of the agenda; members are told."""
    with unit_of_work(by=by) as uow:
        fresh = locked(meeting)
        require_to_lead(fresh, by)
        require_state(fresh, PLANNED, IN_SESSION)
        item = put_on(uow, fresh, review, by)
        title = f"{fresh}: {review} is on the agenda"
        tell_members(fresh, "meeting.agenda_changed", title, body=review.use_case.name, but=by)
    return item


def put_on(uow: UnitOfWork, meeting: Meeting, review: Review, by: User) -> AgendaItem:
    """The same within a unit of work, on a locked meeting."""
    if not can(by, "use_case.view", review.use_case):
        raise PermissionDenied("You cannot see this review.")
    fresh = locked_review(review)
    require_open(fresh)
    if not asks_the_board(fresh):
        raise Conflict(f"{fresh} does not ask for the board: the approval matrix names other roles.")
    elsewhere = AgendaItem.objects.filter(review=fresh, meeting__state__in=(PLANNED, IN_SESSION)).first()
    if elsewhere is not None:
        raise Conflict(f"{fresh} is already on the agenda of {elsewhere.meeting}.")
    last = meeting.items.aggregate(last=Max("position"))["last"] or 0
    item = AgendaItem.objects.create(meeting=meeting, review=fresh, position=last + 1)
    after = {"meeting": meeting.number, "position": item.position}
    uow.record("meeting.item_added", subject=item, use_case=fresh.use_case, after=after)
    announce_change(uow, fresh.use_case_id, "review")
    return item


def remove_item(*, meeting: Meeting, review: Review, by: User) -> None:
    """Take a review off the agenda. Once minutes are written or it is decided here, it stays."""
    with unit_of_work(by=by) as uow:
        fresh = locked(meeting)
        require_to_lead(fresh, by)
        require_state(fresh, PLANNED, IN_SESSION)
        item = item_of(fresh, review)
        if item.minutes.strip():
            raise Conflict(f"{review} has minutes in {fresh} and stays on its agenda.")
        if not Review.objects.get(pk=review.pk).is_open and fresh.state == IN_SESSION:
            raise Conflict(f"{review} was closed during {fresh} and stays on its agenda.")
        before = {"meeting": fresh.number, "position": item.position}
        uow.record("meeting.item_removed", subject=item, use_case=review.use_case, before=before)
        item.delete()
        _renumber(fresh)
        announce_change(uow, review.use_case_id, "review")
        tell_members(fresh, "meeting.agenda_changed", f"{fresh}: {review} is off the agenda", but=by)


def move_item(*, meeting: Meeting, review: Review, position: int, by: User) -> list[AgendaItem]:
    """Take a review up at another place (1 is first). The agenda in its new order."""
    with unit_of_work(by=by) as uow:
        fresh = locked(meeting)
        require_to_lead(fresh, by)
        require_state(fresh, PLANNED, IN_SESSION)
        item = item_of(fresh, review)
        before = item.position
        rows = [row for row in fresh.items.order_by("position") if row.pk != item.pk]
        rows.insert(max(0, min(position - 1, len(rows))), item)
        _number(rows)
        if item.position != before:
            after = {"position": item.position}
            uow.record("meeting.item_moved", subject=item, before={"position": before}, after=after)
    return rows


def call_revote(*, meeting: Meeting, review: Review, by: User, reason: str) -> None:
    """Have the board vote again on the same snapshot: its votes lapse, those of other roles stay."""
    say_why(reason)
    with unit_of_work(by=by) as uow:
        fresh = locked(meeting)
        require_to_lead(fresh, by)
        require_state(fresh, IN_SESSION)
        item_of(fresh, review)
        open_review = locked_review(review)
        require_open(open_review)
        votes = [v for v in votes_that_count(open_review) if v.role == BOARD]
        if not votes:
            raise Conflict(f"The board has not voted on {review} yet.")
        uow.record("meeting.revote_called", subject=open_review, use_case=open_review.use_case, note=reason[:300])
        lapse(uow, open_review, votes, f"{fresh} votes again: {reason.strip()}"[:300])
        announce_change(uow, open_review.use_case_id, "review")


def item_of(meeting: Meeting, review: Review) -> AgendaItem:
    item = meeting.items.filter(review=review).first()
    if item is None:
        raise Conflict(f"{review} is not on the agenda of {meeting}.")
    return item


def _renumber(meeting: Meeting) -> None:
    _number(list(meeting.items.order_by("position")))


def _number(rows: list[AgendaItem]) -> None:
    for n, row in enumerate(rows, start=1):
        if row.position != n:
            row.position = n
            row.save(update_fields=["position"])
