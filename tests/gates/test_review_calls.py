"""Reviews that are owed: who calls them, when, for which gate, what settles them and what happens when nobody comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import RoleAssignment
from accounts.services import end_role
from gates import tasks
from gates.assurance import reassess
from gates.calling import call_due_reviews
from gates.in_force import primary
from gates.models import GateAssurance, Policy, ReviewCall
from gates.review_owed import TRIGGERS, causes_of
from gates.services.review_calls import call_review
from governance.services.incidents import report_incident
from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from ledger.models import Event
from monitoring.models import Alert
from notify.models import Notice
from portfolio.models import UseCase
from portfolio.services import hold, mark_change
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.gates import Case, publish, ready_case, shipped_policies, small_text
from tests.factories.governance import AiModelFactory, ModelVersionFactory
from tests.factories.monitoring import AlertFactory
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db

NAMED = "out_of_cycle_triggers:\n" + "".join(f"- {words}\n" for words in TRIGGERS)


def passed(*, triggers: bool = True, **fields: Any) -> Case:
    publish(small_text() + (NAMED if triggers else ""))
    case = ready_case(policy=False, **fields)
    person_with("business_sponsor", case.use_case)
    case.pass_gate()
    return case


def calls(case: Case) -> list[tuple[str, str]]:
    rows = ReviewCall.objects.filter(use_case=case.use_case, settled_at__isnull=True)
    return list(rows.order_by("cause").values_list("cause", "gate"))


def test_the_shipped_policy_names_causes_that_are_all_known() -> None:
    shipped_policies()
    _version, policy = primary()
    assert len(policy.data["out_of_cycle_triggers"]) == len(causes_of(policy)) == 6


# The cadence


def test_the_recurring_review_is_called_two_weeks_ahead_and_due_with_the_cadence() -> None:
    case = passed()
    due = GateAssurance.objects.get().review_due_at
    assert due is not None
    with time_machine.travel(due - timedelta(days=15)):
        assert call_due_reviews() == 0
    with time_machine.travel(due - timedelta(days=13)):
        assert call_due_reviews() == 1
        assert call_due_reviews() == 0
    call = ReviewCall.objects.get()
    assert (call.cause, call.gate, call.due_at) == ("cadence", "idea_to_poc", due)
    told = set(Notice.objects.filter(kind="review_call.opened").values_list("recipient__email", flat=True))
    assert told == {case.lead.email, *(p.email for p in case.signers.values())}
    assert Event.objects.filter(action="review_call.opened").count() == 1


def test_the_approval_can_be_given_anew_while_a_call_is_open_and_settles_it() -> None:
    case = passed()
    with pytest.raises(Conflict, match="not the next gate"):
        case.submit("idea_to_poc")
    due = GateAssurance.objects.get().review_due_at
    assert due is not None
    with time_machine.travel(due - timedelta(days=10)):
        tasks.call_reviews()
        review = case.pass_gate("idea_to_poc")
        tasks.call_reviews()
        assert calls(case) == []
        assert case.use_case.stage == "poc"
        assert tasks.call_reviews() == 0
    call = ReviewCall.objects.get()
    assert call.settled_by == review
    row = GateAssurance.objects.get()
    assert row.review_due_at is not None
    assert row.review_due_at > due
    with time_machine.travel(row.review_due_at - timedelta(days=10)):
        assert call_due_reviews() == 1


def test_what_is_in_operations_owes_the_recurring_gate() -> None:
    shipped_policies()
    case = ready_case(policy=False)
    UseCase.objects.update(stage="operations")
    now = timezone.now()
    GateAssurance.objects.create(use_case=case.use_case, gate="production_to_operations", review_due_at=now)
    call_due_reviews()
    assert calls(case) == [("cadence", "operations_review")]


def test_what_is_on_hold_or_was_never_approved_is_not_called() -> None:
    case = passed()
    UseCaseFactory.create()
    hold(use_case=case.use_case, by=case.manager, reason="Budget.")
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        assert call_due_reviews() == 0


# Causes that the policy names


def incident(case: Case, severity: str = "sev1") -> None:
    report_incident(use_case=case.use_case, severity=severity, title="Letters to the wrong people", by=SYSTEM)


def version(case: Case) -> None:
    model = AiModelFactory.create(use_case=case.use_case)
    ModelVersionFactory.create(model=model, number=2, significant=True, registered_at=timezone.now())


def change(case: Case, what: str = "purpose") -> None:
    mark_change(use_case=case.use_case, what=what, note="Also for appeals.", by=SYSTEM)


def leave(case: Case) -> None:
    assignment = RoleAssignment.objects.get(user=case.signers["business_owner"], role="business_owner")
    end_role(assignment=assignment, by=SYSTEM, reason="Left.")


HAPPENING = [
    ("incident", incident, 5),
    ("change", version, 30),
    ("change", lambda case: change(case, "prompt"), 30),
    ("change", lambda case: change(case, "vendor"), 30),
    ("scope", change, 30),
    ("scope", lambda case: change(case, "data"), 30),
    ("scope", lambda case: change(case, "oversight"), 30),
    ("owner", leave, 30),
    ("owner", lambda case: change(case, "owner"), 30),
]


@pytest.mark.parametrize(("cause", "happens", "days"), HAPPENING)
def test_what_the_policy_names_calls_a_review_once(cause: str, happens: Any, days: int) -> None:
    case = passed()
    happens(case)
    assert call_due_reviews() == 1
    assert call_due_reviews() == 0
    call = ReviewCall.objects.get()
    assert (call.cause, call.gate) == (cause, "idea_to_poc")
    assert abs(call.due_at - timezone.now() - timedelta(days=days)) < timedelta(minutes=1)


@pytest.mark.parametrize(("cause", "happens", "days"), HAPPENING)
def test_what_the_policy_does_not_name_calls_nothing(cause: str, happens: Any, days: int) -> None:
    case = passed(triggers=False)
    happens(case)
    assert call_due_reviews() == 0


def test_a_breach_of_a_system_in_use_calls_and_one_of_a_trial_does_not() -> None:
    shipped_policies()
    case = ready_case(policy=False)
    GateAssurance.objects.create(
        use_case=case.use_case, gate="pilot_to_production", since=timezone.now() - timedelta(days=1)
    )
    alert = AlertFactory.create(rule__series__use_case=case.use_case)
    tried = (("warn", "open", "production"), ("act", "open", "pilot"), ("act", "resolved", "production"))
    for level, state, stage in tried:
        UseCase.objects.update(stage=stage)
        resolved_at = timezone.now() if state == "resolved" else None
        Alert.objects.filter(pk=alert.pk).update(level=level, state=state, resolved_at=resolved_at)
        assert call_due_reviews() == 0
    Alert.objects.filter(pk=alert.pk).update(state="open", resolved_at=None)
    assert call_due_reviews() == 1
    assert calls(case) == [("breach", "pilot_to_production")]


def test_a_lesser_incident_calls_nothing() -> None:
    case = passed()
    incident(case, "sev2")
    assert call_due_reviews() == 0


def test_what_happened_before_the_approval_was_looked_at_then() -> None:
    publish(small_text() + NAMED)
    case = ready_case(policy=False)
    incident(case)
    change(case)
    case.pass_gate()
    assert call_due_reviews() == 0


def test_two_causes_of_a_kind_are_one_review_and_what_it_looked_at_calls_no_more() -> None:
    case = passed()
    change(case, "purpose")
    change(case, "data")
    assert call_due_reviews() == 1
    case.pass_gate("idea_to_poc")
    assert tasks.call_reviews() == 1  # settled
    assert tasks.call_reviews() == 0
    change(case, "purpose")
    assert call_due_reviews() == 1


def test_a_change_calls_at_once_when_it_is_announced(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    case = passed()
    incident(case)
    tasks.reassess_use_case(str(case.use_case.pk))
    assert calls(case) == [("incident", "idea_to_poc")]


# Nobody comes


def test_a_call_is_reminded_of_taken_up_and_turns_the_approval_when_it_is_late() -> None:
    case = passed()
    change(case)
    call_due_reviews()
    call = ReviewCall.objects.get()
    with time_machine.travel(call.due_at - timedelta(days=2)):
        tasks.call_reviews()
        tasks.call_reviews()
    assert Notice.objects.filter(kind="review_call.reminded", recipient=case.lead).count() == 1
    assert GateAssurance.objects.get().state != "reapproval_required"
    with time_machine.travel(call.due_at + timedelta(minutes=1)):
        tasks.call_reviews()
        tasks.call_reviews()
        tasks.sweep()
    assert Notice.objects.filter(kind="review_call.escalated", recipient=case.manager).count() == 1
    row = GateAssurance.objects.get()
    assert row.state == "reapproval_required"
    assert "review_overdue" in {r["code"] for r in row.reasons}
    call.refresh_from_db()
    assert call.escalated_at is not None
    with time_machine.travel(call.due_at + timedelta(days=1)):
        case.pass_gate("idea_to_poc")
        tasks.call_reviews()
        reassess()
        assert GateAssurance.objects.get().state == "in_force"


def test_the_number_of_queries_does_not_grow_with_use_cases() -> None:
    passed()
    call_due_reviews()
    with CaptureQueriesContext(connection) as one:
        call_due_reviews()
    for _n in range(3):
        other = UseCaseFactory.create()
        GateAssurance.objects.create(use_case=other, gate="idea_to_poc")
    with CaptureQueriesContext(connection) as four:
        call_due_reviews()
    assert len(four) == len(one)


# By hand


def test_a_change_of_law_is_called_for_the_use_cases_it_concerns() -> None:
    one = passed()
    two = ready_case(policy=False)
    two.pass_gate()
    legal = person_with("legal_privacy", organisation())
    made = call_review(use_cases=[one.use_case, two.use_case], cause="law", text="The act applies from May.", by=legal)
    assert {call.use_case_id for call in made} == {one.use_case.pk, two.use_case.pk}
    assert calls(one) == [("law", "idea_to_poc")]
    assert Notice.objects.filter(kind="review_call.opened", recipient=two.lead).exists()
    again = call_review(use_cases=[one.use_case], cause="law", text="And another one.", by=legal)
    assert len(again) == 1


@pytest.mark.parametrize("role", ["use_case_lead", "business_owner", "technical_lead", "it_operations"])
def test_others_call_nothing(role: str) -> None:
    case = passed()
    with pytest.raises(PermissionDenied):
        call_review(use_cases=[case.use_case], cause="law", text="x", by=person_with(role, case.use_case))
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", case.use_case)
    with pytest.raises(PermissionDenied):
        call_review(use_cases=[case.use_case], cause="law", text="x", by=machine)


def test_several_are_called_all_or_none() -> None:
    case = passed()
    legal = person_with("legal_privacy", organisation())
    idea = UseCaseFactory.create()
    with pytest.raises(Invalid) as refused:
        call_review(use_cases=[case.use_case, idea], cause="law", text="The act applies.", by=legal)
    assert idea.key in refused.value.errors["use_cases"][0]
    assert not ReviewCall.objects.exists()


def test_somebody_with_no_right_to_one_of_several_calls_none() -> None:
    case = passed()
    with pytest.raises(PermissionDenied):
        call_review(
            use_cases=[case.use_case, UseCaseFactory.create()], cause="law", text="x", by=PersonFactory.create()
        )
    assert not ReviewCall.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"cause": "cadence"}, "cause"),
        ({"cause": "emergency"}, "cause"),
        ({"text": "  "}, "text"),
        ({"text": "x" * 301}, "text"),
        ({"use_cases": []}, "use_cases"),
        ({"gate": "poc_to_pilot"}, "use_cases"),
    ],
)
def test_what_cannot_be_called_is_refused(given: dict[str, Any], field: str) -> None:
    case = passed()
    legal = person_with("legal_privacy", organisation())
    values = {"use_cases": [case.use_case], "cause": "law", "text": "The act applies.", "by": legal, **given}
    with pytest.raises(Invalid) as refused:
        call_review(**values)
    assert field in refused.value.errors
    assert Policy.objects.exists()
