"""A breach of a system in use owes one decision until a day; who decides it, on which facts, and when it asks again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import end_role
from gates import tasks
from gates.assurance import reassess
from gates.breaching import open_owed
from gates.models import BreachDecision, GateAssurance
from gates.services.breaches import confirm_acceptance, decide_breach, refuse_acceptance
from gates.verdict import verdict
from kernel.canonical import digest
from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from ledger.models import Event
from monitoring.judging import judge
from monitoring.models import Alert, Point
from notify.models import Notice
from portfolio.models import UseCase
from tests.factories.accounts import ServiceAccountFactory, give, person_with
from tests.factories.breaches import breach_of, owed, system
from tests.factories.conditions import in_days
from tests.factories.gates import Case
from tests.factories.monitoring import RuleFactory, points
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
WHY = "The season explains it."


def owner_of(case: Case) -> User:
    return case.signers["business_owner"]


def risk() -> User:
    return person_with("risk_compliance", organisation())


def accept(row: BreachDecision, by: User, days: int = 30) -> BreachDecision:
    return decide_breach(alert=row.alert, outcome="accept", reason=WHY, accepted_until=in_days(days), by=by)


def state(case: Case) -> tuple[str, list[str]]:
    reassess([case.use_case.pk])
    row = GateAssurance.objects.get(use_case=case.use_case)
    return row.state, [reason["code"] for reason in row.reasons]


def resolve(row: BreachDecision) -> None:
    Alert.objects.filter(pk=row.alert_id).update(state="resolved", resolved_at=timezone.now())


def breach_again(row: BreachDecision, *, value: float) -> Alert:
    """The same rule is broken once more."""
    series, rule = row.alert.series, row.alert.rule
    return Alert.objects.create(series=series, rule=rule, level="act", message="Again.", value=value, limit=0.8)


# -- Owed ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tier", "days"), [("minimal", 14), ("limited", 7), ("high", 3), ("", 3)])
def test_a_breach_owes_one_decision_by_the_day_of_its_tier(tier: str, days: int) -> None:
    case = system(tier=tier)
    row = owed(case)
    assert open_owed([case.use_case.pk]) == open_owed() == 0
    assert (row.state, row.owed_by, row.cause) == ("owed", owner_of(case), "breach")
    assert row.due_at - row.opened_at == timedelta(days=days)
    event = Event.objects.get(action="breach.opened")
    assert event.use_case_id == str(case.use_case.pk)
    told = Notice.objects.filter(kind="breach.owed").values_list("recipient__email", flat=True)
    assert set(told) == {owner_of(case).email, case.signers["technical_lead"].email}


def test_the_database_has_room_for_one_open_decision_a_breach() -> None:
    row = owed(system())
    values = {"use_case": row.use_case, "alert": row.alert, "number": 99, "occasion": 2, "due_at": row.due_at}
    with pytest.raises(IntegrityError), transaction.atomic():
        BreachDecision.objects.create(**values)
    BreachDecision.objects.create(**values, state="lapsed")


def test_warnings_and_systems_that_are_not_in_use_owe_none() -> None:
    case = system()
    breach_of(case, level="warn")
    UseCase.objects.update(stage="pilot")
    breach_of(case)
    assert open_owed() == 0
    UseCase.objects.update(stage="operations", status="on_hold")
    assert open_owed() == 0


def test_a_breach_that_was_over_at_once_owes_it_too_and_an_old_one_does_not() -> None:
    case = system()
    breach_of(case, state="resolved", resolved_at=timezone.now() - timedelta(minutes=5))
    breach_of(case, state="resolved", resolved_at=timezone.now() - timedelta(days=5))
    assert open_owed() == 1


def test_without_an_owner_risk_and_compliance_owes_it() -> None:
    case = system()
    officer = risk()
    end_role(assignment=owner_of(case).role_assignments.get(), by=SYSTEM)
    assert owed(case).owed_by == officer


def test_a_point_over_rest_to_an_owed_decision_takes_no_hand() -> None:
    case = system()
    rule = RuleFactory.create(series__use_case=case.use_case)
    points(rule.series, [0.9, 0.5])
    judge([rule.series.pk])
    tasks.reassess_use_case(str(case.use_case.pk))
    row = BreachDecision.objects.get()
    assert (row.alert.rule, row.state) == (rule, "owed")


# -- Decided ---------------------------------------------------------------------------------------------------------


def test_a_decision_keeps_the_facts_it_was_made_on() -> None:
    case = system()
    rule = RuleFactory.create(series__use_case=case.use_case)
    points(rule.series, [0.9, 0.5])
    judge([rule.series.pk])
    open_owed()
    row = decide_breach(alert=Alert.objects.get(), outcome="retrain", reason=WHY, by=owner_of(case))
    assert (row.state, row.decided_by, row.decided_role) == ("decided", owner_of(case), "business_owner")
    assert (row.facts["value"], row.facts["limit"]) == ("0.5", "0.8")
    assert [point["revision"] for point in row.facts["points"]] == [0, 0]
    assert row.digest == digest(row.facts)
    event = Event.objects.get(action="breach.decided")
    assert row.digest in event.body
    assert event.note == WHY
    alert = Alert.objects.get()
    assert (alert.outcome, alert.state, alert.decided_by) == ("retrain", "acknowledged", owner_of(case))
    with pytest.raises(Conflict):
        decide_breach(alert=alert, outcome="recalibrate", reason="Again.", by=owner_of(case))
    Point.objects.update(value=0.1)
    row.refresh_from_db()
    assert row.facts["points"][-1]["value"] == "0.5"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"outcome": "shrug"}, "outcome"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 4001}, "reason"),
        ({"outcome": "accept"}, "accepted_until"),
        ({"outcome": "accept", "accepted_until": -1}, "accepted_until"),
        ({"outcome": "accept", "accepted_until": 366}, "accepted_until"),
    ],
)
def test_what_is_wrong_with_a_decision_is_said_at_its_field(given: dict[str, object], field: str) -> None:
    case = system()
    row = owed(case)
    days = given.pop("accepted_until", None)
    values = {"outcome": "retrain", "reason": WHY, "accepted_until": in_days(days) if isinstance(days, int) else None}
    with pytest.raises(Invalid) as caught:
        decide_breach(alert=row.alert, by=owner_of(case), **{**values, **given})  # type: ignore[arg-type]
    assert field in caught.value.errors


def test_leads_machines_and_tokens_decide_nothing() -> None:
    case = system()
    row = owed(case)
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", case.use_case)
    by_token = owner_of(case)
    for who in (case.signers["technical_lead"], machine, person_with("business_owner", UseCaseFactory.create())):
        with pytest.raises(PermissionDenied):
            decide_breach(alert=row.alert, outcome="retrain", reason=WHY, by=who)
    by_token.token_scopes = frozenset({"breach.decide", "use_case.view"})
    with pytest.raises(PermissionDenied, match="token"):
        decide_breach(alert=row.alert, outcome="retrain", reason=WHY, by=by_token)
    assert not BreachDecision.objects.filter(state="decided").exists()


def test_a_warning_is_not_decided_and_a_pilot_may_be() -> None:
    case = system(stage="pilot")
    with pytest.raises(Conflict):
        decide_breach(alert=breach_of(case, level="warn"), outcome="retrain", reason=WHY, by=owner_of(case))
    assert decide_breach(alert=breach_of(case), outcome="retrain", reason=WHY, by=owner_of(case)).state == "decided"


# -- Two people on the high tier -------------------------------------------------------------------------------------


def test_on_the_high_tier_accepting_takes_a_second_person_of_the_risk_authority() -> None:
    case = system(tier="high")
    row, officer = owed(case), risk()
    proposed = accept(row, owner_of(case))
    assert (proposed.state, proposed.decided_by) == ("proposed", None)
    assert state(case)[1] == ["breach_undecided"]
    for who in (owner_of(case), case.signers["technical_lead"]):
        with pytest.raises(PermissionDenied):
            confirm_acceptance(breach=proposed, by=who)
    both = person_with("risk_compliance", organisation())
    give(both, "business_owner", case.use_case)
    with pytest.raises(PermissionDenied, match="SOD-04"):
        confirm_acceptance(breach=proposed, by=both)
    done = confirm_acceptance(breach=proposed, by=officer)
    assert (done.state, done.proposed_by, done.decided_by) == ("decided", owner_of(case), officer)
    assert state(case) == ("in_force", [])
    with pytest.raises(Conflict):
        confirm_acceptance(breach=done, by=risk())


def test_who_proposes_does_not_confirm_even_with_the_authority() -> None:
    case = system(tier="high")
    officer = risk()
    proposed = accept(owed(case), officer)
    with pytest.raises(PermissionDenied, match="somebody else"):
        confirm_acceptance(breach=proposed, by=officer)


def test_a_refused_acceptance_is_owed_as_before_and_may_be_decided_otherwise() -> None:
    case = system(tier="high")
    row = owed(case)
    proposed = accept(row, owner_of(case))
    with pytest.raises(Invalid):
        refuse_acceptance(breach=proposed, by=risk(), reason=" ")
    back = refuse_acceptance(breach=proposed, by=risk(), reason="Nobody knows the effect.")
    assert (back.state, back.outcome, back.due_at) == ("owed", "", row.due_at)
    assert Notice.objects.filter(kind="breach.refused", recipient=owner_of(case)).exists()
    assert decide_breach(alert=row.alert, outcome="roll_back", reason=WHY, by=owner_of(case)).state == "decided"


def test_on_lower_tiers_one_person_accepts() -> None:
    case = system(tier="limited")
    assert accept(owed(case), owner_of(case)).state == "decided"


# -- What it does to the approval ------------------------------------------------------------------------------------


def test_the_approval_names_the_decision_that_is_owed_and_pipelines_are_told() -> None:
    case = system()
    row = owed(case)
    assert state(case) == ("at_risk", ["breach_undecided"])
    text = GateAssurance.objects.get().reasons[0]["text"]
    assert str(row) in text
    assert owner_of(case).full_name in text


def test_the_verdict_says_breach_undecided() -> None:
    case = system(stage="idea")
    GateAssurance.objects.all().delete()
    case.pass_gate()
    UseCase.objects.update(stage="production")
    owed(case)
    case.use_case.refresh_from_db()
    reassess([case.use_case.pk])
    answer = verdict(case.use_case, "idea_to_poc")
    assert answer["allowed"]
    assert any(w["code"] == "breach_undecided" and "Breach undecided" in w["text"] for w in answer["warnings"])
    strict = verdict(case.use_case, "idea_to_poc", strict=True)
    assert not strict["allowed"]
    assert [r["code"] for r in strict["reasons"]] == ["breach_undecided"]


def test_what_was_decided_has_to_help_before_the_approval_is_in_force() -> None:
    case = system()
    row = owed(case)
    decide_breach(alert=row.alert, outcome="retrain", reason=WHY, by=owner_of(case))
    assert state(case) == ("at_risk", ["breach_lasts"])
    resolve(row)
    assert state(case) == ("in_force", [])


def test_a_breach_that_is_over_still_owes_its_decision_and_late_it_counts() -> None:
    case = system()
    row = owed(case)
    resolve(row)
    assert state(case) == ("in_force", [])
    BreachDecision.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert state(case) == ("at_risk", ["breach_undecided"])
    decide_breach(alert=row.alert, outcome="accept", reason=WHY, accepted_until=in_days(1), by=owner_of(case))
    assert state(case) == ("in_force", [])


# -- Asked again -----------------------------------------------------------------------------------------------------
