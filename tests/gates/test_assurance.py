"""A passed gate stays under assurance: what turns it, what brings it back, and that nobody has to press anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

import ledger
from accounts.services import end_role
from gates import tasks
from gates.assessment import ask_again, assess
from gates.assurance import reassess
from gates.handlers import on_facts_changed, on_portfolio_changed
from gates.models import Assessment, CriterionFinding, GateAssurance
from gates.services.breaches import decide_breach
from gates.standing import results_of
from kernel.errors import Conflict
from ledger.models import Event
from monitoring.judging import judge
from monitoring.models import Alert
from notify.models import Notice
from portfolio.models import UseCase
from portfolio.services import set_standing
from tests.factories.accounts import person_with
from tests.factories.gates import CRITERIA, Case, publish, ready_case, small_text
from tests.factories.governance import AiModelFactory, IssueFactory, ModelVersionFactory
from tests.factories.monitoring import AlertFactory, RuleFactory, points

pytestmark = pytest.mark.django_db


def passed(tier: str = "limited") -> Case:
    """A use case that has just passed its first gate, with somebody who owns and sponsors it."""
    case = ready_case(tier=tier)
    person_with("business_sponsor", case.use_case)
    case.pass_gate()
    reassess([case.use_case.pk])
    assert state(case) == ("in_force", "in_force")
    return case


def state(case: Case) -> tuple[str, str]:
    case.use_case.refresh_from_db()
    return (GateAssurance.objects.get(use_case=case.use_case).state, case.use_case.assurance)


def reasons(case: Case) -> list[str]:
    return [reason["code"] for reason in GateAssurance.objects.get(use_case=case.use_case).reasons]


def broken_rule(case: Case) -> Alert:
    alert: Alert = AlertFactory.create(rule__series__use_case=case.use_case, level="act")
    return alert


def test_an_alert_turns_it_and_says_why_by_when_and_to_whom() -> None:
    case = passed()
    alert = broken_rule(case)
    assert reassess([case.use_case.pk]) == 1
    assert state(case) == ("at_risk", "at_risk")
    row = GateAssurance.objects.get()
    assert row.reasons == [{"code": "alert_act", "text": alert.message, "criterion": "", "alert": str(alert.pk)}]
    assert row.due_at is not None
    assert row.due_at > timezone.now() + timedelta(days=13)
    assert case.use_case.assurance_reason == alert.message
    event = Event.objects.get(action="assurance.changed")
    assert event.use_case_id == str(case.use_case.pk)
    told = Notice.objects.filter(kind="assurance.changed").values_list("recipient__email", flat=True)
    assert set(told) == {person.email for person in case.signers.values()}


def test_judging_it_again_changes_and_tells_nothing() -> None:
    case = passed()
    broken_rule(case)
    reassess([case.use_case.pk])
    events = Event.objects.count()
    assert reassess([case.use_case.pk]) == 0
    assert reassess() == 0
    assert Event.objects.count() == events


def test_a_resolved_alert_brings_it_back() -> None:
    case = passed()
    Alert.objects.filter(pk=broken_rule(case).pk).update(state="open")
    reassess([case.use_case.pk])
    Alert.objects.update(state="resolved", resolved_at=timezone.now())
    assert reassess([case.use_case.pk]) == 1
    assert state(case) == ("in_force", "in_force")
    row = GateAssurance.objects.get()
    assert (row.reasons, row.due_at) == ([], None)


def test_accepting_the_breach_brings_it_back() -> None:
    case = passed()
    alert = broken_rule(case)
    reassess([case.use_case.pk])
    until = timezone.localdate() + timedelta(days=30)
    owner = case.signers["business_owner"]
    decide_breach(alert=alert, outcome="accept", reason="Known season.", accepted_until=until, by=owner)
    reassess([case.use_case.pk])
    assert state(case)[0] == "in_force"


def test_a_point_that_breaks_a_rule_turns_it_without_anybody(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    case = passed()
    rule = RuleFactory.create(series__use_case=case.use_case)
    with django_capture_on_commit_callbacks(execute=True):
        points(rule.series, [0.5])
        judge([rule.series.pk])
    assert tasks.sweep() >= 1
    assert state(case) == ("at_risk", "at_risk")
    with django_capture_on_commit_callbacks(execute=True):
        points(rule.series, [0.95, 0.95, 0.95])
        judge([rule.series.pk])
    tasks.sweep()
    resolved = not Alert.objects.exclude(state="resolved").exists()
    assert (state(case)[0] == "in_force") == resolved


def test_the_task_of_one_use_case_does_what_the_sweep_does() -> None:
    case = passed()
    broken_rule(case)
    tasks.reassess_use_case(str(case.use_case.pk))
    assert state(case)[0] == "at_risk"
    assert CriterionFinding.objects.filter(use_case=case.use_case).exists()


def test_a_criterion_of_the_newest_gate_that_is_open_again_turns_it() -> None:
    case = passed()
    IssueFactory.create(use_case=case.use_case, kind="assumption", title="Volume is known")
    reassess([case.use_case.pk])
    assert state(case)[0] == "at_risk"
    assert reasons(case) == ["criterion_not_met"]


def test_a_criterion_that_is_judged_once_says_nothing_after_the_gate() -> None:
    once = CRITERIA.replace("      title: No open assumption\n", "      title: No open assumption\n      once: true\n")
    publish(small_text(criteria=once))
    case = ready_case(policy=False)
    person_with("business_sponsor", case.use_case)
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    with pytest.raises(Conflict):
        case.submit()
    case.use_case.issues.all().delete()
    case.pass_gate()
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    assert reassess([case.use_case.pk]) == 0
    assert state(case)[0] == "in_force"


def test_of_an_earlier_gate_only_what_is_not_met_counts() -> None:
    case = passed()
    case.pass_gate("poc_to_pilot")
    UseCase.objects.update(problem_statement="")  # missing at the first gate
    reassess([case.use_case.pk])
    states = dict(GateAssurance.objects.values_list("gate", "state"))
    assert states == {"idea_to_poc": "in_force", "poc_to_pilot": "in_force"}
    IssueFactory.create(use_case=case.use_case, kind="assumption")  # not met at the first gate
    reassess([case.use_case.pk])
    states = dict(GateAssurance.objects.values_list("gate", "state"))
    assert states == {"idea_to_poc": "at_risk", "poc_to_pilot": "in_force"}
    case.use_case.refresh_from_db()
    assert case.use_case.assurance == "at_risk"


def test_a_new_go_does_not_hide_an_earlier_gate_at_risk() -> None:
    case = passed()
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    reassess([case.use_case.pk])
    case.pass_gate("poc_to_pilot")
    assert case.use_case.assurance == "at_risk"


def test_a_raised_tier_asks_for_a_new_approval_which_can_be_given() -> None:
    case = passed("minimal")
    UseCase.objects.update(tier="limited")
    reassess([case.use_case.pk])
    assert state(case) == ("reapproval_required", "reapproval_required")
    assert reasons(case) == ["tier_raised"]
    review = case.submit("idea_to_poc")
    assert len(review.slots) == 2
    case.sign_all(review)
    case.decide(review)
    reassess([case.use_case.pk])
    assert state(case) == ("in_force", "in_force")
    assert case.use_case.stage == "poc"


def test_a_passed_gate_in_force_cannot_be_submitted_again() -> None:
    case = passed()
    with pytest.raises(Conflict, match="not the next gate"):
        case.submit("idea_to_poc")


def test_another_live_version_than_the_approved_one_asks_for_a_new_approval() -> None:
    case = ready_case()
    person_with("business_sponsor", case.use_case)
    model = AiModelFactory.create(use_case=case.use_case)
    ModelVersionFactory.create(model=model, state="live", number=1)
    case.pass_gate()
    reassess([case.use_case.pk])
    assert state(case)[0] == "in_force"
    model.versions.update(state="retired", retired_at=timezone.now())
    ModelVersionFactory.create(model=model, state="live", number=2, significant=True)
    reassess([case.use_case.pk])
    assert reasons(case) == ["version_changed"]
    assert state(case)[0] == "reapproval_required"


def test_an_owner_who_left_puts_it_at_risk() -> None:
    case = passed()
    assignment = case.signers["business_owner"].role_assignments.get()
    end_role(assignment=assignment, by=ledger.SYSTEM, reason="Left.")
    reassess([case.use_case.pk])
    assert reasons(case) == ["nobody_owns"]


def test_a_prohibited_tier_asks_for_a_new_approval() -> None:
    case = passed()
    UseCase.objects.update(tier="prohibited")
    reassess([case.use_case.pk])
    assert state(case)[0] == "reapproval_required"


def test_a_standing_that_lists_show_wrongly_is_put_right() -> None:
    case = passed()
    set_standing(use_case=case.use_case, by=ledger.SYSTEM, assurance="at_risk")
    reassess([case.use_case.pk])
    assert state(case) == ("in_force", "in_force")


def test_reassessing_reads_the_same_number_of_queries_for_one_and_for_three() -> None:
    cases = [passed()]
    counts = []
    for _ in range(2):
        ids = [case.use_case.pk for case in cases]
        with CaptureQueriesContext(connection) as captured:
            reassess(ids)
        counts.append(len(captured))
        more = [ready_case(policy=False) for _ in range(2)]
        for case in more:
            person_with("business_sponsor", case.use_case)
            case.pass_gate()
        reassess()
        cases += more
    assert counts[0] == counts[1]


def test_a_change_queues_the_use_case_and_the_sweep_empties_the_queue() -> None:
    case = ready_case()
    tasks.sweep()
    assert not Assessment.objects.filter(Assessment.due()).exists()
    on_facts_changed(None, use_case_id=case.use_case.pk, what="kpi")
    on_portfolio_changed(None, use_case_ids=(case.use_case.pk,), what="import")
    assert Assessment.objects.filter(Assessment.due()).count() == 1
    assert tasks.sweep() == 1
    assert tasks.sweep() == 0


def test_a_change_that_comes_while_judging_stays_in_the_queue() -> None:
    case = ready_case()
    moment = timezone.now()
    ask_again([case.use_case.pk], at=moment + timedelta(seconds=1))
    assess([case.use_case.pk], at=moment)
    assert Assessment.objects.get().is_due


def test_what_ran_out_is_judged_again_once() -> None:
    case = ready_case()
    assess([case.use_case.pk])
    CriterionFinding.objects.filter(criterion="IP-01").update(valid_until=timezone.now() - timedelta(hours=1))
    assert tasks.expire() == 1
    assert tasks.expire() == 0


def test_a_page_shows_what_turned_even_before_the_worker_comes(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    case = ready_case()

    def outcome() -> Any:
        use_case = UseCase.objects.get(pk=case.use_case.pk)
        [result] = results_of(use_case)
        return next(str(j.finding.outcome) for j in result.judged if j.criterion.id == "IP-03")

    assert outcome() == "met"
    with django_capture_on_commit_callbacks(execute=True):
        IssueFactory.create(use_case=case.use_case, kind="assumption")
        on_facts_changed(None, use_case_id=case.use_case.pk, what="issue")
    assert outcome() == "not_met"


def test_submitting_and_signing_turn_the_finding_about_signatures(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    case = ready_case()

    def observed() -> str:
        [result] = results_of(UseCase.objects.get(pk=case.use_case.pk))
        return next(j.finding.observed for j in result.judged if j.criterion.id == "IP-09")

    assert observed() == ""
    with django_capture_on_commit_callbacks(execute=True):
        review = case.submit()
    assert observed() == "0 of 2 signed"
    with django_capture_on_commit_callbacks(execute=True):
        case.sign(review, "business_owner")
    assert observed() == "1 of 2 signed"
