"""Issues, incidents, specialist reviews, integrations, training, declared practices and oversight."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from governance import services
from governance.models import DecisionType, IntegrationPoint, Issue, PracticeDeclaration, TrainingRecord
from kernel.errors import Conflict, Invalid, NotReady
from ledger import SYSTEM
from ledger.models import Event
from notify.models import Notice
from portfolio.models import MaterialChange
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.governance import (
    IncidentFactory,
    IntegrationPointFactory,
    IssueFactory,
    PracticeDeclarationFactory,
    SpecialistReviewFactory,
    TrainingRecordFactory,
)
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "may", "may_not"),
    [
        ("assumption", "technical_lead", "end_user"),
        ("security", "security", "end_user"),
        ("finding", "independent_validator", "technical_lead"),
        ("condition", "risk_compliance", "data_scientist"),
        ("incident_action", "it_operations", "business_owner"),
        ("breach", "business_owner", "data_scientist"),
    ],
)
def test_each_kind_of_issue_is_raised_by_those_it_concerns(kind: str, may: str, may_not: str) -> None:
    use_case = UseCaseFactory.create()
    raised = services.raise_issue(use_case=use_case, kind=kind, title="Look at this", by=person_with(may, use_case))
    assert (raised.state, raised.kind) == ("open", kind)
    with pytest.raises(PermissionDenied):
        services.raise_issue(use_case=use_case, kind=kind, title="Look", by=person_with(may_not, use_case))


def test_system_raises_an_issue_without_a_person() -> None:
    assert (
        services.raise_issue(use_case=UseCaseFactory.create(), kind="breach", title="F1", by=SYSTEM).raised_by is None
    )


def test_issue_without_title_or_of_unknown_kind_is_refused() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(Invalid) as caught:
        services.raise_issue(use_case=use_case, kind="wish", title="", severity="huge", by=SYSTEM)
    assert set(caught.value.errors) == {"kind", "title", "severity"}


def test_who_repairs_a_security_issue_does_not_close_it() -> None:
    issue = IssueFactory.create(kind="security")
    with pytest.raises(PermissionDenied):
        services.close_issue(issue=issue, resolution="Patched.", by=person_with("technical_lead", issue.use_case))
    closed = services.close_issue(issue=issue, resolution="Patched.", by=person_with("security", issue.use_case))
    assert closed.state == "closed"
    with pytest.raises(Conflict):
        services.close_issue(issue=issue, resolution="Again.", by=person_with("security", issue.use_case))


def test_condition_is_closed_by_risk_alone() -> None:
    issue = IssueFactory.create(kind="condition")
    with pytest.raises(PermissionDenied):
        services.close_issue(issue=issue, resolution="Done.", by=person_with("business_owner", issue.use_case))
    services.close_issue(issue=issue, resolution="Done.", by=person_with("risk_compliance", organisation()))
    assert Issue.objects.get().state == "closed"


def test_closing_says_how() -> None:
    issue = IssueFactory.create()
    with pytest.raises(Invalid):
        services.close_issue(issue=issue, resolution=" ", by=person_with("technical_lead", issue.use_case))


def test_serious_incident_is_told_to_risk_and_owner() -> None:
    use_case = UseCaseFactory.create()
    risk = person_with("risk_compliance", organisation())
    owner = person_with("business_owner", use_case)
    services.report_incident(use_case=use_case, severity="sev1", title="Wrong offers", by=owner)
    assert {notice.recipient_id for notice in Notice.objects.all()} == {risk.pk}


def test_small_incident_is_told_to_nobody() -> None:
    use_case = UseCaseFactory.create()
    person_with("risk_compliance", organisation())
    services.report_incident(
        use_case=use_case, severity="sev4", title="Typo", by=person_with("technical_lead", use_case)
    )
    assert not Notice.objects.exists()


def test_incident_cannot_be_of_the_future_or_end_before_it_began() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    with pytest.raises(Invalid) as caught:
        services.report_incident(
            use_case=use_case, severity="sev9", title="", occurred_at=timezone.now() + timedelta(days=1), by=lead
        )
    assert {"severity", "title", "occurred_at"} <= set(caught.value.errors)
    incident = IncidentFactory.create(use_case=use_case)
    with pytest.raises(Invalid):
        services.edit_incident(
            incident=incident, changes={"restored_at": incident.occurred_at - timedelta(hours=1)}, by=lead
        )


def test_serious_incident_is_not_closed_by_whoever_handled_it() -> None:
    incident = IncidentFactory.create(severity="sev2")
    risk = person_with("risk_compliance", organisation())
    incident = services.edit_incident(incident=incident, changes={"cause": "Bad data."}, by=risk)
    with pytest.raises(PermissionDenied, match="you handled it"):
        services.close_incident(incident=incident, by=risk)
    closed = services.close_incident(incident=incident, by=person_with("risk_compliance", organisation()))
    assert closed.closed_at is not None


def test_incident_is_closed_with_its_cause_by_risk() -> None:
    incident = IncidentFactory.create()
    with pytest.raises(PermissionDenied):
        services.close_incident(incident=incident, by=person_with("technical_lead", incident.use_case), cause="x")
    risk = person_with("risk_compliance", organisation())
    with pytest.raises(NotReady):
        services.close_incident(incident=incident, by=risk)
    services.close_incident(incident=incident, by=risk, cause="Bad data.")
    with pytest.raises(Conflict):
        services.close_incident(incident=incident, by=risk, cause="Bad data.")


def test_specialist_of_the_area_closes_the_review() -> None:
    review = SpecialistReviewFactory.create(area="privacy")
    with pytest.raises(PermissionDenied):
        services.close_specialist_review(review=review, outcome="Fine.", by=person_with("security", organisation()))
    legal = person_with("legal_privacy", organisation())
    assert services.close_specialist_review(review=review, outcome="Fine.", by=legal).closed_by == legal


def test_one_review_of_an_area_is_open_at_a_time() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("use_case_lead", use_case)
    services.open_specialist_review(use_case=use_case, area="security", by=lead)
    with pytest.raises(Conflict):
        services.open_specialist_review(use_case=use_case, area="security", by=lead)
    with pytest.raises(Invalid):
        services.open_specialist_review(use_case=use_case, area="taste", by=lead)


def test_security_reviews_access() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(PermissionDenied):
        services.record_access_review(use_case=use_case, by=person_with("technical_lead", use_case))
    review = services.record_access_review(use_case=use_case, by=person_with("security", organisation()), removed=2)
    assert review.removed == 2


def test_integration_point_is_saved_by_name_and_told_once() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    first = services.save_integration_point(use_case=use_case, name="CRM", by=lead, feasible=True)
    again = services.save_integration_point(use_case=use_case, name="CRM", by=lead, feasible=True)
    assert first == again
    assert Event.objects.filter(action="integration_point.saved").count() == 1
    services.save_integration_point(use_case=use_case, name="CRM", by=lead, feasible=False)
    assert IntegrationPoint.objects.get().feasible is False


@pytest.mark.parametrize(("run", "passed", "field"), [(0, 0, "cases_run"), (3, 4, "cases_passed")])
def test_integration_test_counts_have_to_make_sense(run: int, passed: int, field: str) -> None:
    point = IntegrationPointFactory.create()
    with pytest.raises(Invalid) as caught:
        services.record_integration_test(
            point=point, cases_run=run, cases_passed=passed, by=person_with("technical_lead", point.use_case)
        )
    assert field in caught.value.errors


def test_training_is_assigned_once_and_completed_by_the_person() -> None:
    use_case, person = UseCaseFactory.create(), PersonFactory.create()
    owner = person_with("business_owner", use_case)
    first = services.assign_training(use_case=use_case, course="user", by=owner, person=person)
    assert services.assign_training(use_case=use_case, course="user", by=owner, person=person) == first
    done = services.complete_training(record=first, by=person)
    assert done.valid_until is not None
    assert done.valid_until > timezone.now() + timedelta(days=360)


def test_nobody_completes_a_course_for_a_colleague() -> None:
    record = TrainingRecordFactory.create()
    with pytest.raises(PermissionDenied):
        services.complete_training(record=record, by=person_with("data_scientist", record.use_case))


def test_name_of_a_trainee_without_account_stays_erasable() -> None:
    use_case = UseCaseFactory.create()
    services.assign_training(
        use_case=use_case, course="user", by=person_with("business_owner", use_case), person_label="Jo Unseen"
    )
    assert TrainingRecord.objects.get().person_label == "Jo Unseen"
    assert "Jo Unseen" not in Event.objects.get(action="training.assigned").body


def test_changed_declaration_takes_a_reason() -> None:
    declared = PracticeDeclarationFactory.create(answer="no")
    lead = person_with("use_case_lead", declared.use_case)
    change: dict[str, Any] = {
        "use_case": declared.use_case,
        "practice": declared.practice,
        "answer": "yes",
        "detail": "Tested in May.",
        "source": "report",
        "by": lead,
    }
    with pytest.raises(Invalid) as caught:
        services.declare_practice(**change)
    assert "reason" in caught.value.errors
    services.declare_practice(**change, reason="Testing was done.")
    services.declare_practice(**change)
    assert PracticeDeclaration.objects.get().answer == "yes"
    assert Event.objects.filter(action="practice.declared").count() == 1


def test_import_declares_and_corrects_without_a_reason() -> None:
    use_case = UseCaseFactory.create()
    for answer in ("no", "yes"):
        services.declare_practice(
            use_case=use_case, practice="OMB-4b-i", answer=answer, detail="", source="column 7", by=SYSTEM
        )
    assert PracticeDeclaration.objects.get().answer == "yes"


def test_oversight_keeps_the_whole_list_of_decision_types() -> None:
    use_case = UseCaseFactory.create()
    owner = person_with("business_owner", use_case)
    services.save_oversight(use_case=use_case, by=owner, decision_types={"Offer": "human_decides", "Reminder": ""})
    plan = services.save_oversight(
        use_case=use_case,
        by=owner,
        reviewers="Two.",
        decision_types=[{"name": "Offer", "oversight_tier": "ai_decides"}],
    )
    assert plan.reviewers == "Two."
    assert list(DecisionType.objects.values_list("name", "oversight_tier")) == [("Offer", "ai_decides")]


def test_unknown_oversight_tier_is_refused() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(Invalid):
        services.save_oversight(
            use_case=use_case, by=person_with("business_owner", use_case), decision_types={"Offer": "whoever"}
        )


def test_data_scientist_cannot_configure_oversight() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(PermissionDenied):
        services.save_oversight(use_case=use_case, by=person_with("data_scientist", use_case), reviewers="Me.")


def test_another_oversight_tier_is_a_material_change_and_settling_one_is_not() -> None:
    use_case = UseCaseFactory.create()
    owner = person_with("business_owner", use_case)
    for tier in ("", "human_decides", "ai_decides"):
        services.save_oversight(use_case=use_case, by=owner, decision_types={"Offer": tier})
    assert [change.what for change in MaterialChange.objects.all()] == ["oversight"]


def test_integration_that_changes_is_a_material_change_and_judging_it_is_not() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    services.save_integration_point(use_case=use_case, name="CRM", by=lead)
    services.save_integration_point(use_case=use_case, name="CRM", by=lead, feasible=True)
    assert not MaterialChange.objects.exists()
    services.save_integration_point(use_case=use_case, name="CRM", by=lead, feasible=True, requirement="Real time.")
    assert [change.what for change in MaterialChange.objects.all()] == ["integration"]
