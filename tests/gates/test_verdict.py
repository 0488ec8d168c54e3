"""The verdict of a gate: what allows, what denies, who may ask, what held in the past, and how a caller waits."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gates.assessment import ask_again
from gates.assurance import reassess
from gates.models import Condition, Decision, EmergencyRelease, GateAssurance, Waiver
from gates.services.decisions import decide
from gates.verdict import verdict
from portfolio.models import UseCase
from portfolio.services import hold, set_tier
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.factories.gates import Case, publish, ready_case, small_text
from tests.factories.governance import ModelVersionFactory
from tests.factories.monitoring import AlertFactory

pytestmark = pytest.mark.django_db

GATE = "idea_to_poc"


def passed(tier: str = "limited") -> Case:
    case = ready_case(tier=tier)
    person_with("business_sponsor", case.use_case)
    case.pass_gate()
    reassess([case.use_case.pk])
    return case


def machine(case: Case) -> Any:
    account = ServiceAccountFactory.create()
    give(account, "service_account", case.use_case)
    return api_as(account)


def url(case: Case, gate: str = GATE, query: str = "") -> str:
    return f"/api/v1/use-cases/{case.use_case.key}/gates/{gate}/verdict{query}"


def codes(found: dict[str, Any], what: str = "reasons") -> list[str]:
    return [line["code"] for line in found[what]]


def test_a_gate_nobody_decided_about_is_denied_with_what_is_missing() -> None:
    case = ready_case(problem_statement="")
    found = verdict(case.use_case, GATE)
    assert (found["allowed"], found["verdict"], found["basis"]) == (False, "deny", "none")
    assert codes(found) == ["no_decision"]
    first = found["failing"][0]
    assert (first["criterion"], first["outcome"], first["owner"]) == ("IP-01", "missing", "business_owner")
    assert first["remedy"]
    assert (found["decision"], found["assurance"], found["stage"], found["tier"]) == (None, None, "idea", "limited")


def test_a_go_in_force_allows_and_says_by_whom_on_what() -> None:
    case = passed()
    decision = Decision.objects.get()
    found = verdict(case.use_case, GATE)
    assert (found["allowed"], found["basis"], found["reasons"], found["warnings"]) == (True, "decision", [], [])
    assert found["assurance"]["state"] == "in_force"
    assert found["decision"]["digest"] == decision.digest
    assert found["decision"]["record_digest"] == decision.body_digest
    assert found["decision"]["decided_by"] == case.manager.full_name
    signed = {(v["role"], v["name"]) for v in found["decision"]["sign_offs"]}
    assert signed == {(role, person.full_name) for role, person in case.signers.items()}
    assert found["policy"]["version"] == "1.0.0"
    assert found["failing"] == []


def test_the_gate_after_it_is_still_denied() -> None:
    case = passed()
    assert verdict(case.use_case, "poc_to_pilot")["allowed"] is False


def test_at_risk_is_allowed_with_a_warning_and_denied_when_strict() -> None:
    case = passed()
    AlertFactory.create(rule__series__use_case=case.use_case, level="act", message="F1 fell")
    reassess([case.use_case.pk])
    found = verdict(case.use_case, GATE)
    assert (found["allowed"], codes(found, "warnings")) == (True, ["at_risk"])
    assert "F1 fell" in found["warnings"][0]["text"]
    strict = verdict(case.use_case, GATE, strict=True)
    assert (strict["allowed"], codes(strict)) == (False, ["at_risk"])


def test_reapproval_required_denies() -> None:
    case = passed()
    set_tier(use_case=case.use_case, tier="high", source="override", legal_hold=False, by=case.manager)
    reassess([case.use_case.pk])
    case.use_case.refresh_from_db()
    found = verdict(case.use_case, GATE)
    assert found["allowed"] is False
    assert set(codes(found)) == {"reapproval_required"}


def test_it_does_not_wait_for_the_worker_when_facts_changed() -> None:
    """The tier rose a moment ago; nobody has judged it again yet."""
    case = passed()
    UseCase.objects.update(tier="prohibited")
    ask_again([case.use_case.pk])
    case.use_case.refresh_from_db()
    found = verdict(case.use_case, GATE)
    assert found["allowed"] is False
    assert GateAssurance.objects.get().state == "reapproval_required"


@pytest.mark.parametrize("outcome", ["stop", "pivot"])
def test_what_was_taken_back_is_denied_and_says_by_which_decision(outcome: str) -> None:
    case = passed()
    later = case.submit("poc_to_pilot")
    if outcome == "stop":
        sponsor = person_with("ai_governance_board", case.use_case.unit)
        more = {"reason": "No value.", "reason_code": "no_value"}
    else:
        sponsor, more = case.manager, {"reason": "Other data.", "to_stage": "idea"}
    decide(review=later, outcome=outcome, by=sponsor, digest=later.digest, **_complete(outcome, more))
    case.use_case.refresh_from_db()
    found = verdict(case.use_case, GATE)
    assert found["allowed"] is False
    assert found["decision"] is None
    assert found["last_decision"]["outcome"] == outcome
    if outcome == "pivot":
        assert str(later) in found["reasons"][0]["text"]
    else:
        assert codes(found) == ["ended"]


def _complete(outcome: str, more: dict[str, str]) -> dict[str, Any]:
    """What a decision has to say besides; a stop that needs lessons and disposal says so."""
    if outcome == "stop" and "plan" in inspect.signature(decide).parameters:
        return {**more, "plan": {"lessons": "Ask users first.", "disposal": "Data deleted, model archived."}}
    return dict(more)


def test_a_use_case_on_hold_is_denied_whatever_was_decided() -> None:
    case = passed()
    case.use_case = hold(use_case=case.use_case, by=case.manager, reason="Budget.")
    assert codes(verdict(case.use_case, GATE)) == ["on_hold"]


def active_release(case: Case, gate: str = "poc_to_pilot", **fields: Any) -> EmergencyRelease:
    now = timezone.now()
    values = {"state": "active", "answered_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=3), **fields}
    return EmergencyRelease.objects.create(
        use_case=case.use_case,
        gate=gate,
        reason="The old service is down.",
        requested_by=PersonFactory.create(),
        answered_by=PersonFactory.create(),
        **values,
    )


def test_an_emergency_release_allows_while_it_holds_and_only_its_gate() -> None:
    case = passed()
    release = active_release(case)
    found = verdict(case.use_case, "poc_to_pilot")
    assert (found["allowed"], found["basis"], found["reasons"]) == (True, "emergency", [])
    assert release.answered_by is not None
    assert found["emergency"]["confirmed_by"] == release.answered_by.full_name
    assert "no_decision" in codes(found, "warnings")
    EmergencyRelease.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    found = verdict(case.use_case, "poc_to_pilot")
    assert (found["allowed"], found["emergency"]) == (False, None)


def test_an_emergency_release_opens_no_prohibited_use_case_and_no_legal_hold() -> None:
    case = passed()
    active_release(case)
    UseCase.objects.update(legal_hold=True)
    case.use_case.refresh_from_db()
    assert codes(verdict(case.use_case, "poc_to_pilot")) == ["blocked"]


def test_conditions_still_owed_and_waivers_that_hold_are_in_the_answer() -> None:
    case = passed()
    now = timezone.now()
    common = {"decision": Decision.objects.get(), "use_case": case.use_case, "owner": case.lead, "scope": "All users"}
    Condition.objects.create(**common, position=1, text="Train", due_on=now.date() - timedelta(days=2))
    Condition.objects.create(
        **common, position=2, text="Done", due_on=now.date(), state="closed", closed_at=now - timedelta(hours=1)
    )
    Waiver.objects.create(
        number=1,
        use_case=case.use_case,
        gate=GATE,
        criterion="IP-03",
        tier="limited",
        reason="r",
        compensating_control="c",
        state="approved",
        requested_by=case.lead,
        requested_at=now - timedelta(days=2),
        settled_at=now - timedelta(days=1),
        expires_at=now + timedelta(days=1),
    )
    found = verdict(case.use_case, GATE)
    assert [(c["position"], c["overdue"]) for c in found["conditions"]] == [(1, True)]
    assert "condition_overdue" in codes(found, "warnings")
    assert [w["criterion"] for w in found["waivers"]] == ["IP-03"]


# The past


def test_the_past_answers_with_what_was_decided_and_live_then() -> None:
    case = ready_case()
    before = timezone.now()
    case.pass_gate()
    version = ModelVersionFactory.create(model__use_case=case.use_case, label="2.1", live_at=timezone.now())
    between = timezone.now()
    later = case.submit("poc_to_pilot")
    case.decide(later, "pivot", reason="Other data.", to_stage="idea")
    case.use_case.refresh_from_db()

    then = verdict(case.use_case, GATE, at=between)
    assert (then["allowed"], then["stage"], then["decision"]["outcome"]) == (True, "poc", "go")
    assert then["live"]["version"] == version.label
    assert then["reconstructed"]
    earlier = verdict(case.use_case, GATE, at=before)
    assert (earlier["allowed"], earlier["decision"], earlier["live"]) == (False, None, None)
    now = verdict(case.use_case, GATE, at=timezone.now())
    assert (now["allowed"], now["stage"]) == (False, "idea")


def test_the_past_knows_assurance_tier_and_hold_of_then() -> None:
    case = passed()
    in_force = timezone.now()
    set_tier(use_case=case.use_case, tier="high", source="override", legal_hold=False, by=case.manager)
    reassess([case.use_case.pk])
    raised = timezone.now()
    hold(use_case=case.use_case, by=case.manager, reason="Budget.")
    held = timezone.now()
    assert verdict(case.use_case, GATE, at=in_force)["allowed"] is True
    found = verdict(case.use_case, GATE, at=raised)
    assert (set(codes(found)), found["tier"]) == ({"reapproval_required"}, "high")
    assert codes(verdict(case.use_case, GATE, at=held)) == ["on_hold"]


def test_the_past_is_judged_under_the_policy_of_that_day() -> None:
    case = passed()
    then = timezone.now()
    publish(small_text(version="2.0.0"))
    assert verdict(case.use_case, GATE, at=then)["policy"]["version"] == "1.0.0"
    assert verdict(case.use_case, GATE)["policy"]["version"] == "2.0.0"


def test_before_the_first_policy_it_says_which_one_it_took() -> None:
    case = ready_case()
    found = verdict(case.use_case, GATE, at=timezone.now() - timedelta(days=900))
    assert found["allowed"] is False
    assert any("No policy was published by then" in text for text in found["reconstructed"])


def test_a_pivot_ends_what_an_emergency_opened_ahead() -> None:
    case = passed()
    active_release(case)
    UseCase.objects.update(stage="idea")
    case.use_case.refresh_from_db()
    assert verdict(case.use_case, "poc_to_pilot")["allowed"] is False


def test_a_release_that_ended_early_held_until_then() -> None:
    case = passed()
    now = timezone.now()
    active_release(case, state="ended", ended_at=now - timedelta(minutes=30))
    assert verdict(case.use_case, "poc_to_pilot", at=now - timedelta(minutes=40))["basis"] == "emergency"
    assert verdict(case.use_case, "poc_to_pilot", at=now - timedelta(minutes=20))["allowed"] is False


# Over REST
