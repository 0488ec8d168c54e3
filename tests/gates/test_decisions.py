"""A decision is made once, on current votes and facts, and is the only thing that moves a stage."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from gates.models import Decision, GateAssurance
from gates.services.decisions import decide
from gates.services.reviews import SnapshotRenewed
from kernel.errors import Conflict, Invalid, NotReady
from ledger.models import Event
from notify.models import Notice
from portfolio.models import StageChange, UseCase
from portfolio.services import hold, move_stage
from tests.factories.accounts import give, person_with
from tests.factories.gates import ready_case
from tests.factories.governance import IssueFactory

pytestmark = pytest.mark.django_db


def test_a_go_moves_the_stage_and_puts_the_gate_in_force() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    decision = case.decide(review)
    case.use_case.refresh_from_db()
    assert case.use_case.stage == "poc"
    assert StageChange.objects.get(decision_id=decision.pk).to_stage == "poc"
    assert case.use_case.assurance == "in_force"
    assurance = GateAssurance.objects.get()
    assert (assurance.state, assurance.decision) == ("in_force", decision)
    assert assurance.review_due_at == decision.decided_at + timedelta(days=180)
    review.refresh_from_db()
    assert review.state == "decided"
    told = set(Notice.objects.filter(kind="decision.made").values_list("recipient__email", flat=True))
    assert told == {case.lead.email, *(person.email for person in case.signers.values())}


def test_the_record_of_a_decision_recomputes_to_its_digest() -> None:
    case = ready_case()
    review = case.pass_gate()
    decision = review.decision
    assert hashlib.sha256(decision.body.encode()).hexdigest() == decision.body_digest
    body = json.loads(decision.body)
    assert body["digest"] == review.digest
    assert [vote["role"] for vote in body["sign_offs"]] == ["business_owner", "technical_lead"]
    assert Event.objects.filter(action="decision.made").count() == 1


def test_a_go_waits_for_every_signature() -> None:
    case = ready_case()
    review = case.submit()
    case.sign(review, "business_owner")
    with pytest.raises(NotReady) as refused:
        case.decide(review)
    assert refused.value.errors["sign_offs"] == ["Waiting for Technical lead."]
    assert not Decision.objects.exists()


def test_one_rejection_blocks_a_go() -> None:
    case = ready_case()
    review = case.submit()
    case.sign(review, "business_owner")
    case.sign(review, "technical_lead", "reject")
    with pytest.raises(NotReady, match="cannot be decided yet"):
        case.decide(review)


def test_facts_that_changed_after_the_votes_stop_the_decision_and_lapse_them() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    UseCase.objects.update(target_users="Everybody")
    with pytest.raises(SnapshotRenewed, match="profile"):
        case.decide(review)
    assert not Decision.objects.exists()
    assert review.sign_offs.filter(lapsed_at__isnull=True).count() == 0
    case.use_case.refresh_from_db()
    assert case.use_case.stage == "idea"


def test_a_go_on_a_snapshot_with_an_open_criterion_is_refused_however_many_signed_it() -> None:
    case = ready_case()
    review = case.submit()
    IssueFactory.create(use_case=case.use_case, kind="assumption", title="Volume is known")
    with pytest.raises(SnapshotRenewed):
        case.sign(review, "business_owner")
    case.sign_all(review)
    with pytest.raises(NotReady) as refused:
        case.decide(review)
    assert "IP-03" in refused.value.errors["sign_offs"][0]


def test_the_submitter_does_not_decide() -> None:
    case = ready_case()
    give(case.lead, "ai_governance_board", case.use_case)
    review = case.submit()
    case.sign_all(review)
    case.manager = case.lead
    with pytest.raises(PermissionDenied, match="submitted"):
        case.decide(review)


def test_deciding_needs_the_right() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    case.manager = case.signers["business_owner"]
    with pytest.raises(PermissionDenied):
        case.decide(review)


def test_a_token_never_decides() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    case.manager.token_scopes = frozenset({"gate.record_decision", "use_case.view"})
    with pytest.raises(PermissionDenied, match="token"):
        case.decide(review)


def test_a_decision_is_made_once() -> None:
    case = ready_case()
    review = case.pass_gate()
    with pytest.raises(Conflict, match="closed"):
        case.decide(review, "return", reason="On second thoughts.")
    assert Decision.objects.count() == 1


def test_a_decision_on_an_older_snapshot_is_refused() -> None:
    case = ready_case()
    review = case.submit()
    with pytest.raises(Conflict, match="older snapshot"):
        decide(review=review, outcome="return", by=case.manager, digest="0" * 64, reason="Not enough.")


def test_a_returned_review_lapses_its_votes_and_the_next_is_round_two() -> None:
    case = ready_case()
    review = case.submit()
    case.sign(review, "business_owner")
    case.decide(review, "return", reason="The baseline has no source.")
    review.refresh_from_db()
    assert review.state == "returned"
    assert review.sign_offs.get().lapsed_at is not None
    case.use_case.refresh_from_db()
    assert case.use_case.stage == "idea"
    again = case.submit()
    assert (again.round, again.previous) == (2, review)
    case.sign_all(again)
    assert case.decide(again).outcome == "go"


@pytest.mark.parametrize("outcome", ["return", "stop", "pivot"])
def test_everything_but_a_go_needs_a_reason(outcome: str) -> None:
    case = ready_case()
    case.manager = person_with("business_sponsor", case.use_case) if outcome == "stop" else case.manager
    with pytest.raises(Invalid) as wrong:
        case.decide(case.submit(), outcome, reason=" ")
    assert "reason" in wrong.value.errors


def test_a_go_waits_until_the_use_case_is_resumed() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    hold(use_case=case.use_case, by=case.manager, reason="No budget.")
    with pytest.raises(Conflict, match="on hold"):
        case.decide(review)


def test_a_stage_moves_by_nothing_but_a_decision() -> None:
    case = ready_case()
    with pytest.raises(Conflict, match="only by a gate decision"):
        move_stage(use_case=case.use_case, to_stage="poc", decision_id=None, by=case.manager)


def test_an_unknown_outcome_is_refused() -> None:
    case = ready_case()
    with pytest.raises(Invalid) as wrong:
        case.decide(case.submit(), "maybe", reason="Well.")
    assert "outcome" in wrong.value.errors
