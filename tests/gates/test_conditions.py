"""What is owed after a conditional go: who reports, who closes, who moves it, and what it does when it is overdue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

import ledger
from accounts.models import User
from accounts.services import end_role
from gates.models import Condition
from gates.services.conditions import (
    close_condition,
    report_condition,
    reschedule_condition,
    send_back_condition,
)
from gates.standing import judge_now
from governance.services import withdraw_evidence
from kernel.errors import Conflict, Invalid
from ledger.models import Event
from notify.models import Notice
from tests.factories.accounts import PersonFactory, give, person_with
from tests.factories.conditions import in_days, let_pass, owing, term
from tests.factories.gates import Case, ready_case
from tests.factories.governance import EvidenceFactory
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def reported(evidence: Any = None) -> tuple[Case, Condition, User]:
    case, row, closer = owing()
    return case, report_condition(condition=row, by=row.owner, report="Measured again.", evidence=evidence), closer


# -- Report ----------------------------------------------------------------------------------------------------------


def test_the_owner_reports_it_done_and_whoever_may_close_it_is_told() -> None:
    case, row, closer = owing()
    proof = EvidenceFactory.create(use_case=case.use_case)
    done = report_condition(condition=row, by=row.owner, report=" Measured again. ", evidence=proof)
    assert (done.state, done.report, done.evidence, done.reported_by) == (
        "reported",
        "Measured again.",
        proof,
        row.owner,
    )
    assert Notice.objects.get(kind="condition.reported").recipient == closer
    assert Event.objects.filter(action="condition.reported").count() == 1


@pytest.mark.parametrize("who", ["manager", "lead", "business_owner", "closer"])
def test_nobody_but_the_owner_reports(who: str) -> None:
    case, row, closer = owing()
    person = {"manager": case.manager, "lead": case.lead, "closer": closer}.get(who) or case.signers[who]
    with pytest.raises(PermissionDenied, match="owes this condition"):
        report_condition(condition=row, by=person, report="Done.")


def test_a_stranger_reports_nothing() -> None:
    _case, row, _closer = owing()
    with pytest.raises(PermissionDenied):
        report_condition(condition=row, by=PersonFactory.create(), report="Done.")


def test_an_owner_who_holds_no_role_any_more_cannot_report() -> None:
    case, row, _closer = owing()
    for held in case.signers["technical_lead"].role_assignments.all():
        end_role(assignment=held, by=ledger.SYSTEM)
    with pytest.raises(PermissionDenied):
        report_condition(condition=row, by=User.objects.get(pk=row.owner_id), report="Done.")


@pytest.mark.parametrize("report", ["", "  ", "x" * 4001])
def test_a_report_says_what_was_done(report: str) -> None:
    _case, row, _closer = owing()
    with pytest.raises(Invalid) as wrong:
        report_condition(condition=row, by=row.owner, report=report)
    assert list(wrong.value.errors) == ["report"]


def test_evidence_is_of_this_use_case_and_not_withdrawn() -> None:
    case, row, _closer = owing()
    other = EvidenceFactory.create(use_case=UseCaseFactory.create())
    gone = EvidenceFactory.create(use_case=case.use_case)
    withdraw_evidence(evidence=gone, by=gone.added_by, reason="Wrong file.")
    gone.refresh_from_db()
    for evidence in (other, gone):
        with pytest.raises(Invalid) as wrong:
            report_condition(condition=row, by=row.owner, report="Done.", evidence=evidence)
        assert list(wrong.value.errors) == ["evidence"]
    row.refresh_from_db()
    assert row.state == "open"


def test_a_report_does_not_stop_the_clock() -> None:
    case, row, _closer = reported()
    let_pass(row)
    assert [b for r in judge_now(case.use_case) for b in r.blockers]


# -- Close and send back ---------------------------------------------------------------------------------------------


def test_somebody_else_closes_it() -> None:
    _case, row, closer = reported()
    done = close_condition(condition=row, by=closer, note="Looked at the run.")
    assert (done.state, done.closed_by, done.closing_note) == ("closed", closer, "Looked at the run.")
    assert Notice.objects.get(kind="condition.closed").recipient == row.owner


def test_what_is_not_reported_cannot_be_closed() -> None:
    _case, row, closer = owing()
    with pytest.raises(Conflict, match="open"):
        close_condition(condition=row, by=closer)


@pytest.mark.parametrize("who", ["manager", "lead", "business_owner", "owner"])
def test_closing_takes_its_right(who: str) -> None:
    case, row, _closer = reported()
    person = {"manager": case.manager, "lead": case.lead, "owner": row.owner}.get(who) or case.signers[who]
    with pytest.raises(PermissionDenied):
        close_condition(condition=row, by=person)


def test_the_owner_does_not_close_it_whatever_else_they_are() -> None:
    _case, row, _closer = reported()
    give(row.owner, "risk_compliance", organisation())
    owner = User.objects.get(pk=row.owner_id)
    for deed in (close_condition, lambda **k: send_back_condition(reason="No.", **k)):
        with pytest.raises(PermissionDenied, match="somebody else"):
            deed(condition=row, by=owner)


def test_whoever_reported_it_does_not_close_it_after_it_went_to_another() -> None:
    case, row, _closer = reported()
    give(row.owner, "risk_compliance", organisation())
    Condition.objects.update(owner=case.lead)
    with pytest.raises(PermissionDenied, match="somebody else"):
        close_condition(condition=row, by=User.objects.get(email=row.owner.email))


def test_the_author_of_the_evidence_does_not_close_it() -> None:
    case, row, closer = owing()
    proof = EvidenceFactory.create(use_case=case.use_case, added_by=closer)
    report_condition(condition=row, by=row.owner, report="Done.", evidence=proof)
    with pytest.raises(PermissionDenied, match="SOD-05"):
        close_condition(condition=row, by=closer)
    assert close_condition(condition=row, by=person_with("risk_compliance", organisation())).state == "closed"


def test_a_report_whose_evidence_was_withdrawn_cannot_be_closed() -> None:
    case, row, closer = owing()
    proof = EvidenceFactory.create(use_case=case.use_case)
    report_condition(condition=row, by=row.owner, report="Done.", evidence=proof)
    withdraw_evidence(evidence=proof, by=proof.added_by, reason="Wrong file.")
    with pytest.raises(Conflict, match="withdrawn"):
        close_condition(condition=row, by=closer)


def test_no_token_reports_or_closes() -> None:
    _case, row, closer = reported()
    closer.token_scopes = frozenset({"condition.close", "use_case.view"})
    with pytest.raises(PermissionDenied, match="token"):
        close_condition(condition=row, by=closer)


def test_what_was_sent_back_is_owed_as_before_and_reported_anew() -> None:
    _case, row, closer = reported()
    due = row.due_on
    with pytest.raises(Invalid):
        send_back_condition(condition=row, by=closer, reason=" ")
    back = send_back_condition(condition=row, by=closer, reason="The second site is missing.")
    assert (back.state, back.due_on, back.sent_back_because) == ("open", due, "The second site is missing.")
    assert Notice.objects.get(kind="condition.sent_back").recipient == row.owner
    again = report_condition(condition=row, by=row.owner, report="Both sites.")
    assert close_condition(condition=again, by=closer).state == "closed"


def test_what_is_closed_stays_closed() -> None:
    case, row, closer = reported()
    close_condition(condition=row, by=closer)
    deeds: tuple[Callable[[], Any], ...] = (
        lambda: close_condition(condition=row, by=person_with("risk_compliance", organisation())),
        lambda: send_back_condition(condition=row, by=closer, reason="No."),
        lambda: report_condition(condition=row, by=row.owner, report="Again."),
        lambda: reschedule_condition(condition=row, by=case.manager, due_on=in_days(60), reason="Later."),
    )
    for deed in deeds:
        with pytest.raises(Conflict, match="closed"):
            deed()


# -- Move ------------------------------------------------------------------------------------------------------------


def test_a_decider_moves_the_day_with_a_reason_that_is_recorded() -> None:
    case, row, _closer = owing()
    moved = reschedule_condition(condition=row, by=case.manager, due_on=in_days(60), reason="The supplier is late.")
    assert moved.due_on == in_days(60)
    event = Event.objects.get(action="condition.moved")
    assert event.note == "The supplier is late."
    assert Notice.objects.get(kind="condition.moved").recipient == row.owner


@pytest.mark.parametrize("who", ["owner", "lead", "closer"])
def test_nobody_else_moves_it(who: str) -> None:
    case, row, closer = owing()
    person = {"owner": row.owner, "lead": case.lead, "closer": closer}[who]
    with pytest.raises(PermissionDenied):
        reschedule_condition(condition=row, by=person, due_on=in_days(60), reason="Later.")


def test_a_decider_does_not_move_what_they_owe_themselves() -> None:
    case = ready_case()
    review = case.submit()
    case.sign_all(review)
    keep, case.manager = case.manager, person_with("ai_governance_board", organisation())
    row = case.decide(review, "go_with_conditions", conditions=[term(keep)]).conditions.get()
    with pytest.raises(PermissionDenied, match="somebody else"):
        reschedule_condition(condition=row, by=keep, due_on=in_days(60), reason="Later.")
    with pytest.raises(PermissionDenied, match="somebody else"):
        reschedule_condition(condition=row, by=case.manager, due_on=in_days(60), reason="Mine.", owner=case.manager)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"due_on": in_days(0)}, "due_on"),
        ({"due_on": in_days(366)}, "due_on"),
        ({"reason": " "}, "reason"),
    ],
)
def test_it_moves_to_a_day_ahead_and_not_too_far(more: dict[str, Any], field: str) -> None:
    case, row, _closer = owing()
    with pytest.raises(Invalid) as wrong:
        reschedule_condition(condition=row, by=case.manager, **{"due_on": in_days(60), "reason": "Late.", **more})
    assert list(wrong.value.errors) == [field]


def test_it_goes_to_another_owner_who_then_reports() -> None:
    case, row, closer = owing()
    User.objects.filter(pk=row.owner_id).update(is_active=False)
    with pytest.raises(Invalid) as wrong:
        reschedule_condition(
            condition=row, by=case.manager, due_on=row.due_on, reason="Left.", owner=PersonFactory.create()
        )
    assert list(wrong.value.errors) == ["owner"]
    reschedule_condition(condition=row, by=case.manager, due_on=row.due_on, reason="Left.", owner=case.lead)
    report_condition(condition=row, by=case.lead, report="Done.")
    assert close_condition(condition=row, by=closer).state == "closed"


def test_a_report_of_the_former_owner_does_not_count_for_the_next() -> None:
    case, row, closer = reported()
    moved = reschedule_condition(condition=row, by=case.manager, due_on=row.due_on, reason="Left.", owner=case.lead)
    assert moved.state == "open"
    with pytest.raises(Conflict):
        close_condition(condition=row, by=closer)


# -- Overdue ---------------------------------------------------------------------------------------------------------
