"""Submitting freezes the facts; a change of them freezes anew and lapses the votes; a review can be taken back."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from gates.models import Review, Snapshot
from gates.services.reviews import SnapshotRenewed, refresh_review, withdraw_review
from gates.services.sign_offs import sign
from kernel.errors import Conflict, NotReady
from ledger.models import Event
from notify.models import Notice
from portfolio.models import UseCase
from portfolio.services import hold
from tests.factories.accounts import person_with
from tests.factories.gates import PAIR, publish, ready_case, small_text
from tests.factories.governance import IssueFactory

pytestmark = pytest.mark.django_db


def told(kind: str) -> set[str]:
    return set(Notice.objects.filter(kind=kind).values_list("recipient__email", flat=True))


def test_submitting_freezes_the_facts_and_asks_the_roles_of_the_matrix() -> None:
    case = ready_case()
    review = case.submit()
    assert [slot["role"] for slot in review.slots] == list(PAIR)
    assert (review.number, review.round, review.tier, review.state) == (1, 1, "limited", "open")
    snapshot = review.snapshots.get()
    assert snapshot.digest == review.digest == hashlib.sha256(snapshot.body.encode()).hexdigest()
    body = json.loads(snapshot.body)
    assert body["facts"]["profile"]["problem_statement"] == "Letters take two weeks."
    assert {f["criterion"]: f["outcome"] for f in body["findings"]}["IP-01"] == "met"
    assert told("review.submitted") == {person.email for person in case.signers.values()}
    assert Event.objects.filter(action="review.submitted").count() == 1


def test_what_is_not_ready_is_refused_with_the_list_and_nothing_is_kept() -> None:
    case = ready_case(problem_statement="")
    IssueFactory.create(use_case=case.use_case, kind="assumption", title="Volume is known")
    with pytest.raises(NotReady) as refused:
        case.submit()
    listed = refused.value.errors["criteria"]
    assert [line.split(" ")[0] for line in listed] == ["IP-01", "IP-03"]
    assert not Review.objects.exists()
    assert not Event.objects.filter(action__startswith="review.").exists()


def test_a_prohibited_tier_or_a_legal_hold_closes_every_gate() -> None:
    case = ready_case(tier="prohibited")
    with pytest.raises(NotReady, match="2 mandatory"):
        case.submit()
    UseCase.objects.update(tier="minimal", legal_hold=True)
    with pytest.raises(NotReady) as refused:
        case.submit()
    assert "Legal hold" in refused.value.errors["criteria"][0]


def test_only_the_next_gate_can_be_submitted() -> None:
    case = ready_case()
    with pytest.raises(Conflict, match="not the next gate"):
        case.submit("poc_to_pilot")
    with pytest.raises(Conflict, match="not the next gate"):
        case.submit("to_the_moon")


def test_a_second_review_waits_for_the_first() -> None:
    case = ready_case()
    case.submit()
    with pytest.raises(Conflict, match="R-1 of this use case is already open"):
        case.submit()


def test_nothing_is_submitted_while_on_hold() -> None:
    case = ready_case()
    hold(use_case=case.use_case, by=case.manager, reason="No budget.")
    with pytest.raises(Conflict, match="on hold"):
        case.submit()


def test_submitting_needs_the_right() -> None:
    case = ready_case()
    case.lead = case.signers["business_owner"]
    with pytest.raises(PermissionDenied):
        case.submit()


def test_a_changed_fact_takes_a_new_snapshot_and_lapses_the_votes() -> None:
    case = ready_case()
    review = case.submit()
    first = review.digest
    case.sign(review, "business_owner")
    UseCase.objects.update(problem_statement="Letters take three weeks.")
    fresh, changed = refresh_review(review=review, by=case.lead)
    assert changed == ["profile"]
    assert fresh.digest != first
    vote = review.sign_offs.get()
    assert vote.lapsed_at is not None
    assert "profile" in vote.lapsed_because
    assert told("sign_off.lapsed") == {case.signers["business_owner"].email}
    assert Snapshot.objects.filter(digest=first, replaced_because__contains="profile").exists()
    assert refresh_review(review=review, by=case.lead)[1] == []


def test_signing_what_changed_is_refused_and_the_new_snapshot_is_kept() -> None:
    case = ready_case()
    review = case.submit()
    UseCase.objects.update(problem_statement="Letters take three weeks.")
    with pytest.raises(SnapshotRenewed, match="profile"):
        case.sign(review, "business_owner")
    assert not review.sign_offs.exists()
    assert review.snapshots.count() == 2
    assert Event.objects.filter(action="review.refreshed").count() == 1
    case.sign(review, "business_owner")


def test_a_raised_tier_asks_for_the_signers_of_that_tier() -> None:
    case = ready_case()
    review = case.submit()
    UseCase.objects.update(tier="high")
    refresh_review(review=review, by=case.lead)
    review.refresh_from_db()
    assert review.tier == "high"
    assert {slot["role"] for slot in review.slots} == {*PAIR, "ai_governance_board"}


def test_an_open_review_stays_on_the_version_it_was_submitted_under() -> None:
    case = ready_case()
    review = case.submit()
    publish(small_text(version="2.0.0").replace("[problem_statement]", "[problem_statement, objective]"))
    assert refresh_review(review=review, by=case.lead)[1] == []
    review.refresh_from_db()
    assert review.policy_version.label == "1.0.0"
    withdraw_review(review=review, by=case.lead, reason="A newer policy.")
    with pytest.raises(NotReady):
        case.submit()


def test_a_withdrawn_review_is_closed_its_votes_lapse_and_the_next_is_round_two() -> None:
    case = ready_case()
    review = case.submit()
    case.sign(review, "technical_lead")
    withdraw_review(review=review, by=case.lead, reason="Scope changed.")
    review.refresh_from_db()
    assert review.state == "withdrawn"
    assert review.sign_offs.get().lapsed_at is not None
    with pytest.raises(Conflict, match="withdrawn"):
        case.sign(review, "business_owner")
    with pytest.raises(Conflict, match="withdrawn"):
        case.decide(review)
    with pytest.raises(Conflict, match="withdrawn"):
        withdraw_review(review=review, by=case.lead, reason="Again.")
    again = case.submit()
    assert (again.number, again.round, again.previous) == (2, 2, review)


def test_withdrawing_needs_the_right() -> None:
    case = ready_case()
    with pytest.raises(PermissionDenied):
        withdraw_review(review=case.submit(), by=case.signers["business_owner"], reason="No.")


def test_the_deadline_is_that_of_the_tier() -> None:
    review = ready_case(tier="minimal").submit()
    assert review.due_at - review.submitted_at == timedelta(days=5)
    assert review.due_at > timezone.now()


def test_a_vote_from_another_unit_is_not_even_seen() -> None:
    case = ready_case()
    review = case.submit()
    stranger = person_with("business_owner", ready_case(policy=False).use_case)
    with pytest.raises(PermissionDenied):
        sign(review=review, role="business_owner", verdict="approve", digest=review.digest, by=stranger)
