"""Stand-ins sign for others, and every rule that holds for one holds for both."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

import ledger
from accounts.access import for_user, forget_grants
from accounts.models import Delegation, User
from accounts.services import deactivate, delegate, end_delegation, end_role
from gates.models import Recusal, Review, SignOff
from gates.scenes import room_of
from gates.services.sign_offs import sign
from gates.worklist.sign_offs import SignOffs
from kernel.errors import NotReady
from ledger.models import Event
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, give, person_with
from tests.factories.gates import Case, ready_case
from tests.factories.portfolio import UnitFactory

pytestmark = pytest.mark.django_db
ROLE = "business_owner"


def standing_in(case: Case, *, role: str = ROLE, days: int = 10) -> tuple[User, Delegation]:
    """Somebody who is owner of another unit and stands in for the owner of the case."""
    stand_in = person_with(role, UnitFactory.create())
    row = delegate(
        giver=case.signers[role],
        stand_in=stand_in,
        role=role,
        ends_at=timezone.now() + timedelta(days=days),
        by=case.signers[role],
        reason="On holiday",
    )
    return stand_in, row


def sign_for(case: Case, review: Review, stand_in: User, role: str = ROLE) -> SignOff:
    review.refresh_from_db()
    giver = case.signers[role]
    return sign(review=review, role=role, verdict="approve", digest=review.digest, by=stand_in, on_behalf_of=giver)


def refused(case: Case, review: Review, stand_in: User) -> str:
    with pytest.raises(PermissionDenied) as why:
        sign_for(case, review, stand_in)
    return str(why.value)


def test_a_stand_in_signs_and_both_names_are_on_record() -> None:
    case = ready_case()
    review = case.submit()
    stand_in, _row = standing_in(case)
    vote = sign_for(case, review, stand_in)
    giver = case.signers[ROLE]
    assert (vote.person, vote.on_behalf_of) == (stand_in, giver)
    assert f"in place of {giver.full_name}" in vote.meaning
    case.sign(review, "technical_lead")
    assert case.decide(review).outcome == "go"


def test_a_stand_in_sees_what_there_is_to_sign_and_nothing_else() -> None:
    case = ready_case()
    stranger = person_with(ROLE, UnitFactory.create())
    assert not for_user(UseCase.objects.filter(pk=case.use_case.pk), stranger, "use_case.view").exists()
    stand_in, row = standing_in(case)
    assert for_user(UseCase.objects.filter(pk=case.use_case.pk), stand_in, "use_case.view").exists()
    assert not for_user(UseCase.objects.filter(pk=case.use_case.pk), stand_in, "use_case.edit").exists()
    end_delegation(delegation=row, by=case.signers[ROLE])
    forget_grants(stand_in)
    assert not for_user(UseCase.objects.filter(pk=case.use_case.pk), stand_in, "use_case.view").exists()


def test_stand_ins_are_waited_for_and_have_it_on_their_work_list() -> None:
    case = ready_case()
    stand_in, _row = standing_in(case)
    review = case.submit()
    assert stand_in in room_of(review).waited_for()
    items = list(SignOffs().items(User.objects.get(pk=stand_in.pk)))
    assert [item.url for item in items] == [f"/gates/reviews/{review.number}/"]
    assert case.signers[ROLE].full_name in str(items[0].detail)
    sign_for(case, review, stand_in)
    assert list(SignOffs().items(User.objects.get(pk=stand_in.pk))) == []


def test_without_a_delegation_nobody_signs_for_another() -> None:
    case = ready_case()
    review = case.submit()
    peer = person_with(ROLE, case.use_case.unit)
    assert "do not stand in" in refused(case, review, peer)


def test_a_delegation_of_one_role_is_none_of_another() -> None:
    case = ready_case()
    review = case.submit()
    stand_in, _row = standing_in(case)
    with pytest.raises(PermissionDenied):
        sign(
            review=review,
            role="technical_lead",
            verdict="approve",
            digest=review.digest,
            by=stand_in,
            on_behalf_of=case.signers["technical_lead"],
        )


def test_a_delegation_ends_by_itself_and_when_taken_back() -> None:
    case = ready_case()
    review = case.submit()
    stand_in, row = standing_in(case)
    Delegation.objects.filter(pk=row.pk).update(starts_at=timezone.now() - timedelta(days=9), ends_at=timezone.now())
    with pytest.raises(PermissionDenied):  # it is no longer seen, even
        sign_for(case, review, stand_in)


def test_who_submitted_cannot_stand_in() -> None:
    case = ready_case()
    give(case.lead, ROLE, UnitFactory.create())
    delegate(
        giver=case.signers[ROLE],
        stand_in=case.lead,
        role=ROLE,
        ends_at=timezone.now() + timedelta(days=3),
        by=case.signers[ROLE],
    )
    assert "you submitted it" in refused(case, case.submit(), case.lead)


def test_nobody_signs_in_the_place_of_who_submitted() -> None:
    case = ready_case()
    give(case.lead, ROLE, case.use_case)
    case.signers[ROLE] = case.lead
    stand_in, _row = standing_in(case)
    assert "could not sign this either" in refused(case, case.submit(), stand_in)


@pytest.mark.parametrize("whose", ["giver", "stand_in"])
def test_an_interest_of_either_stands_against_it(whose: str) -> None:
    case = ready_case()
    stand_in, _row = standing_in(case)
    review = case.submit()
    person = stand_in if whose == "stand_in" else case.signers[ROLE]
    Recusal.objects.create(use_case=case.use_case, person=person, reason="My brother sells it.")
    assert "SOD-13" in refused(case, review, stand_in)


def test_giver_and_stand_in_never_both_vote() -> None:
    case = ready_case()
    review = case.submit()
    stand_in, _row = standing_in(case)
    give(stand_in, "technical_lead", case.use_case)
    case.sign(review, ROLE)  # the giver signs themselves after all
    with pytest.raises(PermissionDenied, match=r"are one|already signed"):
        sign(review=review, role="technical_lead", verdict="approve", digest=review.digest, by=stand_in)
    assert "are one" in refused(case, review, stand_in)


def test_the_giver_does_not_vote_once_the_stand_in_did() -> None:
    case = ready_case()
    review = case.submit()
    stand_in, _row = standing_in(case)
    give(case.signers[ROLE], "technical_lead", case.use_case)
    sign_for(case, review, stand_in)
    for role in (ROLE, "technical_lead"):
        with pytest.raises(PermissionDenied):
            case.signers[role] = case.signers[ROLE]
            case.sign(review, role)


def test_one_stand_in_does_not_sign_twice_for_two_people() -> None:
    case = ready_case()
    review = case.submit()
    stand_in, _row = standing_in(case)
    give(stand_in, "technical_lead", UnitFactory.create())
    delegate(
        giver=case.signers["technical_lead"],
        stand_in=stand_in,
        role="technical_lead",
        ends_at=timezone.now() + timedelta(days=3),
        by=case.signers["technical_lead"],
    )
    sign_for(case, review, stand_in)
    with pytest.raises(PermissionDenied, match="already signed"):
        sign_for(case, review, stand_in, "technical_lead")


def test_taken_back_its_signature_counts_no_more_and_has_lapsed_with_a_reason() -> None:
    case = ready_case()
    review = case.submit()
    stand_in, row = standing_in(case)
    sign_for(case, review, stand_in)
    case.sign(review, "technical_lead")
    end_delegation(delegation=row, by=case.signers[ROLE])
    with pytest.raises(NotReady):
        case.decide(review)


def test_run_out_by_its_date_its_signature_goes_on_counting() -> None:
    case = ready_case()
    review = case.submit()
    stand_in, row = standing_in(case)
    sign_for(case, review, stand_in)
    Delegation.objects.filter(pk=row.pk).update(
        starts_at=timezone.now() - timedelta(days=5), ends_at=timezone.now() + timedelta(microseconds=1)
    )
    case.sign(review, "technical_lead")
    assert case.decide(review).outcome == "go"


@pytest.mark.parametrize("whose", ["giver", "stand_in"])
def test_who_loses_the_role_takes_the_signature_with_them(whose: str) -> None:
    case = ready_case()
    review = case.submit()
    stand_in, _row = standing_in(case)
    sign_for(case, review, stand_in)
    case.sign(review, "technical_lead")
    person = stand_in if whose == "stand_in" else case.signers[ROLE]
    end_role(assignment=person.role_assignments.get(), by=ledger.SYSTEM, reason="Moved.")
    with pytest.raises(NotReady):
        case.decide(review)


def test_who_has_left_stands_in_for_nobody() -> None:
    case = ready_case()
    review = case.submit()
    stand_in, _row = standing_in(case)
    deactivate(user=stand_in, by=ledger.SYSTEM, reason="Left.")
    stand_in.refresh_from_db()
    with pytest.raises(PermissionDenied):
        sign_for(case, review, stand_in)


def test_the_ledger_names_both() -> None:
    case = ready_case()
    review = case.submit()
    stand_in, _row = standing_in(case)
    sign_for(case, review, stand_in)
    event = Event.objects.get(action="sign_off.given")
    assert event.actor_id == stand_in.pk
    assert str(case.signers[ROLE].pk) in event.body


def test_somebody_without_a_part_in_it_names_no_giver() -> None:
    case = ready_case()
    review = case.submit()
    with pytest.raises(PermissionDenied):
        sign_for(case, review, PersonFactory.create())
