"""Separation of duties: who may not sign, with the reason in words. Pure checks over what the caller loaded.

People are compared as persons, never as accounts or roles: what one did in any role counts against all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.roles import catalogue, role_name
from gates.authorship import Given
from gates.quorum import Board, count

BOARD = "ai_governance_board"
VALIDATOR = "independent_validator"
SPONSOR, OWNER = "business_sponsor", "business_owner"
TEAM = frozenset({"use_case_lead", "technical_lead", "transition_owner", "data_scientist", "data_engineer"})
ANSWERABLE = frozenset({OWNER, "technical_lead", "data_steward", "it_operations"})
"""Roles that sign for what they themselves supply: they answer for it. All others look at it from outside."""
COINCIDE = frozenset({SPONSOR, OWNER})
"""What one person may sign as at the minimal tier, in both."""


class StandIn(Protocol):
    """A delegation as far as signing is concerned: ``accounts.models.Delegation`` has it."""

    role: str
    giver_id: UUID
    stand_in_id: UUID
    giver: User
    stand_in: User
    ended_at: datetime | None

    def holds(self, at: datetime) -> bool: ...


class Vote(NamedTuple):
    """A vote that counts: the role, who gave it, and for whom if by delegation."""

    role: str
    person: UUID
    on_behalf_of: UUID | None = None

    @property
    def people(self) -> tuple[UUID, ...]:
        return (self.person,) if self.on_behalf_of is None else (self.person, self.on_behalf_of)


@dataclass(frozen=True, slots=True)
class Scene:
    """What has to be known about one review to say who may sign."""

    submitter_id: UUID
    slots: tuple[str, ...]
    signed: tuple[Vote, ...]
    """The votes that count."""
    tier: str = ""
    built: frozenset[UUID] = field(default_factory=frozenset)
    """People who made a version or ran a validation that was not independent, in the last 365 days."""
    made: frozenset[UUID] = field(default_factory=frozenset)
    """People who made a version in that time."""
    unit_members: frozenset[UUID] = field(default_factory=frozenset)
    """People who hold a role in the sponsoring unit itself."""
    recused: frozenset[UUID] = field(default_factory=frozenset)
    """People who declared an interest in this review or its use case."""
    given: tuple[Given, ...] = ()
    """Evidence in the snapshot that nobody but its author verified."""
    edited: frozenset[UUID] = field(default_factory=frozenset)
    """People who changed the scope since the use case entered its stage, in the last 365 days."""
    edited_since: frozenset[UUID] = field(default_factory=frozenset)
    """People who changed the scope after this review was submitted."""
    proposer: UUID | None = None
    """Who wrote the idea that this review is about."""
    under_lead: frozenset[UUID] = field(default_factory=frozenset)
    """People who report to a technical lead of the use case, up to three levels down."""
    stand_ins: tuple[StandIn, ...] = ()
    """Delegations of the roles asked for, in force now or when a vote that counts was given."""

    def without(self, vote: Vote) -> Scene:
        """The same without one vote: whether that vote could be given today."""
        return replace(self, signed=tuple(one for one in self.signed if one != vote))

    def stand_in(self, role: str, giver: UUID, stand_in: UUID, at: datetime) -> bool:
        """Whether that delegation was in force at ``at``, and was not taken back since."""
        return any(
            (d.role, d.giver_id, d.stand_in_id) == (role, giver, stand_in) and d.ended_at is None and d.holds(at)
            for d in self.stand_ins
        )

    def counterparts(self, person: UUID, at: datetime) -> set[UUID]:
        """Who stands in for ``person`` or has them stand in, in a role that signs here."""
        found = set()
        for d in self.stand_ins:
            if person in (d.giver_id, d.stand_in_id) and d.role in self.slots and d.holds(at):
                found.add(d.stand_in_id if person == d.giver_id else d.giver_id)
        return found


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who would sign, with the roles that they hold on the use case."""

    person: User
    held: frozenset[str]


def refusal(
    scene: Scene,
    person: User,
    role: str,
    roles_held: Iterable[str],
    *,
    on_behalf_of: Signer | None = None,
    at: datetime | None = None,
) -> str:
    """Why ``person`` may not sign as ``role``; empty when nothing stands against it.

    With ``on_behalf_of``, as the stand-in of somebody else: the role has to be theirs, and separation of duties is
    asked of both. ``at`` is the moment of signing (now).
    """
    signer = Signer(person, frozenset(roles_held))
    moment = at or timezone.now()
    answerable = on_behalf_of or signer
    return (
        _entitled(scene, answerable, role)
        or (
            _bound(scene, signer, role)
            if on_behalf_of is None
            else _delegated(scene, signer, on_behalf_of, role, moment)
        )
        or _voted(scene, signer, on_behalf_of, role, moment)
    )


def _entitled(scene: Scene, signer: Signer, role: str) -> str:
    if not signer.person.is_person:
        return "Service accounts never sign (SOD-12)."
    if not signer.person.is_active:
        return "This account is not active."
    if role not in scene.slots:
        return f"The approval matrix does not ask for a signature as {role_name(role)} here."
    if role not in signer.held or not catalogue().roles[role].signs:
        return f"You do not hold the role {role_name(role)} on this use case."
    return ""


def _bound(scene: Scene, signer: Signer, role: str) -> str:
    """What stands against this person, whatever the role is held by."""
    for check in (_administers, _recused, _independent, _own_work):
        reason = check(scene, signer, role)
        if reason:
            return reason
    return ""


def _administers(scene: Scene, signer: Signer, role: str) -> str:
    if "system_admin" in signer.held or signer.person.is_superuser:
        return "Administrators do not sign (SOD-08)."
    return ""


