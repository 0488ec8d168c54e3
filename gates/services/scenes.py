"""Load what separation of duties has to know about a review: once, for however many signatures it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.people import people_on
from gates.duties import BOARD, VALIDATOR, Scene, SlotState, refusal, slot_states
from gates.models import Review, SignOff
from gates.quorum import Board
from gates.seats import boards_of, recused_on, unit_members
from governance.models import ModelVersion, ValidationRun

LOOK_BACK_DAYS = 365


@dataclass(frozen=True, slots=True)
class Room:
    """A review with its votes, and the people who may enter."""

    review: Review
    votes: tuple[SignOff, ...]
    scene: Scene
    people: Mapping[str, tuple[User, ...]]
    """role -> active people who hold it on the use case, by name."""
    board: Board

    def held_by(self, person: User) -> frozenset[str]:
        return frozenset(role for role, people in self.people.items() if any(p.pk == person.pk for p in people))

    def refusal(self, person: User, role: str) -> str:
        """Why ``person`` may not sign as ``role`` now; empty when nothing stands against it."""
        return refusal(self.scene, person, role, self.held_by(person))

    def refusal_of_vote(self, vote: SignOff) -> str:
        """Why a vote already given would be refused today."""
        return refusal(self.scene.without(vote.person_id), vote.person, vote.role, self.held_by(vote.person))

    def slots(self) -> list[SlotState]:
        """Every required signature and how far it is."""
        return slot_states(self.scene.slots, self.votes, board=self.board)

    def waited_for(self) -> list[User]:
        """People who could give a signature that is still missing."""
        found: dict[UUID, User] = {}
        for slot in self.slots():
            if slot.state == "waiting":
                found.update((p.pk, p) for p in self.people.get(slot.role, ()) if not self.refusal(p, slot.role))
        return list(found.values())


def room_of(review: Review, votes: Iterable[SignOff] | None = None) -> Room:
    """Ten queries at most, six of a review that does not ask for the board."""
    cast = tuple(votes_that_count(review) if votes is None else votes)
    people: dict[str, dict[UUID, User]] = {}
    for held in people_on([review.use_case_id])[review.use_case_id]:
        people.setdefault(held.role, {})[held.user.pk] = held.user
    by_name = {role: tuple(sorted(found.values(), key=_name)) for role, found in people.items()}
    holders = {role: frozenset(found) for role, found in people.items()}
    scene = scenes_of([review], {review.pk: cast})[review.pk]
    out = {review.pk: scene.unit_members | scene.recused}
    board = boards_of([review], holders={review.use_case_id: holders}, recused=out).get(review.pk, Board())
    return Room(review, cast, scene, by_name, board)


def votes_that_count(review: Review) -> list[SignOff]:
    """Votes on the current digest that have not lapsed, oldest first."""
    rows = review.sign_offs.select_related("person").filter(lapsed_at__isnull=True, digest=review.digest)
    return list(rows.order_by("signed_at"))


def scenes_of(reviews: Iterable[Review], votes: Mapping[UUID, Iterable[SignOff]]) -> dict[UUID, Scene]:
    """What stands for or against signatures on these reviews; four queries for all of them."""
    wanted = list(reviews)
    roles = {r.pk: tuple(slot["role"] for slot in r.slots) for r in wanted}
    built = _builders({r.use_case_id for r in wanted if VALIDATOR in roles[r.pk]})
    members = unit_members([r.use_case for r in wanted if BOARD in roles[r.pk]])
    recused = recused_on(wanted)
    return {
        r.pk: Scene(
            submitter_id=r.submitted_by_id,
            slots=roles[r.pk],
            signed=tuple((v.role, v.person_id) for v in votes[r.pk]),
            built=frozenset(built.get(r.use_case_id, ())),
            unit_members=frozenset(members.get(r.use_case_id, ())),
            recused=recused[r.pk],
        )
        for r in wanted
    }


def _builders(use_cases: set[UUID]) -> dict[UUID, set[UUID]]:
    """use case -> people who made a version or ran a test that was not independent, in the last year."""
    found: dict[UUID, set[UUID]] = {}
    if not use_cases:
        return found
    since = timezone.now() - timedelta(days=LOOK_BACK_DAYS)
    authors = ModelVersion.objects.filter(model__use_case__in=use_cases, registered_at__gte=since)
    testers = ValidationRun.objects.filter(use_case__in=use_cases, recorded_at__gte=since, independent=False)
    for use_case, person in authors.values_list("model__use_case_id", "author_id"):
        found.setdefault(use_case, set()).add(person)
    for use_case, person in testers.values_list("use_case_id", "recorded_by_id"):
        found.setdefault(use_case, set()).add(person)
    return found


def _name(person: User) -> tuple[str, str]:
    return (person.full_name, person.email)
