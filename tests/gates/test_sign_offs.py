"""Who may sign, in which role, on what, and how often."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

import ledger
from accounts.models import User
from accounts.services import deactivate, end_role
from gates.models import Review, SignOff
from gates.services.reviews import refresh_review
from gates.services.sign_offs import meaning, sign
from kernel.errors import Conflict, Invalid, NotReady
from ledger.models import Event
from portfolio.services import edit_use_case
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.gates import BOARD, Case, ready_case
from tests.factories.governance import AiModelFactory, ModelVersionFactory
from tests.factories.monitoring import SeriesFactory, points
from tests.factories.portfolio import organisation

pytestmark = pytest.mark.django_db


def try_to_sign(review: Review, by: User, role: str = "business_owner") -> str:
    """Sign, expecting a refusal; its words."""
    with pytest.raises(PermissionDenied) as refused:
        sign(review=review, role=role, verdict="approve", digest=review.digest, by=by)
    assert not SignOff.objects.filter(person=by).exists()
    return str(refused.value)


def test_a_signature_says_who_when_what_and_how() -> None:
    case = ready_case()
    review = case.submit()
    vote = case.sign(review, "business_owner")
    signer = case.signers["business_owner"]
    assert (vote.person, vote.signer_name, vote.digest) == (signer, signer.full_name, review.digest)
    assert "as business owner I approve" in vote.meaning
    assert vote.method
    event = Event.objects.get(action="sign_off.given")
    assert signer.full_name not in str(event.body)


def test_the_meaning_keeps_the_name_of_the_role() -> None:
    assert "as business owner I approve" in meaning("business_owner", "approve")
    assert "as IT operations I refuse" in meaning("it_operations", "reject")
    assert "as AI governance board member I approve" in meaning(BOARD, "approve_with_conditions")


def test_the_submitter_cannot_sign_their_own_submission() -> None:
    case = ready_case()
    give(case.lead, "business_owner", case.use_case)
    assert "you submitted it" in try_to_sign(case.submit(), case.lead)


def test_nobody_signs_twice_not_even_in_another_role() -> None:
    case = ready_case()
    both = case.signers["business_owner"]
    give(both, "technical_lead", case.use_case)
    review = case.submit()
    case.sign(review, "business_owner")
    for role in ("business_owner", "technical_lead"):
        with pytest.raises(PermissionDenied, match="already signed"):
            sign(review=review, role=role, verdict="approve", digest=review.digest, by=both)
    assert SignOff.objects.count() == 1


def test_a_role_signs_once() -> None:
    case = ready_case()
    review = case.submit()
    case.sign(review, "business_owner")
    assert "already given" in try_to_sign(review, person_with("business_owner", case.use_case))


def test_nobody_signs_in_a_role_they_do_not_hold() -> None:
    case = ready_case()
    assert "do not hold" in try_to_sign(case.submit(), case.signers["technical_lead"])


def test_a_role_that_the_matrix_does_not_ask_for_cannot_sign() -> None:
    case = ready_case()
    security = person_with("security", case.use_case)
    assert "does not ask" in try_to_sign(case.submit(), security, "security")


def test_a_service_account_never_signs() -> None:
    case = ready_case()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", case.use_case)
    try_to_sign(case.submit(), machine)


def test_a_token_never_signs_whatever_its_scopes() -> None:
    case = ready_case()
    owner = case.signers["business_owner"]
    owner.token_scopes = frozenset({"gate.sign", "use_case.view"})
    assert "token" in try_to_sign(case.submit(), owner)


def test_being_administrator_gives_no_signature() -> None:
    case = ready_case()
    root = PersonFactory.create(is_superuser=True, is_staff=True)
    try_to_sign(case.submit(), root)


def test_who_has_left_does_not_sign() -> None:
    case = ready_case()
    review = case.submit()
    owner = case.signers["business_owner"]
    deactivate(user=owner, by=ledger.SYSTEM, reason="Left.")
    owner.refresh_from_db()
    try_to_sign(review, owner)


def test_a_signature_on_an_older_snapshot_is_refused() -> None:
    case = ready_case()
    review = case.submit()
    old = review.digest
    edit_use_case(use_case=case.use_case, changes={"problem_statement": "Three weeks."}, by=ledger.SYSTEM)
    refresh_review(review=review, by=case.lead)
    with pytest.raises(Conflict, match="older snapshot"):
        sign(review=review, role="business_owner", verdict="approve", digest=old, by=case.signers["business_owner"])
    assert not SignOff.objects.exists()


@pytest.mark.parametrize("verdict", ["reject", "approve_with_conditions"])
def test_a_refusal_or_a_condition_needs_its_reason(verdict: str) -> None:
    case = ready_case()
    review = case.submit()
    with pytest.raises(Invalid) as wrong:
        case.sign(review, "business_owner", verdict, reason="  ")
    assert "reason" in wrong.value.errors


def test_a_made_up_verdict_is_refused() -> None:
    case = ready_case()
    with pytest.raises(Invalid):
        case.sign(case.submit(), "business_owner", "maybe")


def high_case() -> tuple[Case, Review]:
    """A high-tier review with a board of five."""
    case = ready_case(tier="high", policy=True)
    case.signers.update({f"member {n}": person_with(BOARD, organisation()) for n in range(5)})
    points(SeriesFactory.create(use_case=case.use_case), [0.95])
    return case, case.submit()


def vote(case: Case, review: Review, member: int, verdict: str = "approve") -> SignOff:
    reason = "" if verdict == "approve" else "Too early."
    person = case.signers[f"member {member}"]
    return sign(review=review, role=BOARD, verdict=verdict, digest=review.digest, by=person, reason=reason)


def test_the_board_decides_by_majority_of_enough_votes() -> None:
    case, review = high_case()
    case.sign(review, "business_owner")
    case.sign(review, "technical_lead")
    vote(case, review, 0)
    vote(case, review, 1)
    with pytest.raises(NotReady) as refused:
        case.decide(review)
    assert "2 of 3 votes" in refused.value.errors["sign_offs"][0]
    vote(case, review, 2, "reject")
    assert case.decide(review).outcome == "go"


def test_a_board_that_is_split_refuses() -> None:
    case, review = high_case()
    for member, verdict in enumerate(("approve", "approve", "reject", "reject")):
        vote(case, review, member, verdict)
    case.sign(review, "business_owner")
    case.sign(review, "technical_lead")
    with pytest.raises(NotReady) as refused:
        case.decide(review)
    assert "Rejected by" in refused.value.errors["sign_offs"][0]


def test_a_board_member_from_the_sponsoring_unit_does_not_vote() -> None:
    case, review = high_case()
    give(case.signers["member 0"], "auditor", case.use_case.unit)
    with pytest.raises(PermissionDenied, match="sponsoring unit"):
        vote(case, review, 0)


def test_a_validator_who_built_it_does_not_sign() -> None:
    case = ready_case(tier="limited")
    case.pass_gate()
    validator = person_with("independent_validator", case.use_case)
    type(case.use_case).objects.update(tier="high")
    ModelVersionFactory.create(model=AiModelFactory.create(use_case=case.use_case), author=validator)
    review = case.submit("poc_to_pilot")
    with pytest.raises(PermissionDenied, match="built no part"):
        sign(review=review, role="independent_validator", verdict="approve", digest=review.digest, by=validator)
    another = person_with("independent_validator", case.use_case)
    sign(review=review, role="independent_validator", verdict="approve", digest=review.digest, by=another)


def test_a_vote_counts_no_more_once_the_role_has_ended() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    owner = case.signers["business_owner"]
    end_role(assignment=owner.role_assignments.get(), by=ledger.SYSTEM, reason="Moved.")
    with pytest.raises(NotReady) as refused:
        case.decide(review)
    assert any(owner.full_name in line for line in refused.value.errors["sign_offs"])


def test_a_vote_counts_no_more_once_the_person_has_left() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    deactivate(user=case.signers["technical_lead"], by=ledger.SYSTEM, reason="Left.")
    with pytest.raises(NotReady):
        case.decide(review)


def test_a_vote_expires() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    SignOff.objects.filter(role="business_owner").update(signed_at=timezone.now() - timedelta(days=30))
    with pytest.raises(NotReady) as refused:
        case.decide(review)
    assert "has expired" in refused.value.errors["sign_offs"][0]
