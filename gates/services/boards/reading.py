"""What pages, API and work list read of the board; a constant number of queries, however long an agenda is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from accounts.access import VIEW, can_everywhere, for_user, grants_of, unit_grants
from accounts.models import User
from gates.duties import SlotState, refusal, slot_states
from gates.in_force import body_of
from gates.models import AgendaItem, Meeting, Recusal, Review, SignOff, Snapshot
from gates.quorum import Board
from gates.seats import BOARD, asks_the_board, boards_of
from gates.services.boards.meetings import IN_SESSION, MANAGE, PLANNED, members
from gates.services.boards.minutes import AUTOMATIC, concerns, recusals_of
from gates.services.scenes import scenes_of
from gates.snapshots import open_in

SUGGESTED = 50


@dataclass(frozen=True, slots=True)
class Seat:
    """A member as a meeting shows them."""

    person: User
    present: bool | None
    """None: nothing said yet."""
    chairs: bool


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody who takes no part in one item, and why."""

    person: User
    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """One review on an agenda, as it stands for one reader."""

    row: AgendaItem
    review: Review
    gate: str
    met: int
    required: int
    open: tuple[str, ...]
    slots: tuple[SlotState, ...]
    board: SlotState | None
    absent: tuple[Absence, ...]
    may_vote: bool
    why_not: str
    voted: bool

    @property
    def votes(self) -> tuple[SignOff, ...]:
        return self.board.votes if self.board else ()

    @property
    def others(self) -> tuple[SlotState, ...]:
        return tuple(slot for slot in self.slots if slot.role != BOARD)

    @property
    def decision(self) -> Any:
        return getattr(self.review, "decision", None)


def sees_all(user: User) -> bool:
    """Whether every meeting is seen whole: by the board, who manages it, and who sees all use cases."""
    return can_everywhere(user, MANAGE) or can_everywhere(user, VIEW)


def meetings_for(user: User) -> QuerySet[Meeting, Meeting]:
    """Meetings that ``user`` may see, with the number of items; others see those with a review of theirs on it."""
    rows = Meeting.objects.select_related("chair", "called_by").annotate(item_count=Count("items"))
    if sees_all(user):
        return rows
    seen = for_user(Review.objects.all(), user, VIEW).order_by().values("pk")
    return rows.filter(Exists(AgendaItem.objects.filter(meeting=OuterRef("pk"), review__in=seen)))


def seats_of(meeting: Meeting) -> list[Seat]:
    """Members now, and whoever was marked when they still were."""
    marked = {row.person_id: row for row in meeting.attendances.select_related("person")}
    people = {m.pk: m for m in members()} if meeting.state in (PLANNED, IN_SESSION) else {}
    people.update({pk: row.person for pk, row in marked.items()})
    found = [Seat(p, marked[pk].present if pk in marked else None, pk == meeting.chair_id) for pk, p in people.items()]
    return sorted(found, key=lambda seat: (not seat.chairs, seat.person.full_name))


def agenda_of(meeting: Meeting, user: User) -> list[Item]:
    """The items whose reviews ``user`` may see, in order."""
    shown = for_user(Review.objects.all(), user, VIEW).order_by().values("pk")
    rows = list(
        meeting.items.filter(review__in=shown)
        .select_related(
            "review__use_case__unit", "review__policy_version__policy", "review__submitted_by", "review__decision"
        )
        .order_by("position")
    )
    reviews = [row.review for row in rows]
    if not reviews:
        return []
    votes = _votes(reviews)
    scenes = scenes_of(reviews, votes)
    boards = boards_of(reviews)
    bodies = _bodies(reviews)
    held = _held(reviews, user)
    absences = _absences(meeting, reviews, boards)
    found = []
    for row in rows:
        review = row.review
        slots = tuple(slot_states(scenes[review.pk].slots, votes[review.pk], board=boards.get(review.pk, Board())))
        why = refusal(scenes[review.pk], user, BOARD, held[review.pk]) if BOARD in held[review.pk] else ""
        body = bodies[review.pk]
        mandatory = [f for f in body["findings"] if f["mandatory"] and f["outcome"] != "not_applicable"]
        found.append(
            Item(
                row=row,
                review=review,
                gate=body_of(review.policy_version).gates[review.gate].title,
                met=sum(1 for f in mandatory if f["outcome"] in ("met", "waived")),
                required=len(mandatory),
                open=tuple(open_in(body)),
                slots=slots,
                board=next((s for s in slots if s.role == BOARD), None),
                absent=tuple(absences.get(review.pk, ())),
                may_vote=BOARD in held[review.pk] and review.is_open and not why,
                why_not=why if review.is_open else "",
                voted=any(v.person_id == user.pk and v.role == BOARD for v in votes[review.pk]),
            )
        )
    return found


