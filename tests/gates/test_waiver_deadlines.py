"""Who is told in time, what waits for whom, and what goes a level up: waivers that end, approvals at risk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import ledger
from accounts.models import User
from accounts.services import end_role
from gates import tasks
from gates.assurance import reassess
from gates.models import GateAssurance, Waiver
from gates.services.waivers import vote_on_waiver
from gates.worklist.assurance import AtRisk
from gates.worklist.waivers import Waivers
from ledger.models import Event
from monitoring.models import Alert
from notify.models import Notice
from tests.factories.accounts import give, person_with
from tests.factories.gates import Case, ready_case
from tests.factories.governance import AiModelFactory, IssueFactory, ModelVersionFactory
from tests.factories.monitoring import AlertFactory
from tests.factories.portfolio import UseCaseFactory, organisation
from tests.factories.waivers import WaiverFactory, ask_for, board_member, grant, risk_officer
from tests.gates.test_assurance import passed
from tests.gates.test_waivers import failing

pytestmark = pytest.mark.django_db


def told(kind: str) -> set[str]:
    return set(Notice.objects.filter(kind=kind).values_list("recipient__email", flat=True))


def after(days: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(days=days))


def waiting(user: User) -> list[tuple[str, str]]:
    return [(item.title, item.verb) for item in Waivers().items(User.objects.get(pk=user.pk))]


def owed(user: User) -> list[str]:
    return [item.detail for item in AtRisk().items(User.objects.get(pk=user.pk))]


# --- waivers that end


def test_who_asked_is_told_thirty_and_seven_days_before_and_at_the_end_once_each() -> None:
    case = failing()
    grant(case, days=60)
    for days, kind, count in ((29, "", 0), (31, "waiver.expiring", 1), (54, "waiver.expiring", 2)):
        with after(days):
            tasks.escalate()
            tasks.escalate()
        assert Notice.objects.filter(kind=kind or "waiver.expiring").count() == count
    assert told("waiver.expiring") == {case.lead.email}
    with after(61):
        tasks.escalate()
        tasks.escalate()
    assert Notice.objects.filter(kind="waiver.expiring").count() == 2
    assert told("waiver.expired") == {case.lead.email, *(p.email for p in case.signers.values())}
    assert Notice.objects.filter(kind="waiver.expired").count() == 3


def test_nobody_is_told_of_one_that_is_renewed_or_long_over_or_was_short_from_the_start() -> None:
    case = failing()
    first = grant(case, days=60)
    grant(case, days=300, renews=first)
    WaiverFactory.create(use_case=case.use_case, criterion="IP-01", expires_at=timezone.now() - timedelta(days=20))
    grant(failing(policy=False), days=5)
    with after(1):
        tasks.escalate()
    with after(61):
        Waiver.objects.exclude(pk=first.pk).exclude(renews=first).delete()
        tasks.escalate()
    assert not Notice.objects.filter(kind__in=("waiver.expiring", "waiver.expired")).exists()


def test_a_request_waits_for_those_who_may_decide_and_have_not() -> None:
    case = failing("high")
    officer, member = risk_officer(), board_member()
    assert waiting(officer) == []
    waiver = ask_for(case)
    assert waiting(officer) == waiting(member) == [("Decide about W-1: IP-03", "Read and decide")]
    assert waiting(person_with("risk_compliance", UseCaseFactory.create().unit)) == []
    give(case.lead, "risk_compliance", organisation())
    assert waiting(case.lead) == []
    vote_on_waiver(waiver=waiver, verdict="approve", by=officer)
    assert waiting(officer) == []
    assert len(waiting(member)) == 1
    vote_on_waiver(waiver=waiver, verdict="approve", by=member)
    assert waiting(member) == []


def test_one_that_ends_in_two_weeks_waits_for_who_asked() -> None:
    case = failing()
    waiver = grant(case, days=60)
    assert waiting(case.lead) == []
    with after(50):
        assert waiting(case.lead) == [("W-1 ends: IP-03", "Look at it")]
        assert waiting(case.signers["technical_lead"]) == []
        ask_for(case, renews=waiver)
        assert waiting(case.lead) == []
    with after(61):
        assert waiting(case.lead) == []


def test_the_list_of_waivers_takes_a_constant_number_of_queries() -> None:
    case = failing()
    officer = risk_officer()
    ask_for(case)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            waiting(officer)
        counts.append(len(captured))
        for _more in range(3):
            ask_for(failing(policy=False))
    assert counts[0] == counts[1]


# --- approvals at risk


def test_a_criterion_is_owed_by_the_role_that_the_policy_names() -> None:
    case = passed()
    IssueFactory.create(use_case=case.use_case, kind="assumption")
    reassess([case.use_case.pk])
    assert len(owed(case.lead)) == 1
    assert owed(case.lead)[0].startswith("IP-03")
    assert owed(case.signers["business_owner"]) == []
    elsewhere = person_with("use_case_lead", ready_case(policy=False).use_case)
    assert owed(elsewhere) == []
    assert len(owed(person_with("use_case_lead", case.use_case.unit))) == 1


def test_an_alert_is_owed_by_the_technical_lead_until_it_is_resolved() -> None:
    case = passed()
    alert = AlertFactory.create(rule__series__use_case=case.use_case, level="act")
    reassess([case.use_case.pk])
    lead = case.signers["technical_lead"]
    assert owed(lead) == [alert.message]
    Alert.objects.update(state="resolved", resolved_at=timezone.now())
    reassess([case.use_case.pk])
    assert owed(lead) == []


def test_an_owner_who_left_is_owed_by_the_portfolio_manager() -> None:
    case = passed()
    end_role(assignment=case.signers["business_owner"].role_assignments.get(), by=ledger.SYSTEM, reason="Left.")
    reassess([case.use_case.pk])
    row = GateAssurance.objects.get()
    assert (row.state, [r["code"] for r in row.reasons]) == ("at_risk", ["nobody_owns"])
    assert row.due_at is not None
    assert len(owed(case.manager)) == 1
    assert owed(case.signers["technical_lead"]) == []


def test_a_changed_model_is_owed_by_who_submits() -> None:
    case = ready_case()
    person_with("business_sponsor", case.use_case)
    model = AiModelFactory.create(use_case=case.use_case)
    ModelVersionFactory.create(model=model, state="live", number=1)
    case.pass_gate()
    model.versions.update(state="retired", retired_at=timezone.now())
    ModelVersionFactory.create(model=model, state="live", number=2, significant=True)
    reassess([case.use_case.pk])
    row = GateAssurance.objects.get()
    assert row.state == "reapproval_required"
    assert row.due_at is not None
    assert len(owed(case.lead)) == 1


def test_the_list_of_what_is_at_risk_takes_a_constant_number_of_queries() -> None:
    lead = person_with("technical_lead", organisation())
    broken(passed())
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            owed(lead)
        counts.append(len(captured))
        for _more in range(3):
            case = ready_case(policy=False)
            person_with("business_sponsor", case.use_case)
            case.pass_gate()
            broken(case)
    assert counts[0] == counts[1]


def broken(case: Case) -> None:
    AlertFactory.create(rule__series__use_case=case.use_case, level="act")
    reassess([case.use_case.pk])


def test_what_is_not_settled_in_time_goes_a_level_up_once() -> None:
    case = passed()
    officer = risk_officer()
    broken(case)
    tasks.escalate()
    assert told("assurance.escalated") == set()
    with after(15):
        assert tasks.escalate() >= 1
        assert tasks.escalate() == 0
        row = GateAssurance.objects.get()
        assert row.escalated_at is not None
        assert [item.tone for item in AtRisk().items(case.signers["technical_lead"])] == ["blocked"]
        sponsor = User.objects.get(role_assignments__role="business_sponsor")
        assert told("assurance.escalated") == {officer.email, case.manager.email, sponsor.email}
        assert Event.objects.filter(action="assurance.escalated").count() == 1
        Alert.objects.update(state="resolved", resolved_at=timezone.now())
        reassess([case.use_case.pk])
        now = GateAssurance.objects.get()
        assert (now.state, now.escalated_at, now.due_at) == ("in_force", None, None)
    with after(40):
        Alert.objects.update(state="open", resolved_at=None)
        reassess([case.use_case.pk])
        assert tasks.escalate() == 0
    with after(60):
        assert tasks.escalate() == 1


def test_reassessing_after_one_alert_touches_one_use_case_in_a_bounded_number_of_queries() -> None:
    cases = [passed()]
    for _ in range(2):
        case = ready_case(policy=False)
        person_with("business_sponsor", case.use_case)
        case.pass_gate()
        cases.append(case)
    reassess()
    AlertFactory.create(rule__series__use_case=cases[0].use_case, level="act")
    with CaptureQueriesContext(connection) as captured:
        tasks.reassess_use_case(str(cases[0].use_case.pk))
    states = dict(GateAssurance.objects.values_list("use_case", "state"))
    assert [states[case.use_case.pk] for case in cases] == ["at_risk", "in_force", "in_force"]
    assert len(captured) < 120
    assert all(str(case.use_case.pk.hex) not in q["sql"] for case in cases[1:] for q in captured.captured_queries)
