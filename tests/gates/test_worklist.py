"""What waits for a person: signatures they may give, decisions they may make, nothing else."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from gates.worklist.decisions import Decisions
from gates.worklist.sign_offs import SignOffs
from tests.factories.accounts import give, person_with
from tests.factories.gates import ready_case
from tests.factories.portfolio import organisation

pytestmark = pytest.mark.django_db


def to_sign(user: User) -> list[str]:
    return [item.url for item in SignOffs().items(User.objects.get(pk=user.pk))]


def to_decide(user: User) -> list[str]:
    return [item.detail for item in Decisions().items(User.objects.get(pk=user.pk))]


def test_a_signature_waits_until_it_is_given() -> None:
    case = ready_case()
    owner = case.signers["business_owner"]
    assert to_sign(owner) == []
    review = case.submit()
    assert to_sign(owner) == [f"/gates/reviews/{review.number}/"]
    case.sign(review, "business_owner")
    assert to_sign(owner) == []
    assert to_sign(case.signers["technical_lead"]) == [f"/gates/reviews/{review.number}/"]


def test_a_role_on_the_unit_above_counts_and_one_elsewhere_does_not() -> None:
    case = ready_case()
    other = ready_case(policy=False)
    case.submit()
    assert len(to_sign(person_with("business_owner", case.use_case.unit))) == 1
    assert to_sign(person_with("business_owner", other.use_case.unit)) == []


def test_nothing_waits_for_the_submitter_or_for_who_signed_in_another_role() -> None:
    case = ready_case()
    give(case.lead, "business_owner", case.use_case)
    give(case.signers["business_owner"], "technical_lead", case.use_case)
    review = case.submit()
    assert to_sign(case.lead) == []
    case.sign(review, "business_owner")
    assert to_sign(case.signers["business_owner"]) == []


def test_a_closed_review_waits_for_nobody() -> None:
    case = ready_case()
    review = case.submit()
    case.decide(review, "return", reason="No baseline.")
    assert to_sign(case.signers["business_owner"]) == []
    assert to_decide(case.manager) == []


def test_a_decision_waits_once_all_signed_or_one_refused() -> None:
    case = ready_case()
    review = case.submit()
    assert to_decide(case.manager) == []
    case.sign(review, "business_owner")
    assert to_decide(case.manager) == []
    case.sign(review, "technical_lead", "reject")
    assert to_decide(case.manager) == ["A signer refused."]


def test_a_decision_does_not_wait_for_the_submitter_nor_for_those_without_the_right() -> None:
    case = ready_case()
    give(case.lead, "ai_governance_board", case.use_case)
    review = case.submit()
    case.sign_all(review)
    assert to_decide(case.manager) == ["All signatures are in."]
    assert to_decide(case.lead) == []
    assert to_decide(case.signers["business_owner"]) == []


def test_both_lists_take_the_same_number_of_queries_for_one_review_and_for_four() -> None:
    ready_case().submit()
    board = person_with("ai_governance_board", organisation())
    owner = person_with("business_owner", organisation())
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            to_sign(owner)
            to_decide(board)
        counts.append(len(captured))
        for _more in range(3):
            case = ready_case(policy=False)
            case.sign(case.submit(), "technical_lead")
    assert counts[0] == counts[1]