def waiting_reviews(user: User) -> list[Review]:
    """Open reviews that ask for the board and are on no agenda to come, the most urgent first."""
    busy = AgendaItem.objects.filter(review=OuterRef("pk"), meeting__state__in=(PLANNED, IN_SESSION))
    rows = for_user(Review.objects.filter(state=Review.State.OPEN), user, VIEW).exclude(Exists(busy))
    ordered = rows.select_related("use_case", "policy_version__policy").order_by("due_at", "number")
    return [r for r in ordered[: SUGGESTED * 4] if asks_the_board(r)][:SUGGESTED]


def interests_of(user: User) -> QuerySet[Recusal, Recusal]:
    """What the person declared, the newest first."""
    return Recusal.objects.filter(person=user).select_related("use_case", "review").order_by("-declared_at")


def recusals_for(user: User) -> QuerySet[Recusal, Recusal]:
    """Recusals about use cases that ``user`` may see."""
    rows = Recusal.objects.select_related("use_case", "review", "person")
    return for_user(rows, user, VIEW)


def minutes_about(review: Review) -> list[AgendaItem]:
    """Where this review was talked about, the newest first; what was said only of meetings in session or closed."""
    rows = AgendaItem.objects.filter(review=review).exclude(meeting__state=Meeting.State.CANCELLED)
    return list(rows.select_related("meeting__chair").order_by("-meeting__starts_at"))


def _votes(reviews: list[Review]) -> dict[UUID, list[SignOff]]:
    found: dict[UUID, list[SignOff]] = {r.pk: [] for r in reviews}
    rows = SignOff.objects.filter(review__in=list(found), lapsed_at__isnull=True, digest=F("review__digest"))
    for vote in rows.select_related("person").order_by("signed_at"):
        found[vote.review_id].append(vote)
    return found


def _bodies(reviews: list[Review]) -> dict[UUID, Any]:
    rows = Snapshot.objects.filter(review__in=[r.pk for r in reviews], digest=F("review__digest"))
    return {review: json.loads(body) for review, body in rows.values_list("review_id", "body")}


def _held(reviews: list[Review], user: User) -> dict[UUID, set[str]]:
    """review -> roles that ``user`` holds there; one query for all, and the grants on units."""
    direct = grants_of([r.use_case_id for r in reviews])
    found = {}
    for review in reviews:
        path = review.use_case.unit.path
        roles = {role for who, role in direct.get(review.use_case_id, ()) if who == user.pk}
        roles |= {code.removeprefix("role_") for code, above in unit_grants(user) if path.startswith(above)}
        found[review.pk] = roles
    return found


def _absences(meeting: Meeting, reviews: Iterable[Review], boards: Mapping[UUID, Board]) -> dict[UUID, list[Absence]]:
    """Declared interests, and of a meeting that is not closed those that the unit makes."""
    wanted = list(reviews)
    declared = recusals_of(meeting, wanted)
    found = {r.pk: [Absence(d.person, d.reason) for d in declared if concerns(d, r)] for r in wanted}
    if meeting.state not in (PLANNED, IN_SESSION):
        return found
    people = {m.pk: m for m in members()}
    for pk, board in boards.items():
        known = {absence.person.pk for absence in found[pk]}
        out = (board.members & board.recused) - known
        found[pk] += [Absence(people[who], AUTOMATIC) for who in sorted(out, key=str) if who in people]
    return found


def vote_owed(user: User) -> Q:
    """Items of meetings in session whose review is open."""
    return Q(meeting__state=IN_SESSION, review__state=Review.State.OPEN) & ~Q(review__submitted_by=user)
