"""Separation of duties: who may not sign, with the reason in words. Pure checks over what the caller loaded.

People are compared as persons, never as accounts or roles: what one did in any role counts against all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.roles import catalogue, role_name
from gates.quorum import Board, count

BOARD = "ai_governance_board"
VALIDATOR = "independent_validator"
TEAM = frozenset({"use_case_lead", "technical_lead", "transition_owner", "data_scientist", "data_engineer"})


@dataclass(frozen=True, slots=True)
class Scene:
    """What has to be known about one review to say who may sign."""

    submitter_id: UUID
    slots: tuple[str, ...]
    signed: tuple[tuple[str, UUID], ...]
    """(role, person) of the votes that count."""
    built: frozenset[UUID] = field(default_factory=frozenset)
    """People who made a version or ran a validation that was not independent, in the last 365 days."""
    unit_members: frozenset[UUID] = field(default_factory=frozenset)
    """People who hold a role in the sponsoring unit itself."""
    recused: frozenset[UUID] = field(default_factory=frozenset)
    """People who declared an interest in this review or its use case."""

    def without(self, person_id: UUID) -> Scene:
        """The same without one person's vote: whether that vote could be given today."""
        return replace(self, signed=tuple(pair for pair in self.signed if pair[1] != person_id))


def refusal(scene: Scene, person: User, role: str, roles_held: Iterable[str]) -> str:
    """Why ``person`` may not sign as ``role``; empty when nothing stands against it."""
    held = set(roles_held)
    name = role_name(role)
    for check in (_entitled, _independent):
        reason = check(scene, person, role, held)
        if reason:
            return reason
    if person.pk == scene.submitter_id:
        return "You cannot sign this: you submitted it (SOD-01)."
    if any(who == person.pk for _role, who in scene.signed):
        return "You have already signed this review; one person signs once (SOD-02)."
    if role != BOARD and any(signed == role for signed, _who in scene.signed):
        return f"The signature as {name} is already given."
    return ""


def _entitled(scene: Scene, person: User, role: str, held: set[str]) -> str:
    if not person.is_person:
        return "Service accounts never sign (SOD-12)."
    if not person.is_active:
        return "This account is not active."
    if role not in scene.slots:
        return f"The approval matrix does not ask for a signature as {role_name(role)} here."
    if role not in held or not catalogue().roles[role].signs:
        return f"You do not hold the role {role_name(role)} on this use case."
    if "system_admin" in held:
        return "Administrators do not sign (SOD-08)."
    if person.pk in scene.recused:
        return "You declared an interest in this and take no part in deciding about it (SOD-13)."
    return ""


def _independent(scene: Scene, person: User, role: str, held: set[str]) -> str:
    if role == VALIDATOR and held & TEAM:
        names = ", ".join(sorted(role_name(key) for key in held & TEAM))
        return f"An independent validator is not on the team: you are {names} here (SOD-03)."
    if role == VALIDATOR and person.pk in scene.built:
        return "An independent validator built no part of it in the last 365 days: you did (SOD-03)."
    if role == BOARD and person.pk in scene.unit_members:
        return "Board members from the sponsoring unit do not vote (SOD-13)."
    return ""


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
