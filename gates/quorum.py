"""How the board's votes are counted: who has to be there, how many, and what a majority is. Pure functions.

The rule is the policy's ``board_quorum``; docs/board.md says in words what each key means. A policy without one asks
for three votes and more than half of the members who may vote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from accounts.roles import catalogue, role_name

LEAST_VOTES = 3
REJECT = "reject"
KEYS = frozenset(
    {
        "min_members",
        "min_votes",
        "more_than_half_of_unrecused",
        "must_include",
        "business_member_from_another_unit",
        "minutes_required",
        "circulation",
        "decision",
    }
)
"""What a policy may say; ``decision`` is a sentence for people."""
BUSINESS = frozenset({"business_sponsor", "business_owner"})
"""Roles that make a board member one of the business."""


class Vote(Protocol):
    """What has to be known of a vote: a ``SignOff`` has it."""

    @property
    def person_id(self) -> Any: ...
    @property
    def verdict(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """The policy's ``board_quorum``."""

    min_members: int = 0
    min_votes: int = LEAST_VOTES
    more_than_half: bool = True
    must_include: tuple[str, ...] = ()
    business_member: bool = False
    minutes_required: bool = False
    circulation: bool = True
    """Whether votes are enough although no meeting took the review up."""


ANY_BOARD = Rule()


def rule_of(policy_data: Mapping[str, Any]) -> Rule:
    """The rule of a policy's plain form. ``ValueError`` names a value that cannot be one.

    Votes by circulation are allowed where the policy says so, or where it asks for no minutes.
    """
    raw = policy_data.get("board_quorum") or {}
    if not isinstance(raw, Mapping):
        raise ValueError("board_quorum has to be a mapping")  # noqa: TRY004  # one kind of error for a bad policy
    strange = sorted(set(map(str, raw)) - KEYS)
    if strange:
        raise ValueError(f"board_quorum: unknown key {strange[0]!r} (known: {', '.join(sorted(KEYS))})")
    must_include = tuple(raw.get("must_include") or ())
    unknown = [key for key in must_include if key not in catalogue().roles]
    if unknown:
        raise ValueError(f"board_quorum.must_include: unknown role {unknown[0]!r}")
    minutes = bool(raw.get("minutes_required", False))
    if isinstance(raw.get("must_include"), str):
        raise ValueError("board_quorum.must_include has to be a list")  # noqa: TRY004  # as above
    return Rule(
        min_members=_count(raw, "min_members", 0),
        min_votes=max(1, _count(raw, "min_votes", LEAST_VOTES)),
        more_than_half=bool(raw.get("more_than_half_of_unrecused", True)),
        must_include=must_include,
        business_member=bool(raw.get("business_member_from_another_unit", False)),
        minutes_required=minutes,
        circulation=bool(raw.get("circulation", not minutes)),
    )


@dataclass(frozen=True, slots=True)
class Board:
    """The board as it stands before one review."""

    rule: Rule = ANY_BOARD
    members: frozenset[UUID] = frozenset()
    recused: frozenset[UUID] = frozenset()
    """From the sponsoring unit, or with an interest of their own. Not all of them need be members."""
    holding: Mapping[str, frozenset[UUID]] = field(default_factory=dict)
    """role of ``must_include`` -> people who hold it."""
    business: frozenset[UUID] = frozenset()
    """Members with a business role in another unit."""
    chair: UUID | None = None
    """Who chairs the newest meeting that has the review on its agenda."""
    taken_up: bool = False
    """Whether a meeting that is in session or closed has it on its agenda."""
    minuted: bool = False
    """Whether there are minutes on it."""

    @property
    def able(self) -> frozenset[UUID]:
        return self.members - self.recused

    @property
    def needed(self) -> int:
        """How many votes make a quorum."""
        half = len(self.able) // 2 + 1 if self.rule.more_than_half else 0
        return max(self.rule.min_votes, half)