def _recused(scene: Scene, signer: Signer, role: str) -> str:
    if signer.person.pk in scene.recused:
        return "You declared an interest in this and take no part in deciding about it (SOD-13)."
    return ""


def _independent(scene: Scene, signer: Signer, role: str) -> str:
    person, team = signer.person.pk, signer.held & TEAM
    if role == VALIDATOR and team:
        names = ", ".join(sorted(role_name(key) for key in team))
        return f"An independent validator is not on the team: you are {names} here (SOD-03)."
    if role == VALIDATOR and person in scene.built:
        return "An independent validator built no part of it in the last 365 days: you did (SOD-03)."
    if role == VALIDATOR and person in scene.under_lead:
        return "An independent validator does not report to the technical lead: you do (SOD-03)."
    if role == BOARD and person in scene.unit_members:
        return "Board members from the sponsoring unit do not vote (SOD-13)."
    return ""


def _own_work(scene: Scene, signer: Signer, role: str) -> str:
    """Nobody signs what they submitted, own evidence of, or edited in scope; docs/sponsor.md says it in words."""
    person = signer.person.pk
    if person == scene.submitter_id:
        return "You cannot sign this: you submitted it (SOD-01)."
    if person in scene.edited_since:
        return "You cannot sign this: you changed its scope after it was submitted. Have it submitted anew (SOD-01)."
    if person in scene.made and len(scene.slots) == 1:
        return "You cannot sign this alone: you made the version, and nobody else signs (SOD-07)."
    return "" if role in ANSWERABLE else _seen_from_outside(scene, person, role)


def _seen_from_outside(scene: Scene, person: UUID, role: str) -> str:
    """What stands against the signature of somebody who is to look at the work of others."""
    sentence = f"You cannot sign this as {role_name(role)}: "
    if person in scene.edited:
        return f"{sentence}you changed its scope in this stage (SOD-01)."
    if person == scene.proposer and role != SPONSOR:
        return f"{sentence}you proposed it (SOD-01)."
    if person in scene.made:
        return f"{sentence}you made the version (SOD-07)."
    own = {g.criterion for g in scene.given if g.author == person and role not in (g.owner, g.attested_as)}
    if own:
        criteria = ", ".join(sorted(own))
        return f"{sentence}you gave the evidence for {criteria}, and nobody else verified it (SOD-05)."
    return ""


def _delegated(scene: Scene, signer: Signer, giver: Signer, role: str, at: datetime) -> str:
    """Separation of duties for both, and the delegation itself (SOD-10)."""
    if not signer.person.is_person:
        return "Service accounts never sign (SOD-12)."
    if not signer.person.is_active:
        return "This account is not active."
    if not scene.stand_in(role, giver.person.pk, signer.person.pk, at):
        return f"You do not stand in for {giver.person} as {role_name(role)} (SOD-10)."
    if reason := _bound(scene, signer, role):
        return reason
    if reason := _bound(scene, giver, role):
        return f"{giver.person} could not sign this either, so nobody can in their place: “{reason}” (SOD-10)."
    return ""


def _voted(scene: Scene, signer: Signer, giver: Signer | None, role: str, at: datetime) -> str:
    """One person, one role, one vote; who stands in for somebody and that person are one."""
    for someone in (signer.person, giver.person if giver else None):
        if someone is None:
            continue
        theirs = [vote for vote in scene.signed if someone.pk in vote.people]
        if theirs and not _may_coincide(scene, theirs, role, giver):
            own = someone.pk == signer.person.pk
            who = "You have already signed" if own else f"{someone} has already signed"
            return f"{who} this review; one person signs once (SOD-02)."
        for other in scene.counterparts(someone.pk, at) - {signer.person.pk}:
            if any(other in vote.people for vote in scene.signed):
                return "You and whoever stands in for you are one: a signature of the two is given (SOD-10)."
    if role != BOARD and any(vote.role == role for vote in scene.signed):
        return f"The signature as {role_name(role)} is already given."
    return ""


def _may_coincide(scene: Scene, given: list[Vote], role: str, giver: Signer | None) -> bool:
    """At the minimal tier, sponsor and owner may be one person, who then signs as both."""
    roles = {role, *(vote.role for vote in given)}
    by_delegation = giver is not None or any(vote.on_behalf_of for vote in given)
    return scene.tier == "minimal" and len(given) == 1 and roles == COINCIDE and not by_delegation


@dataclass(frozen=True, slots=True)
class SlotState:
    """How far one required signature is."""

    role: str
    name: str
    state: str
    """waiting, signed, rejected."""
    votes: tuple[Any, ...]
    needed: int = 1
    note: str = ""
    conditions_only: bool = False
    """It is given, but for a go on conditions alone."""


def slot_states(slots: Iterable[str], votes: Iterable[Any], *, board: Board) -> list[SlotState]:
    """The state of every slot from the votes that count (rows with ``role``, ``verdict`` and ``person_id``).

    The board's votes are counted as ``gates.quorum`` says; every other slot is one signature. A reject by any other
    role blocks.
    """
    cast = list(votes)
    return [_slot(role, cast, board) for role in slots]


def _slot(role: str, cast: list[Any], board: Board) -> SlotState:
    votes = [v for v in cast if v.role == role]
    if role != BOARD:
        against = any(v.verdict == "reject" for v in votes)
        state = "waiting" if not votes else "rejected" if against else "signed"
        return SlotState(role, role_name(role), state, tuple(votes))
    found = count(board, votes, {v.role for v in cast if v.verdict != "reject"})
    return SlotState(role, role_name(role), found.state, tuple(votes), found.needed, found.note, found.conditions_only)


def complete(states: Iterable[SlotState]) -> bool:
    return all(s.state == "signed" for s in states)
