"""Pivot, stop, retire and return: what they ask for, what they do, and that no stage is skipped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import User
from gates.models import Condition, Decision, GateAssurance, Review
from governance.models import RiskClassification
from governance.risk.questions import questionnaire
from governance.services import classify, confirm_tier
from kernel.errors import Conflict, Invalid
from ledger.models import Event
from notify.models import Notice
from portfolio.models import StageChange, UseCase
from portfolio.services import move_stage
from tests.factories.accounts import person_with
from tests.factories.conditions import go_with, in_days
from tests.factories.gates import Case, ready_case
from tests.factories.portfolio import organisation

pytestmark = pytest.mark.django_db

STOP = {"lessons": "The letters are too few.", "disposal": "Models deleted by IT until June."}
RETIRE = {
    "steps": "Switched off site by site; templates replace it.",
    "notice_to": "All clerks, by e-mail and in the team meeting.",
    "notice_on": in_days(10).isoformat(),
    "logs": "Decision logs, in the archive.",
    "logs_until": in_days(400).isoformat(),
    "access": "Service account and keys; security checks.",
}


def sponsored(case: Case) -> User:
    return person_with("business_sponsor", case.use_case)


def stop(case: Case, review: Review, **more: Any) -> Decision:
    """By a sponsor, complete unless said otherwise."""
    keep, case.manager = case.manager, sponsored(case)
    given = {"reason": "No value.", "reason_code": "no_value", "plan": STOP, **more}
    try:
        decided: Decision = case.decide(review, given.pop("outcome", "stop"), **given)
    finally:
        case.manager = keep
    return decided


def other_review(case: Case, gate: str = "poc_to_pilot") -> Review:
    """A second open review beside the one at hand, as a renewal may leave one."""
    first = Review.objects.get(state="open")
    return Review.objects.create(
        number=first.number + 50,
        use_case=case.use_case,
        gate=gate,
        policy_version=first.policy_version,
        tier=first.tier,
        digest=first.digest,
        slots=first.slots,
        submitted_by=case.lead,
        due_at=first.due_at,
    )


# -- Stop ------------------------------------------------------------------------------------------------------------


def test_a_stop_ends_the_use_case_and_keeps_what_was_learned() -> None:
    case = ready_case()
    decision = stop(case, case.submit())
    case.use_case.refresh_from_db()
    assert (case.use_case.stage, case.use_case.status) == ("stopped", "closed")
    assert not GateAssurance.objects.exists()
    assert decision.plan == STOP
    body = json.loads(decision.body)
    assert (body["plan"], body["reason_code"]) == (STOP, "no_value")


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ({"reason_code": ""}, "reason_code"),
        ({"reason_code": "boredom"}, "reason_code"),
        ({"reason": " "}, "reason"),
        ({"plan": {"disposal": "Deleted."}}, "plan.lessons"),
        ({"plan": {"lessons": "Much."}}, "plan.disposal"),
        ({"plan": {**STOP, "lessons": " "}}, "plan.lessons"),
        ({"plan": {**STOP, "lessons": "x" * 4001}}, "plan.lessons"),
        ({"plan": {**STOP, "party": "Friday."}}, "plan.party"),
    ],
)
def test_a_stop_asks_for_code_lessons_and_disposal(missing: dict[str, Any], field: str) -> None:
    case = ready_case()
    with pytest.raises(Invalid) as wrong:
        stop(case, case.submit(), **missing)
    assert list(wrong.value.errors) == [field]
    case.use_case.refresh_from_db()
    assert case.use_case.stage == "idea"


def test_a_portfolio_manager_does_not_stop() -> None:
    case = ready_case()
    with pytest.raises(PermissionDenied):
        case.decide(case.submit(), "stop", reason="No.", reason_code="cost", plan=STOP)


def test_a_sponsor_decides_nothing_but_the_end() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    for outcome in ("go", "return", "pivot"):
        with pytest.raises(PermissionDenied):
            stop(case, review, outcome=outcome, to_stage="idea")


def test_what_was_owed_is_dropped_when_the_use_case_stops() -> None:
    case = ready_case()
    row = go_with(case)[0]
    stop(case, case.submit("poc_to_pilot"))
    row.refresh_from_db()
    assert (row.state, row.closed_by) == ("dropped", None)
    assert Event.objects.filter(action="condition.dropped").count() == 1
    assert Notice.objects.filter(kind="condition.dropped").get().recipient == row.owner


def test_what_is_done_already_stays_done() -> None:
    case = ready_case()
    row = go_with(case)[0]
    Condition.objects.update(state="closed")
    stop(case, case.submit("poc_to_pilot"))
    row.refresh_from_db()
    assert row.state == "closed"


# -- Retire ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["idea", "poc", "pilot"])
def test_only_what_has_run_is_retired(stage: str) -> None:
    case = ready_case()
    review = case.submit()
    UseCase.objects.update(stage=stage)
    with pytest.raises(Conflict, match="only what has run in production"):
        stop(case, review, outcome="retire", plan=RETIRE)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("stage", ["production", "operations"])
def test_a_retirement_says_who_is_told_what_is_kept_and_which_access_ends(stage: str) -> None:
    case = ready_case()
    review = case.submit()
    UseCase.objects.update(stage=stage)
    decision = stop(case, review, outcome="retire", plan=RETIRE)
    case.use_case.refresh_from_db()
    assert (case.use_case.stage, case.use_case.status) == ("retired", "closed")
    assert json.loads(decision.body)["plan"] == RETIRE


@pytest.mark.parametrize("part", list(RETIRE))
def test_a_retirement_lacks_no_part(part: str) -> None:
    case = ready_case()
    review = case.submit()
    UseCase.objects.update(stage="operations")
    with pytest.raises(Invalid) as wrong:
        stop(case, review, outcome="retire", plan={**RETIRE, part: ""})
    assert list(wrong.value.errors) == [f"plan.{part}"]


@pytest.mark.parametrize(("part", "value"), [("logs_until", in_days(-1)), ("notice_on", "2026-02-31")])
def test_the_days_of_a_retirement_make_sense(part: str, value: Any) -> None:
    case = ready_case()
    review = case.submit()
    UseCase.objects.update(stage="operations")
    with pytest.raises(Invalid) as wrong:
        stop(case, review, outcome="retire", plan={**RETIRE, part: value})
    assert list(wrong.value.errors) == [f"plan.{part}"]


# -- Pivot -----------------------------------------------------------------------------------------------------------


def answers(level: int) -> dict[str, Any]:
    """Every factor on one level, nothing prohibited, nothing unsure."""
    asked = questionnaire()
    return {
        "prohibited": {question.key: "no" for question in asked.prohibited},
        "factors": {factor.key: level for factor in asked.factors},
    }


def classified(case: Case, level: int = 1) -> RiskClassification:
    """Answered by the lead and confirmed by risk."""
    done = classify(use_case=case.use_case, answers=answers(level), by=case.lead)
    return confirm_tier(classification=done, by=person_with("risk_compliance", organisation()))


def test_a_pivot_goes_back_and_what_lies_ahead_has_to_be_passed_anew() -> None:
    case = ready_case()
    case.pass_gate()
    review = case.submit("poc_to_pilot")
    decision = case.decide(review, "pivot", reason="Other users.", to_stage="idea")
    case.use_case.refresh_from_db()
    assert (case.use_case.stage, case.use_case.assurance) == ("idea", "")
    assert json.loads(decision.body)["to_stage"] == "idea"
    assert not GateAssurance.objects.exists()
    assert Decision.objects.count() == 2


def test_a_pivot_has_the_tier_computed_anew_and_confirmed_again() -> None:
    case = ready_case()
    before = classified(case)
    case.use_case.refresh_from_db()
    case.pass_gate()
    case.decide(case.submit("poc_to_pilot"), "pivot", reason="Other users.", to_stage="idea")
    now = RiskClassification.objects.get(is_current=True)
    assert now.pk != before.pk
    assert now.answers == before.answers
    assert (now.confirmed_by, now.classified_by) == (None, case.manager)
    assert Event.objects.filter(action="risk.classified").count() == 2


def test_a_pivot_never_lowers_the_tier_before_somebody_confirmed_it() -> None:
    case = ready_case()
    assert classified(case, level=2).effective_tier == "limited"
    case.pass_gate()
    review = case.submit("poc_to_pilot")
    UseCase.objects.update(tier="high")
    case.decide(review, "pivot", reason="Other users.", to_stage="idea")
    case.use_case.refresh_from_db()
    assert case.use_case.tier == "high"
    again = RiskClassification.objects.get(is_current=True)
    assert again.confirmed_by is None
    confirm_tier(classification=again, by=person_with("risk_compliance", organisation()))
    case.use_case.refresh_from_db()
    assert case.use_case.tier == again.effective_tier != "high"


def test_a_pivot_raises_the_tier_at_once_where_todays_rule_says_more() -> None:
    case = ready_case()
    classified(case, level=4)
    RiskClassification.objects.update(tier="limited")  # as an older rule found it
    UseCase.objects.update(tier="limited")
    case.pass_gate()
    case.decide(case.submit("poc_to_pilot"), "pivot", reason="Other users.", to_stage="idea")
    case.use_case.refresh_from_db()
    assert case.use_case.tier == "high"


def test_a_pivot_without_answers_leaves_the_use_case_unclassified_which_is_judged_as_high() -> None:
    case = ready_case()
    case.pass_gate()
    case.decide(case.submit("poc_to_pilot"), "pivot", reason="Other users.", to_stage="idea")
    case.use_case.refresh_from_db()
    assert case.use_case.tier == ""


def test_a_pivot_is_no_way_out_of_prohibited() -> None:
    case = ready_case()
    case.pass_gate()
    review = case.submit("poc_to_pilot")
    UseCase.objects.update(tier="prohibited")
    case.decide(review, "pivot", reason="Other users.", to_stage="idea")
    case.use_case.refresh_from_db()
    assert case.use_case.tier == "prohibited"


@pytest.mark.parametrize("to_stage", ["poc", "pilot", "production", "operations", "stopped", "retired", "", "moon"])
def test_a_pivot_goes_to_an_earlier_stage_alone(to_stage: str) -> None:
    case = ready_case()
    case.pass_gate()
    review = case.submit("poc_to_pilot")
    with pytest.raises(Invalid) as wrong:
        case.decide(review, "pivot", reason="Other users.", to_stage=to_stage)
    assert list(wrong.value.errors) == ["to_stage"]
    case.use_case.refresh_from_db()
    assert case.use_case.stage == "poc"


def test_what_is_owed_is_still_owed_after_a_pivot() -> None:
    case = ready_case()
    row = go_with(case)[0]
    case.decide(case.submit("poc_to_pilot"), "pivot", reason="Other users.", to_stage="idea")
    row.refresh_from_db()
    assert row.state == "open"


@pytest.mark.parametrize("outcome", ["pivot", "stop"])
def test_other_open_reviews_are_superseded_and_can_be_decided_no_more(outcome: str) -> None:
    case = ready_case()
    case.pass_gate()
    review = case.submit("poc_to_pilot")
    other = other_review(case, "idea_to_poc")
    if outcome == "stop":
        stop(case, review)
    else:
        case.decide(review, "pivot", reason="Other users.", to_stage="idea")
    other.refresh_from_db()
    assert other.state == "superseded"
    assert Notice.objects.filter(kind="review.superseded").get().recipient == case.lead
    for again in ("go", "return"):
        with pytest.raises(Conflict, match="closed: superseded"):
            case.decide(other, again, reason="Still.")
    with pytest.raises(Conflict, match="closed: superseded"):
        case.sign(other, "business_owner")


# -- Stages and returns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("here", "there"),
    [("idea", "pilot"), ("idea", "production"), ("poc", "production"), ("pilot", "operations"), ("idea", "retired")],
)
def test_a_stage_is_never_skipped(here: str, there: str) -> None:
    case = ready_case()
    decision = case.pass_gate().decision
    UseCase.objects.update(stage=here)
    with pytest.raises(Conflict, match="cannot move"):
        move_stage(use_case=case.use_case, to_stage=there, decision_id=decision.pk, by=case.manager)
    case.use_case.refresh_from_db()
    assert case.use_case.stage == here


def test_a_go_at_a_gate_that_the_use_case_has_left_behind_is_refused() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    UseCase.objects.update(stage="pilot")
    with pytest.raises(Conflict):
        case.decide(review)
    assert not StageChange.objects.filter(decision_id__isnull=False).exists()


def test_after_a_return_votes_are_lapsed_and_it_may_be_submitted_again() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    case.decide(review, "return", reason="The baseline has no source.")
    assert not review.sign_offs.filter(lapsed_at__isnull=True).exists()
    again = case.submit()
    assert (again.round, again.previous) == (2, review)
    assert not again.sign_offs.exists()
