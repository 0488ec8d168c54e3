"""What a waiver does to findings, snapshots, votes and assurance: it excuses one criterion, for a time, and no more."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gates import tasks
from gates.assessment import assess
from gates.assurance import reassess
from gates.criterion import Finding, Outcome
from gates.engine import evaluate
from gates.facts.past_waivers import PastWaivers
from gates.facts.waivers import Waivers
from gates.in_force import primary
from gates.models import CriterionFinding, GateAssurance, Waiver
from gates.policy import Criterion
from gates.services.reviews import submit_review
from gates.services.waivers import revoke_waiver
from gates.standing import results_of
from gates.waiving import excuse
from kernel.errors import Conflict, NotReady
from notify.models import Notice
from portfolio.models import UseCase
from tests.factories.accounts import person_with
from tests.factories.gates import CRITERIA, Case, publish, ready_case, small_text
from tests.factories.governance import IssueFactory
from tests.factories.waivers import WaiverFactory, grant, in_days, risk_officer
from tests.gates.test_waivers import failing

pytestmark = pytest.mark.django_db


def finding(case: Case, criterion: str = "IP-03", at: Any = None) -> Finding:
    _version, policy = primary()
    [result] = evaluate([case.use_case.pk], "idea_to_poc", policy, at or timezone.now())
    return next(j.finding for j in result.judged if j.criterion.id == criterion)


def test_a_waived_criterion_passes_and_says_by_whom_until_when_and_what_it_hides() -> None:
    case = failing()
    assert finding(case).outcome is Outcome.NOT_MET
    waiver = grant(case)
    found = finding(case)
    assert found.outcome is Outcome.WAIVED
    assert found.outcome.passes
    assert found.valid_until == waiver.expires_at
    assert found.evidence[0].plain() == {"kind": "waiver", "id": "1", "label": "W-1", "digest": ""}
    names = waiver.votes.get().person.full_name
    assert f"by {names}: The supplier answers in March." in found.reason
    assert "Two people check every letter." in found.reason
    assert "Without the waiver: not met." in found.reason
    assert case.submit().state == "open"


@pytest.mark.parametrize("outcome", [o for o in Outcome if not o.passes])
def test_whatever_blocks_is_excused(outcome: Outcome) -> None:
    assert excuse(rule(), Finding(outcome), held(), "limited").outcome is Outcome.WAIVED


@pytest.mark.parametrize("outcome", [Outcome.MET, Outcome.NOT_APPLICABLE])
def test_what_passes_is_left_as_it_is(outcome: Outcome) -> None:
    found = Finding(outcome, reason="As it is.")
    assert excuse(rule(), found, held(), "limited") is found


@pytest.mark.parametrize(
    ("given", "now", "excused"),
    [
        ("limited", "minimal", True),
        ("limited", "limited", True),
        ("limited", "high", False),
        ("minimal", "limited", False),
        ("high", "high", True),
        ("limited", "", False),
    ],
)
def test_approvals_of_a_lower_tier_do_not_hold_at_a_higher_one(given: str, now: str, excused: bool) -> None:
    found = excuse(rule(), Finding(Outcome.MISSING, reason="Nothing on record."), held(tier=given), now)
    assert (found.outcome is Outcome.WAIVED) == excused
    if not excused:
        assert f"W-7 does not hold: it was granted at the {given} tier" in found.reason
        assert found.valid_until is None


@pytest.mark.parametrize("change", [{"waivable": False}, {"type": "approval"}])
def test_what_a_later_policy_lists_is_excused_no_more(change: dict[str, Any]) -> None:
    found = excuse(rule(**change), Finding(Outcome.NOT_MET, reason="Two are open."), held(), "limited")
    assert found.outcome is Outcome.NOT_MET
    assert "does not hold" in found.reason


def rule(**more: Any) -> Criterion:
    given: dict[str, Any] = {"type": "open_findings", "params": None, "raw_params": {}, "applies": {}, **more}
    return Criterion(id="IP-03", slug="", title="", question="", owner="", **given)


def held(**more: Any) -> dict[str, Any]:
    return {
        "number": 7,
        "label": "W-7",
        "tier": "limited",
        "reason": "Late",
        "compensating_control": "Four eyes",
        "expires_at": in_days(3),
        "approved_by": ["Ada Lovelace", "Grace Hopper"],
        **more,
    }


def test_a_raised_tier_brings_the_criterion_back() -> None:
    case = failing()
    grant(case)
    UseCase.objects.update(tier="high")
    found = finding(case)
    assert found.outcome is Outcome.NOT_MET
    assert "granted at the limited tier, and the tier is high now" in found.reason


def test_only_the_named_criterion_of_the_named_use_case_is_excused() -> None:
    case, other = failing(problem_statement=""), failing(policy=False)
    grant(case)
    assert finding(case, "IP-01").outcome is Outcome.MISSING
    assert finding(other).outcome is Outcome.NOT_MET
    with pytest.raises(NotReady):
        case.submit()


def test_it_holds_from_its_grant_until_its_end_for_past_moments_too() -> None:
    case = failing()
    begun, end = in_days(-20), in_days(-5)
    row = WaiverFactory.create(use_case=case.use_case, requested_at=in_days(-21), settled_at=begun, expires_at=end)

    def holds(at: Any) -> bool:
        in_force = Waivers().load([case.use_case.pk], at).get(case.use_case.pk, {})
        assert bool(in_force) == row.holds(at)
        return bool(in_force)

    second = timedelta(seconds=1)
    assert [holds(t) for t in (begun - second, begun, end - second, end)] == [False, True, True, False]
    Waiver.objects.update(state="revoked", ended_at=in_days(-10))
    row.refresh_from_db()
    assert [holds(t) for t in (in_days(-11), in_days(-9))] == [True, False]
    [past] = PastWaivers().load([case.use_case.pk], timezone.now())[case.use_case.pk]["idea_to_poc"].values()
    assert (past["how"], past["ended"]) == ("was revoked", row.ended_at)
    for state in ("requested", "refused", "withdrawn"):
        Waiver.objects.update(state=state)
        row.refresh_from_db()
        assert not holds(in_days(-11))


def test_granting_and_revoking_one_ends_the_votes_on_an_open_review_at_once() -> None:
    case = failing(problem_statement="")
    grant(case, "IP-01")
    case.use_case.issues.all().delete()
    review = case.submit()
    digest = review.digest
    vote = case.sign(review, "business_owner")
    revoke_waiver(waiver=Waiver.objects.get(), by=risk_officer(), reason="The control is not kept.")
    review.refresh_from_db()
    vote.refresh_from_db()
    assert review.digest != digest
    assert vote.lapsed_at is not None
    assert Notice.objects.filter(kind="sign_off.lapsed", recipient=vote.person).exists()
    with pytest.raises(Conflict):
        case.decide(review)

    again = case.sign(review, "technical_lead")
    digest = review.digest
    grant(case, "IP-01", reason="Another month.")
    review.refresh_from_db()
    again.refresh_from_db()
    assert review.digest != digest
    assert again.lapsed_at is not None


def test_a_waiver_that_ends_while_people_sign_ends_their_votes() -> None:
    case = failing()
    grant(case, days=2)
    review = case.submit()
    case.sign(review, "business_owner")
    with time_machine.travel(timezone.now() + timedelta(days=3)), pytest.raises(Conflict, match="facts changed"):
        case.sign(review, "technical_lead")
    review.refresh_from_db()
    assert not review.sign_offs.filter(lapsed_at__isnull=True).exists()


def test_a_waiver_of_another_gate_changes_nothing_that_is_signed() -> None:
    case = ready_case()
    review = case.submit()
    WaiverFactory.create(use_case=case.use_case, gate="poc_to_pilot", criterion="PP-01")
    assert case.sign(review, "business_owner").digest == review.digest


def test_what_is_signed_names_the_waiver() -> None:
    case = failing()
    waiver = grant(case)
    body = json.loads(case.submit().snapshots.get().body)
    assert body["facts"]["waivers"]["IP-03"]["label"] == "W-1"
    [row] = [f for f in body["findings"] if f["criterion"] == "IP-03"]
    assert (row["outcome"], row["valid_until"]) == ("waived", body["facts"]["waivers"]["IP-03"]["expires_at"])
    assert waiver.compensating_control in row["reason"]
    assert "waivers" not in json.loads(ready_case(policy=False).submit().snapshots.get().body)["facts"]


def test_the_number_of_waivers_does_not_change_the_number_of_queries() -> None:
    cases = [failing(), *(failing(policy=False) for _ in range(3))]
    ids = [case.use_case.pk for case in cases]
    WaiverFactory.create(use_case=cases[0].use_case)
    _version, policy = primary()
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            evaluate(ids, None, policy, timezone.now())
        counts.append(len(captured))
        for case in cases[1:]:
            WaiverFactory.create(use_case=case.use_case)
    assert counts[0] == counts[1]


def test_a_stored_finding_turns_when_its_waiver_ends_even_before_the_worker_comes() -> None:
    case = failing()
    grant(case, days=2)
    assess([case.use_case.pk])
    row = CriterionFinding.objects.get(criterion="IP-03")
    assert row.outcome == "waived"
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        [result] = results_of(UseCase.objects.get(pk=case.use_case.pk))
        shown = next(j.finding for j in result.judged if j.criterion.id == "IP-03")
        assert not shown.outcome.passes
        assert tasks.expire() == 1
        row.refresh_from_db()
        assert row.outcome == "not_met"
        assert tasks.expire() == 0


# --- assurance


def passed_on_a_waiver(criterion: str = "IP-03", *, days: float = 60, **fields: Any) -> Case:
    case = ready_case(**fields)
    person_with("business_sponsor", case.use_case)
    if criterion == "IP-03":
        IssueFactory.create(use_case=case.use_case, kind="assumption")
    grant(case, criterion, days=days)
    case.pass_gate()
    reassess([case.use_case.pk])
    assert GateAssurance.objects.get().state == "in_force"
    return case


def test_assurance_drops_when_a_waiver_ends_and_says_so() -> None:
    case = passed_on_a_waiver()
    assess([case.use_case.pk])
    with time_machine.travel(timezone.now() + timedelta(days=61)):
        assert tasks.expire() >= 1
        row = GateAssurance.objects.get()
        assert row.state == "at_risk"
        assert [r["code"] for r in row.reasons] == ["waiver_ended"]
        assert row.reasons[0]["text"].startswith("Waiver W-1 ended on")
        assert row.due_at is not None
        case.use_case.refresh_from_db()
        assert case.use_case.assurance == "at_risk"
        case.use_case.issues.all().delete()
        reassess([case.use_case.pk])
        assert GateAssurance.objects.get().state == "in_force"


def test_it_drops_for_an_earlier_gate_too_whose_evidence_was_never_given() -> None:
    case = passed_on_a_waiver("IP-01", problem_statement="")
    UseCase.objects.update(target_users="Clerks")
    submit_review(use_case=UseCase.objects.get(), gate="poc_to_pilot", by=case.lead)
    case.use_case.refresh_from_db()
    review = case.use_case.reviews.get(gate="poc_to_pilot")
    case.sign_all(review)
    case.decide(review)
    with time_machine.travel(timezone.now() + timedelta(days=61)):
        reassess()
        states = dict(GateAssurance.objects.values_list("gate", "state"))
    assert states == {"idea_to_poc": "at_risk", "poc_to_pilot": "in_force"}


def test_it_drops_at_once_when_one_is_revoked() -> None:
    case = passed_on_a_waiver()
    revoke_waiver(waiver=Waiver.objects.get(), by=risk_officer(), reason="The control is not kept.")
    reassess([case.use_case.pk])
    [reason] = GateAssurance.objects.get().reasons
    assert reason["code"] == "waiver_ended"
    assert "was revoked" in reason["text"]


def test_a_renewal_keeps_it_in_force() -> None:
    case = passed_on_a_waiver(days=30)
    grant(case, days=80, renews=Waiver.objects.get())
    with time_machine.travel(timezone.now() + timedelta(days=40)):
        reassess([case.use_case.pk])
        assert GateAssurance.objects.get().state == "in_force"


def test_a_waiver_that_ended_before_the_decision_is_no_reason() -> None:
    case = ready_case()
    person_with("business_sponsor", case.use_case)
    WaiverFactory.create(use_case=case.use_case, expires_at=in_days(-2))
    case.pass_gate()
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    reassess([case.use_case.pk])
    assert [r["code"] for r in GateAssurance.objects.get().reasons] == ["criterion_not_met"]


def test_a_lowered_threshold_turns_a_passed_gate() -> None:
    case = ready_case()
    person_with("business_sponsor", case.use_case)
    allowed = CRITERIA.replace("minimal: 0, limited: 0, high: 0}", "minimal: 2, limited: 2, high: 2}")
    publish(small_text(criteria=allowed, version="0.9.0"))
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    case.pass_gate()
    reassess([case.use_case.pk])
    assert GateAssurance.objects.get().state == "in_force"
    publish(small_text(version="1.1.0"))
    assert reassess([case.use_case.pk]) == 1
    row = GateAssurance.objects.get()
    assert (row.state, [r["code"] for r in row.reasons]) == ("at_risk", ["criterion_not_met"])