@dataclass(frozen=True, slots=True)
class Count:
    """What the votes come to."""

    state: str
    """waiting, signed, rejected."""
    needed: int
    note: str
    missing: tuple[str, ...] = ()
    conditions_only: bool = False
    """Risk or legal voted against: what passes, passes on conditions or is voted on again."""


def count(board: Board, votes: Iterable[Vote], signed_roles: Iterable[str] = ()) -> Count:
    """Count the votes of members. ``signed_roles`` are the roles that signed the same snapshot without rejecting it."""
    cast = list(votes)
    missing = _quorum(board, cast)
    tally = f"{_for(cast)} for, {len(cast) - _for(cast)} against"
    if missing:
        return Count("waiting", board.needed, _sentence(missing), tuple(missing))
    verdict, why = _majority(board, cast)
    if verdict == "waiting":
        return Count("waiting", board.needed, f"{tally}; {why}", (why,))
    if verdict == "rejected":
        return Count("rejected", board.needed, f"{tally}{'; ' + why if why else ''}")
    dissent = _dissent(board, cast)
    missing = [*_voices(board, cast, set(signed_roles)), *_meeting(board, dissent=bool(dissent))]
    if missing:
        return Count("waiting", board.needed, f"{tally}; {_sentence(missing)}", tuple(missing))
    if dissent:
        names = " and ".join(role_name(key) for key in dissent)
        note = f"{tally}; {names} voted against: on conditions only, or a new vote"
        return Count("signed", board.needed, note, conditions_only=True)
    return Count("signed", board.needed, f"{tally}{'; ' + why if why else ''}")


def _quorum(board: Board, cast: list[Vote]) -> list[str]:
    found = []
    if len(board.members) < board.rule.min_members:
        found.append(f"the board has {len(board.members)} members and needs at least {board.rule.min_members}")
    if len(cast) < board.needed:
        found.append(f"{len(cast)} of {board.needed} votes that the board needs")
    return found


def _majority(board: Board, cast: list[Vote]) -> tuple[str, str]:
    """More than half of the votes; of a tie the chair's vote decides."""
    given = _for(cast)
    if 2 * given != len(cast):
        return ("signed" if 2 * given > len(cast) else "rejected"), ""
    if board.chair is None or board.chair not in board.able:
        return "rejected", "a tie, and no chair to break it"
    chairs = next((v.verdict for v in cast if v.person_id == board.chair), None)
    if chairs is None:
        return "waiting", "a tie: the vote of the chair decides"
    return ("rejected" if chairs == REJECT else "signed"), "the chair's vote breaks the tie"


def _voices(board: Board, cast: list[Vote], signed: set[str]) -> list[str]:
    """Who has to be among the votes. A signature of that role on the same snapshot is its voice as well."""
    voters = {v.person_id for v in cast}
    found = [
        f"nobody speaks for {role_name(key)}: neither a member's vote nor that signature"
        for key in board.rule.must_include
        if key not in signed and not voters & board.holding.get(key, frozenset())
    ]
    if board.rule.business_member and not voters & board.business:
        found.append("a vote of a business member from another unit")
    return found


def _meeting(board: Board, *, dissent: bool) -> list[str]:
    if not board.taken_up and not board.rule.circulation:
        return ["a meeting has to take it up"]
    if dissent and board.rule.minutes_required and not board.minuted:
        return ["minutes have to say why it passes against risk or legal"]
    return []


def _dissent(board: Board, cast: list[Vote]) -> list[str]:
    """Roles of ``must_include`` whose holders voted against."""
    against = {v.person_id for v in cast if v.verdict == REJECT}
    return [key for key in board.rule.must_include if against & board.holding.get(key, frozenset())]


def _for(cast: list[Vote]) -> int:
    return sum(1 for v in cast if v.verdict != REJECT)


def _sentence(parts: Iterable[str]) -> str:
    return "; ".join(parts)


def _count(raw: Mapping[str, Any], key: str, default: int) -> int:
    value = raw.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"board_quorum.{key} has to be a whole number, not {value!r}")
    return value
