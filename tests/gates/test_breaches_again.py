"""Breaches that ask again: worse, past the day they were accepted until, late, handed on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.services import end_role
from gates import tasks
from gates.breach_days import chase_breaches
from gates.breaching import open_owed
from gates.models import BreachDecision
from gates.worklist.breaches import BreachDecisions
from ledger import SYSTEM
from monitoring.models import Alert
from notify.models import Notice
from portfolio.models import UseCase
from tests.factories.breaches import breach_of, owed, system
from tests.gates.test_breaches import accept, owner_of, resolve, risk, state

pytestmark = pytest.mark.django_db


def test_what_was_accepted_asks_again_when_it_is_worse() -> None:
    case = system()
    row = accept(owed(case), owner_of(case))
    Alert.objects.update(value=0.75)
    assert open_owed() == 0
    Alert.objects.update(value=0.69)
    assert open_owed() == 1
    again = BreachDecision.objects.get(state="owed")
    assert (again.occasion, again.cause, again.alert) == (2, "worse", row.alert)
    assert Alert.objects.get().outcome == ""
    assert state(case)[1] == ["breach_undecided"]


def test_what_was_accepted_asks_again_when_its_day_is_over() -> None:
    case = system()
    accept(owed(case), owner_of(case), days=1)
    assert open_owed() == 0
    assert open_owed(at=timezone.now() + timedelta(days=2, minutes=1)) == 1
    assert BreachDecision.objects.get(state="owed").cause == "expired"


def test_a_new_breach_that_is_no_worse_is_covered_by_what_was_accepted() -> None:
    case = system()
    row = accept(owed(case), owner_of(case))
    resolve(row)
    rule = row.alert.rule
    again = Alert.objects.create(
        series=row.alert.series, rule=rule, level="act", message="Again.", value=0.72, limit=0.8
    )
    assert open_owed() == 1
    covered = BreachDecision.objects.get(alert=again)
    assert (covered.state, covered.covered_by, covered.accepted_until) == ("decided", row, row.accepted_until)
    assert state(case) == ("in_force", [])
    Alert.objects.filter(pk=again.pk).update(value=0.6)
    assert open_owed() == 1
    assert BreachDecision.objects.get(alert=again, state="owed").cause == "worse"


def test_a_new_breach_that_is_worse_is_not_covered() -> None:
    case = system()
    row = accept(owed(case), owner_of(case))
    resolve(row)
    rule = row.alert.rule
    again = Alert.objects.create(
        series=row.alert.series, rule=rule, level="act", message="Worse.", value=0.5, limit=0.8
    )
    open_owed()
    assert BreachDecision.objects.get(alert=again).state == "owed"


# -- As days pass ----------------------------------------------------------------------------------------------------


def test_a_late_decision_is_reminded_of_once_and_goes_up_at_twice_the_time() -> None:
    case = system()
    officer = risk()
    row = owed(case)
    assert chase_breaches() == []
    due = row.due_at + timedelta(minutes=1)
    assert chase_breaches(at=due) == [case.use_case.pk]
    assert chase_breaches(at=due) == []
    assert [n.recipient for n in Notice.objects.filter(kind="breach.late")] == [owner_of(case)]
    twice = row.due_at + (row.due_at - row.opened_at)
    chase_breaches(at=twice)
    chase_breaches(at=twice)
    told = Notice.objects.filter(kind="breach.escalated").values_list("recipient__email", flat=True)
    assert officer.email in told
    assert len(told) == len(set(told))
    row.refresh_from_db()
    assert row.state == "owed"
    assert row.escalated_at == twice


def test_it_is_handed_on_when_who_owes_it_left_and_lapses_with_the_use_case() -> None:
    case = system()
    row, officer = owed(case), risk()
    owner = owner_of(case)
    end_role(assignment=owner.role_assignments.get(), by=SYSTEM)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    chase_breaches()
    row.refresh_from_db()
    assert row.owed_by == officer
    UseCase.objects.update(status="closed", stage="retired")
    chase_breaches()
    row.refresh_from_db()
    assert row.state == "lapsed"


def test_the_task_opens_reminds_and_judges() -> None:
    case = system()
    breach_of(case)
    assert tasks.watch_breaches() == 1
    BreachDecision.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    assert tasks.watch_breaches() == 1


def test_the_work_list_holds_what_i_owe_and_what_waits_for_my_word() -> None:
    case = system(tier="high")
    row, officer = owed(case), risk()
    assert [item.url for item in BreachDecisions().items(owner_of(case))] == [f"/gates/breaches/{row.number}/"]
    assert list(BreachDecisions().items(case.signers["technical_lead"])) == []
    accept(row, owner_of(case))
    assert list(BreachDecisions().items(owner_of(case))) == []
    (item,) = BreachDecisions().items(officer)
    assert item.title.startswith("Confirm or refuse")


def test_looking_for_what_is_owed_takes_as_many_queries_for_one_as_for_five() -> None:
    counts: list[int] = []
    for _round in range(2):
        for _case in range(1 if not counts else 4):
            breach_of(system(policy=not counts))
        open_owed()
        with CaptureQueriesContext(connection) as captured:
            open_owed()
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 4
