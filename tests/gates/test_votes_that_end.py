"""Votes that expire, lapse with their signer's role, or were never on this snapshot."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import ledger
from accounts.services import deactivate, delegate, end_delegation, end_role
from gates.lapsing import lapse_all
from gates.models import Review, SignOff
from gates.scenes import room_of
from gates.services.sign_offs import sign
from gates.tasks import expire
from kernel.errors import Conflict, Invalid
from ledger.models import Event
from notify.models import Notice
from tests.factories.accounts import person_with
from tests.factories.gates import ready_case
from tests.factories.portfolio import UnitFactory

pytestmark = pytest.mark.django_db


def aged(review: Review, role: str, days: int = 30) -> SignOff:
    SignOff.objects.filter(review=review, role=role).update(signed_at=timezone.now() - timedelta(days=days))
    return SignOff.objects.get(review=review, role=role)


def test_a_vote_that_is_too_old_does_not_count_on_display_and_says_so() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    aged(review, "business_owner")
    slot = next(s for s in room_of(review).slots() if s.role == "business_owner")
    assert slot.state == "waiting"
    assert "expired" in slot.note
    assert case.signers["business_owner"] in room_of(review).waited_for()


def test_an_expired_vote_lapses_by_itself_is_recorded_and_its_signer_told_to_sign_again() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    vote = aged(review, "business_owner")
    expire()
    expire()
    vote.refresh_from_db()
    assert vote.lapsed_at is not None
    assert "sign again" in vote.lapsed_because
    assert Event.objects.filter(action="sign_off.lapsed", subject_id=str(vote.pk)).count() == 1
    assert Notice.objects.filter(kind="sign_off.lapsed", recipient=vote.person).count() == 1
    assert Notice.objects.filter(kind="sign_off.missing", recipient=case.lead).exists()
    assert SignOff.objects.get(role="technical_lead").counts


def test_a_day_younger_it_counts() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    aged(review, "business_owner", 29)
    expire()
    assert case.decide(review).outcome == "go"


def test_who_signs_again_after_expiry_has_one_vote() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    aged(review, "business_owner")
    case.sign(review, "business_owner")
    assert SignOff.objects.filter(role="business_owner", lapsed_at__isnull=True).count() == 1
    assert case.decide(review).outcome == "go"


def test_the_votes_of_a_closed_review_stay_what_they_were() -> None:
    case = ready_case()
    review = case.pass_gate()
    aged(review, "business_owner", 400)
    expire()
    assert not SignOff.objects.filter(lapsed_at__isnull=False).exists()
    assert {v.role for v in room_of(review).votes} == {"business_owner", "technical_lead"}


@pytest.mark.parametrize("leave", ["deactivate", "end_role"])
def test_the_vote_of_who_leaves_or_loses_the_role_lapses_and_the_others_are_told(leave: str) -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    owner = case.signers["business_owner"]
    another = person_with("business_owner", case.use_case)
    if leave == "deactivate":
        deactivate(user=owner, by=ledger.SYSTEM, reason="Left.")
    else:
        end_role(assignment=owner.role_assignments.get(), by=ledger.SYSTEM, reason="Moved.")
    assert lapse_all() == 1
    assert lapse_all() == 0
    assert not SignOff.objects.get(role="business_owner").counts
    told = set(Notice.objects.filter(kind="sign_off.missing").values_list("recipient", flat=True))
    assert told == {case.lead.pk, another.pk}


def test_a_delegation_taken_back_lapses_what_was_signed_by_it() -> None:
    case = ready_case()
    review = case.submit()
    giver = case.signers["business_owner"]
    stand_in = person_with("business_owner", UnitFactory.create())
    row = delegate(
        giver=giver, stand_in=stand_in, role="business_owner", ends_at=timezone.now() + timedelta(days=2), by=giver
    )
    sign(
        review=review,
        role="business_owner",
        verdict="approve",
        digest=review.digest,
        by=stand_in,
        on_behalf_of=giver,
    )
    assert lapse_all() == 0
    end_delegation(delegation=row, by=giver)
    assert lapse_all() == 1


def test_looking_for_votes_that_end_takes_the_same_number_of_queries_however_many_there_are() -> None:
    counts = []
    case = ready_case()
    for n in range(2):
        for _more in range(1 + 3 * n):
            case = ready_case(policy=False)
            case.sign_all(case.submit())
        with CaptureQueriesContext(connection) as captured:
            assert lapse_all() == 0
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_vote_on_a_snapshot_of_another_review_is_refused() -> None:
    case, other = ready_case(), ready_case(policy=False)
    review, elsewhere = case.submit(), other.submit()
    with pytest.raises(Conflict, match="no snapshot of"):
        sign(
            review=review,
            role="business_owner",
            verdict="approve",
            digest=elsewhere.digest,
            by=case.signers["business_owner"],
        )


def test_a_method_that_was_not_offered_is_refused() -> None:
    case = ready_case()
    review = case.submit()
    with pytest.raises(Invalid) as wrong:
        case.sign(review, "business_owner", method="carrier pigeon")
    assert "method" in wrong.value.errors
    assert case.sign(review, "business_owner", method="totp").method == "totp"
