"""How the board's votes are counted: each part of ``board_quorum``, met and broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from gates.policy_reading import read_policy
from gates.quorum import Board, Rule, count, rule_of
from kernel.errors import Invalid
from tests.factories.gates import small_text

CHAIR, RISK, LEGAL, BUSINESS, OTHER = (uuid4() for _ in range(5))
EVERYBODY = frozenset({CHAIR, RISK, LEGAL, BUSINESS, OTHER})
FULL = Rule(
    min_members=5,
    must_include=("risk_compliance", "legal_privacy"),
    business_member=True,
    minutes_required=True,
    circulation=False,
)


@dataclass(frozen=True)
class Vote:
    person_id: UUID
    verdict: str = "approve"


def board(**fields: Any) -> Board:
    given = {
        "rule": FULL,
        "members": EVERYBODY,
        "holding": {"risk_compliance": frozenset({RISK}), "legal_privacy": frozenset({LEGAL})},
        "business": frozenset({BUSINESS}),
        "chair": CHAIR,
        "taken_up": True,
        "minuted": True,
    }
    return Board(**{**given, **fields})


def votes(*people: UUID, against: tuple[UUID, ...] = ()) -> list[Vote]:
    return [Vote(p) for p in people] + [Vote(p, "reject") for p in against]


def test_a_full_board_passes_it() -> None:
    found = count(board(), votes(*EVERYBODY))
    assert (found.state, found.conditions_only) == ("signed", False)
    assert found.note == "5 for, 0 against"


def test_a_board_of_four_decides_nothing() -> None:
    found = count(board(members=EVERYBODY - {OTHER}), votes(CHAIR, RISK, LEGAL, BUSINESS))
    assert found.state == "waiting"
    assert "has 4 members and needs at least 5" in found.note


def test_three_votes_are_the_least_however_many_are_recused() -> None:
    few = board(recused=frozenset({CHAIR, OTHER, BUSINESS}), rule=Rule(min_members=5))
    found = count(few, votes(RISK, LEGAL))
    assert (found.state, found.needed) == ("waiting", 3)


def test_more_than_half_of_those_not_recused_vote() -> None:
    seven = EVERYBODY | {uuid4(), uuid4()}
    assert count(board(members=seven), votes(RISK, LEGAL, BUSINESS)).needed == 4
    assert count(board(members=seven), votes(RISK, LEGAL, BUSINESS)).state == "waiting"
    out = frozenset(seven - EVERYBODY)
    assert count(board(members=seven, recused=out), votes(RISK, LEGAL, BUSINESS)).state == "signed"


@pytest.mark.parametrize(("left_out", "words"), [(RISK, "Risk"), (LEGAL, "Legal"), (BUSINESS, "business member")])
def test_who_has_to_be_among_the_votes_is_named_when_missing(left_out: UUID, words: str) -> None:
    found = count(board(), votes(*(EVERYBODY - {left_out})))
    assert found.state == "waiting"
    assert words in found.note
    assert len(found.missing) == 1


def test_a_signature_of_risk_on_the_same_snapshot_is_its_voice() -> None:
    found = count(board(), votes(CHAIR, LEGAL, BUSINESS), {"risk_compliance"})
    assert found.state == "signed"


def test_half_is_no_majority_unless_the_chair_is_in_it() -> None:
    for_, against = (RISK, LEGAL), (BUSINESS, OTHER)
    silent = count(board(), votes(*for_, against=against))
    assert (silent.state, "the vote of the chair decides" in silent.note) == ("waiting", True)
    six = board(members=EVERYBODY | {uuid4()})
    yes = count(six, votes(CHAIR, *for_, against=(*against, next(iter(six.members - EVERYBODY)))))
    assert (yes.state, "breaks the tie" in yes.note) == ("signed", True)
    no = count(six, votes(*for_, BUSINESS, against=(CHAIR, OTHER, next(iter(six.members - EVERYBODY)))))
    assert no.state == "rejected"


def test_a_recused_chair_breaks_no_tie() -> None:
    found = count(board(recused=frozenset({CHAIR})), votes(RISK, LEGAL, against=(BUSINESS, OTHER)))
    assert found.state == "rejected"
    assert "no chair" in found.note


def test_a_majority_against_rejects() -> None:
    assert count(board(), votes(RISK, against=(LEGAL, BUSINESS))).state == "rejected"


@pytest.mark.parametrize("who", [RISK, LEGAL])
def test_a_vote_of_risk_or_legal_against_leaves_conditions_only(who: UUID) -> None:
    found = count(board(), votes(*(EVERYBODY - {who}), against=(who,)))
    assert (found.state, found.conditions_only) == ("signed", True)
    other = count(board(), votes(*(EVERYBODY - {OTHER}), against=(OTHER,)))
    assert (other.state, other.conditions_only) == ("signed", False)


def test_what_passes_against_risk_needs_minutes() -> None:
    found = count(board(minuted=False), votes(*(EVERYBODY - {RISK}), against=(RISK,)))
    assert found.state == "waiting"
    assert "minutes" in found.note


def test_without_a_meeting_nothing_passes_unless_the_policy_allows_circulation() -> None:
    assert count(board(taken_up=False), votes(*EVERYBODY)).missing == ("a meeting has to take it up",)
    free = Rule(circulation=True)
    assert count(board(rule=free, taken_up=False), votes(*EVERYBODY)).state == "signed"


def test_a_policy_without_a_rule_asks_for_three_votes_and_more_than_half() -> None:
    rule = rule_of({})
    assert (rule.min_votes, rule.more_than_half, rule.circulation, rule.must_include) == (3, True, True, ())


def test_minutes_required_means_no_circulation_unless_said() -> None:
    assert not rule_of({"board_quorum": {"minutes_required": True}}).circulation
    assert rule_of({"board_quorum": {"minutes_required": True, "circulation": True}}).circulation


@pytest.mark.parametrize(
    "raw",
    [
        {"min_votes": "three"},
        {"min_members": -1},
        {"must_include": ["nobody"]},
        {"min_votes": True},
        {"quorum": 3},
        {"must_include": "security"},
    ],
)
def test_a_rule_that_cannot_be_one_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="board_quorum"):
        rule_of({"board_quorum": raw})


def test_a_policy_with_a_rule_that_cannot_be_one_is_refused_at_its_place() -> None:
    with pytest.raises(Invalid) as wrong:
        read_policy(small_text() + "board_quorum: {min_votes: some}\n", "test.yaml")
    said = str(wrong.value.errors)
    assert "board_quorum" in said
    assert "min_votes" in said
