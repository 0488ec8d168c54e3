"""Conditions past their day: what they close, whom they remind, and whose work they are."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from gates import tasks
from gates.assurance import reassess
from gates.models import Condition, GateAssurance
from gates.services.conditions import (
    close_condition,
    report_condition,
    reschedule_condition,
    send_back_condition,
)
from gates.standing import judge_now, results_of
from gates.worklist.conditions import Conditions as Work
from kernel.errors import DomainError, NotReady
from ledger.models import Event
from notify.models import Notice
from portfolio.models import UseCase
from tests.factories.conditions import go_with, in_days, let_pass, owing, term
from tests.factories.gates import ready_case
from tests.factories.governance import EvidenceFactory
from tests.gates.test_conditions import reported

pytestmark = pytest.mark.django_db


def test_overdue_it_closes_the_next_gate_until_it_is_closed() -> None:
    case, row, closer = owing()
    let_pass(row)
    with pytest.raises(NotReady) as refused:
        case.submit("poc_to_pilot")
    assert refused.value.errors["criteria"][0].startswith("Condition overdue: Measure again")
    assert results_of(UseCase.objects.get())[0].blockers == judge_now(case.use_case)[0].blockers
    report_condition(condition=row, by=row.owner, report="Done.")
    with pytest.raises(NotReady):
        case.submit("poc_to_pilot")
    close_condition(condition=row, by=closer)
    assert case.submit("poc_to_pilot").is_open


def test_on_its_day_it_is_not_overdue_yet() -> None:
    case, row, _closer = owing()
    let_pass(row, days=0)
    assert case.submit("poc_to_pilot").is_open


def test_a_new_day_opens_the_gate_again() -> None:
    case, row, _closer = owing()
    let_pass(row)
    reschedule_condition(condition=row, by=case.manager, due_on=in_days(10), reason="The supplier is late.")
    assert case.submit("poc_to_pilot").is_open


def test_falling_overdue_during_a_review_voids_its_votes() -> None:
    case, row, _closer = owing()
    review = case.submit("poc_to_pilot")
    case.sign_all(review)
    let_pass(row)
    with pytest.raises(DomainError, match="facts changed"):
        case.decide(review)
    case.sign_all(review)
    with pytest.raises(NotReady) as refused:
        case.decide(review)
    assert "Condition overdue" in refused.value.errors["sign_offs"][0]


def test_overdue_it_puts_at_risk_the_gate_it_was_decided_with_and_no_other() -> None:
    case, row, closer = owing()
    case.pass_gate("poc_to_pilot")
    let_pass(row)
    reassess([case.use_case.pk])
    found = {a.gate: (a.state, [r["code"] for r in a.reasons]) for a in GateAssurance.objects.all()}
    assert found == {"idea_to_poc": ("at_risk", ["condition_overdue"]), "poc_to_pilot": ("in_force", [])}
    case.use_case.refresh_from_db()
    assert case.use_case.assurance == "at_risk"
    report_condition(condition=row, by=row.owner, report="Done.")
    close_condition(condition=row, by=closer)
    reassess([case.use_case.pk])
    assert set(GateAssurance.objects.values_list("state", flat=True)) == {"in_force"}


def test_the_beat_tells_once_and_judges_again() -> None:
    case, row, _closer = owing()
    let_pass(row)
    assert tasks.watch_conditions() == 1
    assert tasks.watch_conditions() == 0
    told = set(Notice.objects.filter(kind="condition.overdue").values_list("recipient__email", flat=True))
    assert told == {row.owner.email, case.manager.email, case.lead.email, case.signers["business_owner"].email}
    assert GateAssurance.objects.get().state == "at_risk"
    assert Event.objects.filter(action="condition.overdue").count() == 1


def test_the_owner_is_reminded_once_a_week_before_and_again_for_a_new_day() -> None:
    case, row, _closer = owing()
    assert tasks.watch_conditions() == 0
    let_pass(row, days=-7)
    assert [tasks.watch_conditions(), tasks.watch_conditions()] == [1, 0]
    assert Notice.objects.get(kind="condition.due").recipient == row.owner
    reschedule_condition(condition=row, by=case.manager, due_on=in_days(3), reason="Sooner.")
    assert tasks.watch_conditions() == 1


def test_what_is_done_is_not_reminded_of() -> None:
    _case, row, closer = reported()
    let_pass(row, days=-3)
    assert tasks.watch_conditions() == 0
    close_condition(condition=row, by=closer)
    let_pass(row)
    assert tasks.watch_conditions() == 0


def test_a_past_moment_is_judged_with_what_was_owed_then() -> None:
    case, row, closer = reported()
    close_condition(condition=row, by=closer)
    Condition.objects.update(due_on=in_days(-3))
    decided = row.decision
    decided.decided_at = decided.decided_at.replace(year=decided.decided_at.year - 1)
    decided.save()
    before = Condition.objects.get().closed_at
    assert before is not None
    earlier = before.replace(microsecond=0)
    assert judge_now(case.use_case, at=earlier)[0].blockers
    assert not judge_now(case.use_case)[0].blockers


# -- Work list -------------------------------------------------------------------------------------------------------


def waiting_for(user: User) -> list[str]:
    return [item.title for item in Work().items(User.objects.get(pk=user.pk))]


def test_it_waits_for_its_owner_and_then_for_whoever_may_close_it() -> None:
    case, row, closer = owing()
    assert (waiting_for(row.owner), waiting_for(closer)) == (["Meet a condition and report it"], [])
    report_condition(condition=row, by=row.owner, report="Done.")
    assert (waiting_for(row.owner), waiting_for(closer)) == ([], ["Close a condition or send it back"])
    send_back_condition(condition=row, by=closer, reason="Half of it.")
    assert waiting_for(row.owner) == ["Report a condition again"]
    assert waiting_for(case.manager) == []


def test_it_does_not_wait_for_the_author_of_its_evidence() -> None:
    case, row, closer = owing()
    proof = EvidenceFactory.create(use_case=case.use_case, added_by=closer)
    report_condition(condition=row, by=row.owner, report="Done.", evidence=proof)
    assert waiting_for(closer) == []


def test_the_work_list_takes_as_many_queries_for_one_as_for_five(django_assert_max_num_queries: Any) -> None:
    case = ready_case()
    go_with(case, *[term(case.lead)] * 5)
    with django_assert_max_num_queries(6):
        assert len(waiting_for(case.lead)) == 5
