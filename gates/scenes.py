"""Load what separation of duties has to know about a review: once, for however many signatures it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.models import Absence, Delegation, RoleAssignment, User
from accounts.people import people_on
from gates.authorship import given_in, scope_editors
from gates.duties import ANSWERABLE, BOARD, VALIDATOR, Scene, Signer, SlotState, StandIn, Vote, refusal, slot_states
from gates.in_force import body_of
from gates.models import Review, SignOff
from gates.quorum import Board
from gates.seats import boards_of, recused_on, unit_members
from governance.models import ModelVersion, ValidationRun

LOOK_BACK = timedelta(days=365)
LEAD = "technical_lead"


@dataclass(frozen=True, slots=True)
class Room:
    """A review with its votes, and the people who may enter."""

    review: Review
    votes: tuple[SignOff, ...]
    """Those that count."""
    scene: Scene
    people: Mapping[str, tuple[User, ...]]
    """role -> active people who hold it on the use case, by name."""
    board: Board
    expired: tuple[SignOff, ...] = ()
    """Votes on the current snapshot that are older than the policy lets them live."""
    away: Mapping[UUID, Absence] | None = None
    """person -> their absence of today."""

    def held_by(self, person: User) -> frozenset[str]:
        return frozenset(role for role, people in self.people.items() if any(p.pk == person.pk for p in people))

    def refusal(self, person: User, role: str, on_behalf_of: User | None = None) -> str:
        """Why ``person`` may not sign as ``role`` now (in the place of another); empty when nothing stands against."""
        return self._refusal(self.scene, person, role, on_behalf_of)

    def capacities(self, person: User) -> list[tuple[str, User | None]]:
        """In what the person could sign now: their own roles, and those in which they stand in for somebody."""
        own: list[tuple[str, User | None]] = [(r, None) for r in self.scene.slots if not self.refusal(person, r)]
        now = timezone.now()
        taken = [d for d in self.scene.stand_ins if d.stand_in_id == person.pk and d.holds(now)]
        return own + [(d.role, d.giver) for d in taken if not self.refusal(person, d.role, d.giver)]

    def refusal_of_vote(self, vote: SignOff) -> str:
        """Why a vote already given would be refused today."""
        scene = self.scene.without(_vote(vote))
        return self._refusal(scene, vote.person, vote.role, vote.on_behalf_of, at=vote.signed_at)

    def _refusal(self, scene: Scene, person: User, role: str, giver: User | None, at: datetime | None = None) -> str:
        other = Signer(giver, self.held_by(giver)) if giver is not None else None
        return refusal(scene, person, role, self.held_by(person), on_behalf_of=other, at=at)

    def slots(self) -> list[SlotState]:
        """Every required signature and how far it is."""
        found = slot_states(self.scene.slots, self.votes, board=self.board)
        return [self._noting_expired(slot) for slot in found] if self.expired else found

    def waited_for(self) -> list[User]:
        """People who could give a signature that is still missing, stand-ins among them."""
        found: dict[UUID, User] = {}
        for slot in self.slots():
            if slot.state == "waiting":
                found.update((p.pk, p) for p in self.people.get(slot.role, ()) if not self.refusal(p, slot.role))
                found.update((d.stand_in_id, d.stand_in) for d in self.standing_in(slot.role))
        return list(found.values())

    def standing_in(self, role: str) -> list[StandIn]:
        """Delegations by which somebody could sign as ``role`` in the place of another now."""
        now = timezone.now()
        return [
            d
            for d in self.scene.stand_ins
            if d.role == role and d.holds(now) and not self.refusal(d.stand_in, role, d.giver)
        ]

    def _noting_expired(self, slot: SlotState) -> SlotState:
        gone = [v for v in self.expired if v.role == slot.role]
        if slot.state != "waiting" or not gone:
            return slot
        words = "; ".join(f"the sign-off of {v.signer_name} has expired: it has to be given again" for v in gone)
        return replace(slot, note=f"{slot.note}; {words}" if slot.note else words)


def room_of(review: Review, votes: Iterable[SignOff] | None = None) -> Room:
    """Sixteen queries at most, twelve of a review that asks for neither board nor validator."""
    cast, expired = (tuple(votes), ()) if votes is not None else _votes(review)
    people: dict[str, dict[UUID, User]] = {}
    for held in people_on([review.use_case_id])[review.use_case_id]:
        people.setdefault(held.role, {})[held.user.pk] = held.user
    by_name = {role: tuple(sorted(found.values(), key=_name)) for role, found in people.items()}
    holders = {role: frozenset(found) for role, found in people.items()}
    scene = scenes_of([review], {review.pk: cast}, holders={review.use_case_id: holders})[review.pk]
    out = {review.pk: scene.unit_members | scene.recused}
    board = boards_of([review], holders={review.use_case_id: holders}, recused=out).get(review.pk, Board())
    waited = {pk for role in scene.slots for pk in people.get(role, ())} if review.is_open else set()
    return Room(review, cast, scene, by_name, board, expired, absences_of(waited))


def rooms_of(reviews: Iterable[Review], votes: Mapping[UUID, Iterable[SignOff]]) -> dict[UUID, Room]:
    """Rooms for asking whether votes still count: without boards and absences, a constant number of queries for all."""
    wanted = list(reviews)
    people: dict[UUID, dict[str, dict[UUID, User]]] = {r.use_case_id: {} for r in wanted}
    for use_case, held in people_on(people).items():
        for one in held:
            people[use_case].setdefault(one.role, {})[one.user.pk] = one.user
    holders = {pk: {role: frozenset(who) for role, who in roles.items()} for pk, roles in people.items()}
    scenes = scenes_of(wanted, votes, holders=holders)
    by_name = {
        pk: {role: tuple(sorted(who.values(), key=_name)) for role, who in roles.items()}
        for pk, roles in people.items()
    }
    return {r.pk: Room(r, tuple(votes[r.pk]), scenes[r.pk], by_name[r.use_case_id], Board()) for r in wanted}


def votes_that_count(review: Review) -> list[SignOff]:
    """Votes on the current digest that have neither lapsed nor expired, oldest first."""
    return list(_votes(review)[0])


def still_counts(vote: SignOff, review: Review, at: datetime | None = None) -> bool:
    """Whether a vote on the current snapshot is young enough; in a closed review it is what it was."""
    if not review.is_open:
        return True
    return (at or timezone.now()) < expires_at(vote, review)


def expires_at(vote: SignOff, review: Review) -> datetime:
    """When a vote ends: as many days after signing as the review's policy says."""
    return vote.signed_at + timedelta(days=body_of(review.policy_version).sign_off_validity_days)


