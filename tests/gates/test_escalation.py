"""A decision past its days: the signers are reminded, then it goes up; each once, and with stand-ins by name."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine

from accounts.models import Absence
from gates import tasks
from gates.escalation import chase_late_reviews, days_late, escalates_at
from gates.models import Review
from ledger.models import Event
from notify.models import Notice
from tests.factories.accounts import person_with
from tests.factories.gates import Case, ready_case

pytestmark = pytest.mark.django_db


def submitted() -> tuple[Case, Review]:
    case = ready_case()
    return case, case.submit()


def told(kind: str) -> set[str]:
    return set(Notice.objects.filter(kind=kind).values_list("recipient__email", flat=True))


def test_before_its_days_are_over_nobody_is_chased() -> None:
    _case, review = submitted()
    assert chase_late_reviews(at=review.due_at - timedelta(minutes=1)) == 0


def test_who_still_owes_a_signature_is_reminded_once() -> None:
    case, review = submitted()
    case.sign(review, "business_owner")
    late = review.due_at + timedelta(hours=1)
    assert chase_late_reviews(at=late) == 1
    assert chase_late_reviews(at=late) == 0
    assert told("review.reminded") == {case.signers["technical_lead"].email}
    assert told("review.escalated") == set()
    review.refresh_from_db()
    assert (review.reminded_at, review.escalated_at) == (late, None)
    assert Event.objects.filter(action="review.reminded").count() == 1


def test_at_twice_the_days_it_goes_to_the_sponsor_and_the_portfolio_once() -> None:
    case, review = submitted()
    sponsor = person_with("business_sponsor", case.use_case)
    twice = escalates_at(review)
    assert twice - review.submitted_at == 2 * (review.due_at - review.submitted_at)
    chase_late_reviews(at=twice - timedelta(minutes=1))
    assert told("review.escalated") == set()
    chase_late_reviews(at=twice)
    chase_late_reviews(at=twice + timedelta(days=3))
    assert told("review.escalated") == {sponsor.email, case.manager.email}
    assert Notice.objects.filter(kind="review.escalated").count() == 2
    notice = Notice.objects.filter(kind="review.escalated").first()
    assert notice is not None
    assert "10 days late" in notice.title
    assert "Waits for" in notice.body
    review.refresh_from_db()
    assert (review.state, review.escalated_at) == ("open", twice)


def test_absent_signers_are_named_with_their_stand_in_who_is_told_too() -> None:
    case, review = submitted()
    owner = case.signers["business_owner"]
    stand_in = person_with("business_owner", case.use_case, full_name="Grace Hopper")
    day: date = (review.due_at + timedelta(hours=1)).date()
    Absence.objects.create(
        person=owner, starts_on=day - timedelta(days=1), ends_on=day + timedelta(days=3), stand_in=stand_in
    )
    with time_machine.travel(review.due_at + timedelta(hours=1)):
        assert tasks.chase_reviews() == 1
    assert stand_in.email in told("review.reminded")
    notice = Notice.objects.filter(kind="review.reminded").first()
    assert notice is not None
    assert "Grace Hopper stands in" in notice.body


def test_when_only_the_decision_is_missing_those_who_decide_are_reminded() -> None:
    case, review = submitted()
    case.sign_all(review)
    chase_late_reviews(at=review.due_at)
    assert told("review.reminded") == {case.manager.email}


@pytest.mark.parametrize("outcome", ["go", "return"])
def test_what_is_closed_is_chased_no_more(outcome: str) -> None:
    case, review = submitted()
    case.sign_all(review)
    case.decide(review, outcome, **({} if outcome == "go" else {"reason": "More data."}))
    assert chase_late_reviews(at=escalates_at(review)) == 0


def test_a_review_says_how_late_it_is() -> None:
    _case, review = submitted()
    assert days_late(review, review.due_at - timedelta(minutes=1)) == 0
    assert days_late(review, review.due_at + timedelta(hours=1)) == 1
    assert days_late(review, review.due_at + timedelta(days=3, hours=1)) == 3
    review.state = "decided"
    assert days_late(review, review.due_at + timedelta(days=3)) == 0
