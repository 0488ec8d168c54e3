"""A go with conditions: when it has to be one, what it carries, and what of it goes on record."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from gates.models import Condition, Decision, GateAssurance
from gates.services.decisions import decide, readiness
from kernel.errors import Invalid, NotReady
from ledger.models import Event
from notify.models import Notice
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.conditions import go_with, in_days, term
from tests.factories.gates import BOARD, Case, ready_case, small_text
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def signed(case: Case, **verdicts: str) -> Any:
    review = case.submit()
    for role in case.signers:
        case.sign(review, role, verdicts.get(role, "approve"))
    review.refresh_from_db()
    return review


def test_a_go_with_conditions_moves_the_stage_and_leaves_something_owed() -> None:
    case = ready_case()
    owner = case.signers["technical_lead"]
    row = go_with(case, term(owner, text="  Measure again.  "))[0]
    assert case.use_case.stage == "poc"
    assert GateAssurance.objects.get().state == "in_force"
    assert (row.text, row.owner, row.state, row.position) == ("Measure again.", owner, "open", 1)
    assert row.decision.outcome == "go_with_conditions"
    assert Event.objects.filter(action="condition.imposed").count() == 1
    assert Notice.objects.get(kind="condition.imposed").recipient == owner


def test_the_conditions_are_part_of_the_record_and_of_its_digest() -> None:
    case = ready_case()
    owner = case.signers["technical_lead"]
    rows = go_with(case, term(owner), term(owner, text="Tell the users."))
    decision = rows[0].decision
    body = json.loads(decision.body)
    assert hashlib.sha256(decision.body.encode()).hexdigest() == decision.body_digest
    assert [c["text"] for c in body["conditions"]] == ["Measure again with real letters.", "Tell the users."]
    assert body["conditions"][1] == {
        "position": 2,
        "text": "Tell the users.",
        "scope": "The first unit only",
        "owner": str(owner.pk),
        "due_on": in_days(30).isoformat(),
        "evidence_wanted": "A validation run",
    }


def test_a_plain_go_is_refused_while_somebody_approves_with_conditions() -> None:
    case = ready_case()
    review = signed(case, technical_lead="approve_with_conditions")
    assert readiness(review).open
    with pytest.raises(NotReady, match="conditions only") as refused:
        case.decide(review)
    assert case.signers["technical_lead"].full_name in refused.value.errors["sign_offs"][0]
    assert not Decision.objects.exists()
    decided = case.decide(review, "go_with_conditions", conditions=[term(case.signers["technical_lead"])])
    assert decided.conditions.count() == 1


def test_a_vote_that_lapsed_forces_nothing() -> None:
    case = ready_case()
    review = signed(case, technical_lead="approve_with_conditions")
    case.use_case.target_users = "Everybody"
    case.use_case.save()
    with pytest.raises(Exception, match="facts changed"):
        case.decide(review)
    case.sign_all(review)
    assert case.decide(review).outcome == "go"


def test_conditions_are_no_way_around_a_missing_signature_or_a_rejection() -> None:
    case = ready_case()
    review = case.submit()
    case.sign(review, "business_owner")
    given = [term(case.signers["technical_lead"])]
    with pytest.raises(NotReady, match="cannot be decided yet"):
        case.decide(review, "go_with_conditions", conditions=given)
    case.sign(review, "technical_lead", "reject")
    with pytest.raises(NotReady, match="cannot be decided yet"):
        case.decide(review, "go_with_conditions", conditions=given)
    assert not Condition.objects.exists()


@pytest.mark.parametrize(("count", "word"), [(0, "at least one"), (6, "At most 5")])
def test_it_carries_one_to_five_conditions(count: int, word: str) -> None:
    case = ready_case()
    review = signed(case)
    given = [term(case.signers["technical_lead"])] * count
    with pytest.raises(Invalid) as wrong:
        case.decide(review, "go_with_conditions", conditions=given)
    assert word in wrong.value.errors["conditions"][0]
    assert case.decide(review, "go_with_conditions", conditions=given[:1] or [term(case.lead)]).conditions.count() == 1


def test_five_are_allowed() -> None:
    case = ready_case()
    assert len(go_with(case, *[term(case.lead)] * 5)) == 5


@pytest.mark.parametrize("outcome", ["go", "return"])
def test_no_other_decision_carries_conditions(outcome: str) -> None:
    case = ready_case()
    review = signed(case)
    with pytest.raises(Invalid) as wrong:
        case.decide(review, outcome, reason="Because.", conditions=[term(case.lead)])
    assert "conditions" in wrong.value.errors
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", " "),
        ("scope", ""),
        ("evidence_wanted", ""),
        ("text", "x" * 2001),
        ("scope", "x" * 301),
        ("due_on", None),
        ("due_on", "2026-02-31"),
        ("due_on", "soon"),
        ("due_on", timezone.localdate()),
        ("due_on", in_days(-1)),
        ("due_on", in_days(366)),
        ("owner", None),
        ("owner", "ada@example.org"),
    ],
)
def test_every_part_of_a_condition_is_asked_for(field: str, value: Any) -> None:
    case = ready_case()
    review = signed(case)
    with pytest.raises(Invalid) as wrong:
        case.decide(review, "go_with_conditions", conditions=[term(case.lead), {**term(case.lead), field: value}])
    assert list(wrong.value.errors) == [f"conditions.1.{field}"]
    assert not Decision.objects.exists()


def stranger(case: Case) -> User:
    return person_with("business_owner", UseCaseFactory.create())


def left(case: Case) -> User:
    person = person_with("technical_lead", case.use_case)
    person.is_active = False
    person.save()
    return person


def machine(case: Case) -> User:
    account: User = ServiceAccountFactory.create()
    give(account, "service_account", case.use_case)
    return account


def nobody(case: Case) -> User:
    person: User = PersonFactory.create()
    return person


@pytest.mark.parametrize("who", [stranger, left, machine, nobody])
def test_the_owner_is_an_active_person_with_a_role_on_the_use_case(who: Any) -> None:
    case = ready_case()
    review = signed(case)
    with pytest.raises(Invalid) as wrong:
        case.decide(review, "go_with_conditions", conditions=[term(who(case))])
    assert list(wrong.value.errors) == ["conditions.0.owner"]


def board_of(case: Case, *verdicts: str, risk: int) -> tuple[Any, list[User]]:
    """A high-tier review signed by all, with these votes of the board; member ``risk`` is of risk and compliance."""
    members = [person_with(BOARD, organisation()) for _ in verdicts]
    give(members[risk], "risk_compliance", organisation())
    review = case.submit()
    for role in case.signers:
        case.sign(review, role)
    for member, verdict in zip(members, verdicts, strict=True):
        case.signers[BOARD] = member
        case.sign(review, BOARD, verdict)
    review.refresh_from_db()
    return review, members


def high_case() -> Case:
    from tests.factories.gates import publish

    text = small_text() + "board_quorum: {min_votes: 3, must_include: [risk_compliance]}\n"
    publish(text.replace("limited: advisory, high: mandatory", "limited: advisory, high: advisory"))
    return ready_case(tier="high", policy=False)


def test_a_board_that_passes_it_against_risk_passes_it_on_conditions_only() -> None:
    case = high_case()
    review, _members = board_of(case, "approve", "approve", "reject", risk=2)
    with pytest.raises(NotReady, match="conditions only"):
        case.decide(review)
    made = case.decide(review, "go_with_conditions", conditions=[term(case.lead)])
    assert made.conditions.count() == 1


def test_a_board_member_of_another_field_who_votes_against_is_outvoted() -> None:
    case = high_case()
    review, _members = board_of(case, "approve", "approve", "reject", risk=0)
    assert case.decide(review).outcome == "go"


def test_the_condition_belongs_to_the_review_that_was_decided_and_to_no_other_use_case() -> None:
    case = ready_case()
    row = go_with(case)[0]
    assert row.use_case_id == row.decision.review.use_case_id == case.use_case.pk


def test_a_wrong_digest_imposes_nothing() -> None:
    case = ready_case()
    review = signed(case)
    with pytest.raises(Exception, match="older snapshot"):
        decide(
            review=review,
            outcome="go_with_conditions",
            by=case.manager,
            digest="0" * 64,
            conditions=[term(case.lead)],
        )
    assert not Condition.objects.exists()