def absences_of(people: Iterable[UUID]) -> dict[UUID, Absence]:
    """person -> their absence of today, in one query."""
    wanted = set(people)
    if not wanted:
        return {}
    today = timezone.localdate()
    rows = Absence.objects.select_related("stand_in").filter(
        person__in=wanted, cancelled_at__isnull=True, starts_on__lte=today, ends_on__gte=today
    )
    return {row.person_id: row for row in rows.order_by("ends_on")}


def scenes_of(
    reviews: Iterable[Review],
    votes: Mapping[UUID, Iterable[SignOff]],
    *,
    holders: Mapping[UUID, Mapping[str, frozenset[UUID]]] | None = None,
) -> dict[UUID, Scene]:
    """What stands for or against signatures on these reviews, in a constant number of queries for all of them.

    ``holders`` (use case -> role -> people) when they are at hand.
    """
    wanted = list(reviews)
    roles = {r.pk: tuple(slot["role"] for slot in r.slots) for r in wanted}
    outside = [r for r in wanted if set(roles[r.pk]) - ANSWERABLE or len(roles[r.pk]) == 1]
    made, tested = _builders({r.use_case_id for r in outside})
    members = unit_members([r.use_case for r in wanted if BOARD in roles[r.pk]])
    recused = recused_on(wanted)
    given = given_in(outside)
    editors = scope_editors({r.use_case_id for r in wanted})
    under = _under_leads([r for r in wanted if VALIDATOR in roles[r.pk]], holders)
    stand_ins = _stand_ins({role for asked in roles.values() for role in asked})
    long_ago = timezone.now() - LOOK_BACK
    found = {}
    for r in wanted:
        edits = editors.get(r.use_case_id, {})
        since = max(r.use_case.stage_since, long_ago)
        found[r.pk] = Scene(
            submitter_id=r.submitted_by_id,
            slots=roles[r.pk],
            signed=tuple(_vote(v) for v in votes[r.pk]),
            tier=r.tier,
            built=frozenset(made.get(r.use_case_id, set()) | tested.get(r.use_case_id, set())),
            made=frozenset(made.get(r.use_case_id, ())),
            unit_members=frozenset(members.get(r.use_case_id, ())),
            recused=recused[r.pk],
            given=given.get(r.pk, ()),
            edited=frozenset(p for p, at in edits.items() if at >= since),
            edited_since=frozenset(p for p, at in edits.items() if at > r.submitted_at),
            proposer=r.use_case.created_by_id if r.use_case.stage == "idea" else None,
            under_lead=under.get(r.use_case_id, frozenset()),
            stand_ins=tuple(d for d in stand_ins if d.role in roles[r.pk]),
        )
    return found


