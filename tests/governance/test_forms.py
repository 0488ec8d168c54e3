"""Every form, filled in well, does what its button says; each test posts one and looks at the row."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from governance.forms.entry import entries
from governance.models import (
    AccessReview,
    AiModel,
    DataAccessRequest,
    Dataset,
    DecisionType,
    Incident,
    IntegrationPoint,
    IntegrationTest,
    Issue,
    ModelVersion,
    PracticeDeclaration,
    SpecialistReview,
    TierLowering,
    TrainingRecord,
)
from portfolio.models import UseCase
from tests.factories import governance as make
from tests.factories.accounts import give, person_with
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def submit(url: str, user: User, **data: Any) -> None:
    client = Client()
    client.force_login(user)
    assert client.get(url).status_code == 200
    answer = client.post(url, data)
    assert answer.status_code == 302, answer.content.decode()


def enter(use_case: UseCase, entry: str, role: str, **data: Any) -> User:
    user = person_with(role, use_case)
    submit(reverse("governance:enter", args=[use_case.key, entry]), user, **data)
    return user


def act(subject: Any, entry: str, role: str, **data: Any) -> User:
    use_case = subject
    for step in type(subject).access_path.split("__"):
        use_case = getattr(use_case, step)
    user = person_with(role, use_case)
    submit(reverse("governance:act", args=[entry, subject.pk]), user, **data)
    subject.refresh_from_db()
    return user


def test_raising_an_issue() -> None:
    use_case = UseCaseFactory.create()
    enter(use_case, "issue", "technical_lead", kind="assumption", title="Data stays", severity="high", blocking="on")
    assert Issue.objects.get().blocking


def test_changing_and_closing_an_issue() -> None:
    issue = make.IssueFactory.create()
    lead = act(issue, "edit-issue", "technical_lead", title="Data stays", severity="low", due_on="2030-01-01")
    assert (issue.title, issue.severity, str(issue.due_on)) == ("Data stays", "low", "2030-01-01")
    submit(reverse("governance:act", args=["close-issue", issue.pk]), lead, resolution="Measured.")
    assert Issue.objects.get().state == "closed"


def test_owner_of_an_issue_is_somebody_with_a_role_here() -> None:
    use_case = UseCaseFactory.create()
    owner = person_with("business_owner", use_case)
    enter(use_case, "issue", "technical_lead", kind="assumption", title="A", severity="low", owner=str(owner.pk))
    assert Issue.objects.get().owner == owner


def test_reporting_handling_and_closing_an_incident() -> None:
    use_case = UseCaseFactory.create()
    enter(use_case, "incident", "technical_lead", severity="sev3", title="Wrong", occurred_at="2026-01-02T10:00")
    incident = Incident.objects.get()
    given = {"severity": "sev4", "title": "Wrong", "occurred_at": "2026-01-02T10:00", "cause": "Bad data."}
    act(incident, "edit-incident", "it_operations", **given)
    assert (incident.severity, incident.cause) == ("sev4", "Bad data.")
    act(incident, "close-incident", "risk_compliance", cause="Bad data.")
    assert incident.closed_at is not None


def test_adding_changing_testing_and_removing_an_integration_point() -> None:
    use_case = UseCaseFactory.create()
    enter(use_case, "integration", "technical_lead", name="CRM", critical="on", feasible="")
    point = IntegrationPoint.objects.get()
    act(point, "edit-integration", "technical_lead", name="CRM", feasible="yes", requirement="Real time.")
    assert (point.feasible, point.critical, point.requirement) == (True, False, "Real time.")
    act(point, "test-integration", "technical_lead", cases_run="10", cases_passed="9", environment="test")
    assert IntegrationTest.objects.get().cases_passed == 9
    user = person_with("technical_lead", use_case)
    submit(reverse("governance:act", args=["remove-integration", point.pk]), user, reason="Gone.")
    assert not IntegrationPoint.objects.exists()


def test_assigning_and_completing_a_course() -> None:
    use_case = UseCaseFactory.create()
    enter(use_case, "training", "business_owner", course="user", person_label="Jo Unseen")
    record = TrainingRecord.objects.get()
    act(record, "complete-training", "business_owner", valid_until="2030-01-01")
    assert record.completed_at is not None


def test_asking_for_data_and_deciding() -> None:
    use_case = UseCaseFactory.create()
    enter(use_case, "data-access", "data_scientist", purpose="Train.")
    request = DataAccessRequest.objects.get()
    act(request, "decide-data-access", "data_steward", decision="approve", note="Masked.")
    assert request.state == "approved"


def test_opening_and_closing_a_specialist_review() -> None:
    use_case = UseCaseFactory.create()
    enter(use_case, "specialist-review", "use_case_lead", area="privacy", due_on="2030-01-01")
    review = SpecialistReview.objects.get()
    act(review, "close-specialist-review", "legal_privacy", outcome="Fine.")
    assert review.closed_at is not None


def test_recording_a_review_of_access() -> None:
    use_case = UseCaseFactory.create()
    enter(use_case, "access-review", "security", removed="2", note="Leavers.")
    assert AccessReview.objects.get().removed == 2


def test_declaring_a_practice_and_changing_it() -> None:
    use_case = UseCaseFactory.create()
    enter(use_case, "declaration", "use_case_lead", practice="OMB-4b-i", answer="in_progress", detail="In test.")
    declared = PracticeDeclaration.objects.get()
    act(declared, "edit-declaration", "use_case_lead", answer="yes", detail="Tested.", reason="Done in May.")
    assert (declared.answer, declared.detail) == ("yes", "Tested.")


def test_planning_oversight() -> None:
    use_case = UseCaseFactory.create()
    enter(use_case, "oversight", "business_owner", reviewers="Two.", decision_0="Offer", tier_0="human_decides")
    assert DecisionType.objects.get().oversight_tier == "human_decides"
    assert use_case.oversight.reviewers == "Two."


def test_registering_a_model_its_version_and_a_dataset() -> None:
    use_case = UseCaseFactory.create()
    enter(use_case, "model", "technical_lead", name="Ranker", kind="classifier")
    model = AiModel.objects.get()
    enter(use_case, "dataset", "data_engineer", name="Orders", sensitivity="internal")
    dataset = Dataset.objects.get()
    given = {"label": "1.0", "significant": "on", "bundle_code": "abc", "datasets": [str(dataset.pk)]}
    act(model, "version", "technical_lead", **given, metrics_0="f1", metrics_1="0.9")
    version = ModelVersion.objects.get()
    assert (version.bundle, version.metrics, list(version.datasets.all())) == (
        {"code": "abc"},
        {"f1": "0.9"},
        [dataset],
    )
    act(model, "edit-model", "technical_lead", name="Ranker", provider="Us")
    assert model.provider == "Us"


def test_card_approval_promotion_and_retirement_of_a_version() -> None:
    version = make.ModelVersionFactory.create()
    act(version, "card", "technical_lead", limitations="Many.")
    assert version.card["limitations"] == "Many."
    act(version, "approve-version", "business_owner")
    act(version, "promote-version", "it_operations")
    assert version.state == "live"
    act(version, "retire-version", "business_owner", reason="Replaced.")
    assert version.state == "retired"


def test_author_is_not_offered_to_promote_alone() -> None:
    version = make.ModelVersionFactory.create()
    give(version.author, "it_operations", version.model.use_case)
    client = Client()
    client.force_login(version.author)
    assert client.get(reverse("governance:act", args=["promote-version", version.pk])).status_code == 403


def test_changing_agreeing_to_and_closing_a_risk() -> None:
    risk = make.RiskItemFactory.create()
    given = {"title": "Wrong", "likelihood": "3", "impact": "3", "treatment": "Checked.", "residual": "medium"}
    act(risk, "edit-risk", "technical_lead", **given)
    assert (risk.inherent, risk.residual, risk.state) == ("medium", "medium", "treated")
    act(risk, "concur-risk", "risk_compliance")
    act(risk, "accept-risk", "business_sponsor")
    assert risk.state == "accepted"
    act(risk, "close-risk", "technical_lead", reason="Gone.")
    assert risk.state == "closed"


def test_raising_a_tier() -> None:
    found = make.RiskClassificationFactory.create()
    act(found, "raise-tier", "security", tier="high", reason="Payments.")
    assert found.effective_tier == "high"


LIMITED_BY_SCORE = {"factors": {"F-AUTONOMY": 1, "F-SEVERITY": 1, "F-REVERSE": 1, "F-VULN": 1, "F-DATA": 1}}


@pytest.mark.parametrize(("entry", "tier"), [("agree-lowering", "minimal"), ("refuse-lowering", "high")])
def test_lowering_a_tier_with_two_people(entry: str, tier: str) -> None:
    found = make.RiskClassificationFactory.create(tier="high", answers=LIMITED_BY_SCORE)
    act(found, "lower-tier", "risk_compliance", tier="minimal", reason="Internal.")
    lowering = TierLowering.objects.get()
    act(lowering, entry, "legal_privacy", reason="Seen.")
    found.refresh_from_db()
    assert found.effective_tier == tier


def test_releasing_a_legal_hold() -> None:
    use_case = UseCaseFactory.create()
    UseCase.objects.filter(pk=use_case.pk).update(legal_hold=True)
    use_case.refresh_from_db()
    enter(use_case, "release-hold", "legal_privacy", reason="No scoring.")
    use_case.refresh_from_db()
    assert not use_case.legal_hold


def test_withdrawing_evidence_and_signing_a_run() -> None:
    evidence = make.EvidenceFactory.create()
    act(evidence, "withdraw-evidence", "security", reason="Old.")
    assert evidence.withdrawn_reason == "Old."
    run = make.ValidationRunFactory.create(independent=True)
    validator = act(run, "sign-validation", "independent_validator")
    assert run.signed_by == validator


def test_every_form_has_words_a_right_or_a_rule_and_an_icon() -> None:
    for form in entries:
        assert str(form.heading), form
        assert str(form.submit), form
        assert form.icon, form
        assert form.actions or "permitted" in vars(form) or any("permitted" in vars(base) for base in form.mro()[1:-1])


def test_steward_of_the_data_decides_without_seeing_the_use_case() -> None:
    dataset = make.DatasetFactory.create()
    request = make.DataAccessRequestFactory.create(dataset=dataset)
    steward = person_with("data_steward", dataset.unit)
    url = reverse("governance:act", args=["decide-data-access", request.pk])
    submit(url, steward, decision="refuse", note="Not for this.", next="/")
    request.refresh_from_db()
    assert (request.state, request.decided_by) == ("refused", steward)


def test_lead_is_not_offered_to_decide_about_data() -> None:
    request = make.DataAccessRequestFactory.create()
    client = Client()
    client.force_login(person_with("technical_lead", request.use_case))
    assert client.get(reverse("governance:act", args=["decide-data-access", request.pk])).status_code == 403