def _votes(review: Review) -> tuple[tuple[SignOff, ...], tuple[SignOff, ...]]:
    rows = review.sign_offs.select_related("person", "on_behalf_of").filter(
        lapsed_at__isnull=True, digest=review.digest
    )
    now, found = timezone.now(), list(rows.order_by("signed_at"))
    counting = tuple(v for v in found if still_counts(v, review, now))
    return counting, tuple(v for v in found if v not in counting)


def _vote(row: SignOff) -> Vote:
    return Vote(row.role, row.person_id, row.on_behalf_of_id)


def _builders(use_cases: set[UUID]) -> tuple[dict[UUID, set[UUID]], dict[UUID, set[UUID]]]:
    """use case -> who made a version, and who ran a test that was not independent, in the last year."""
    made: dict[UUID, set[UUID]] = {}
    tested: dict[UUID, set[UUID]] = {}
    if not use_cases:
        return made, tested
    since = timezone.now() - LOOK_BACK
    authors = ModelVersion.objects.filter(model__use_case__in=use_cases, registered_at__gte=since)
    testers = ValidationRun.objects.filter(
        use_case__in=use_cases, recorded_at__gte=since, independent=False, recorded_by__isnull=False
    )
    for use_case, person in authors.order_by().values_list("model__use_case_id", "author_id").distinct():
        made.setdefault(use_case, set()).add(person)
    for use_case, person in testers.order_by().values_list("use_case_id", "recorded_by_id").distinct():
        tested.setdefault(use_case, set()).add(person)
    return made, tested


def _under_leads(
    reviews: list[Review], holders: Mapping[UUID, Mapping[str, frozenset[UUID]]] | None
) -> dict[UUID, frozenset[UUID]]:
    """use case -> validators whose manager, or one of the two above, leads it technically."""
    if not reviews:
        return {}
    if holders is None:
        holders = _holders({r.use_case_id for r in reviews})
    validators = {pk for r in reviews for pk in holders[r.use_case_id].get(VALIDATOR, ())}
    lines = {
        pk: {above for above in line if above}
        for pk, *line in User.objects.filter(pk__in=validators).values_list(
            "pk", "manager_id", "manager__manager_id", "manager__manager__manager_id"
        )
    }
    return {
        r.use_case_id: frozenset(
            pk
            for pk in holders[r.use_case_id].get(VALIDATOR, ())
            if lines.get(pk, set()) & holders[r.use_case_id].get(LEAD, frozenset())
        )
        for r in reviews
    }


def _holders(use_cases: set[UUID]) -> dict[UUID, dict[str, frozenset[UUID]]]:
    found: dict[UUID, dict[str, frozenset[UUID]]] = {}
    for use_case, people in people_on(use_cases).items():
        roles: dict[str, set[UUID]] = {}
        for held in people:
            roles.setdefault(held.role, set()).add(held.user.pk)
        found[use_case] = {role: frozenset(who) for role, who in roles.items()}
    return found


def _stand_ins(roles: set[str]) -> list[Delegation]:
    """Delegations of these roles that began and ended not so long ago that no vote could rest on them.

    Both have to hold the role still: who lost it gives and takes nothing.
    """
    now = timezone.now()
    rows = Delegation.objects.select_related("giver", "stand_in").filter(
        role__in=roles, starts_at__lte=now, ends_at__gt=now - LOOK_BACK
    )
    found = list(rows.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=now - LOOK_BACK)))
    if not found:
        return []
    people = {pk for d in found for pk in (d.giver_id, d.stand_in_id)}
    held = RoleAssignment.objects.filter(ended_at__isnull=True, role__in=roles, user__in=people)
    holds = set(held.order_by().values_list("user_id", "role"))
    return [d for d in found if {(d.giver_id, d.role), (d.stand_in_id, d.role)} <= holds]


def _name(person: User) -> tuple[str, str]:
    return (person.full_name, person.email)
