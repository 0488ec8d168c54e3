"""Forms as a person fills them in: what is kept, what is told, where one goes afterwards."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from governance.catalogue import document_types
from governance.models import (
    Document,
    Evidence,
    QuestionnaireResponse,
    RiskClassification,
    ValidationRun,
)
from governance.risk.questions import questionnaire
from portfolio.models import UseCase
from tests.factories import governance as make
from tests.factories.accounts import person_with
from tests.factories.portfolio import organisation
from tests.governance.visits import act, case_with, enter, panel, signed_in

pytestmark = pytest.mark.django_db


def test_technical_lead_adds_a_file_for_a_criterion_and_goes_back_where_they_came_from() -> None:
    use_case, lead, client = case_with()
    url = enter(use_case, "evidence-file") + f"?criterion=PR-02&next=/use-cases/{use_case.key}/"
    page = client.get(url)
    assert b'value="PR-02"' in page.content
    sent = {
        "upload": make.upload(),
        "title": "Validation report",
        "criterion": "PR-02",
        "next": f"/use-cases/{use_case.key}/",
    }
    answer = client.post(url, sent)
    assert answer.status_code == 302, answer.content.decode()
    assert answer.headers["Location"] == f"/use-cases/{use_case.key}/"
    evidence = Evidence.objects.get()
    assert (evidence.criterion, evidence.title, evidence.added_by) == ("PR-02", "Validation report", lead)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_nobody_is_sent_elsewhere_afterwards(back: str) -> None:
    use_case, _lead, client = case_with()
    answer = client.post(enter(use_case, "evidence-link"), {"url": "https://example.com/r", "next": back})
    assert answer.headers["Location"] == panel(use_case, "evidence")


def test_forbidden_file_is_told_at_the_field_and_nothing_typed_is_lost() -> None:
    use_case, _lead, client = case_with()
    sent = {"upload": make.upload("run.exe", b"MZ"), "title": "My report", "statement": "All words kept."}
    page = client.post(enter(use_case, "evidence-file"), sent)
    assert page.status_code == 422
    text = page.content.decode()
    assert "not accepted: run.exe" in text
    assert "All words kept." in text
    assert 'value="My report"' in text
    assert not Evidence.objects.exists()


def test_empty_file_is_told_at_the_field() -> None:
    use_case, _lead, client = case_with()
    page = client.post(enter(use_case, "evidence-file"), {"upload": make.upload("a.pdf", b"")})
    assert page.status_code == 422
    assert "The file is empty." in page.content.decode()


def test_htmx_gets_the_form_alone_and_is_sent_on_afterwards() -> None:
    use_case, _lead, client = case_with()
    url = enter(use_case, "evidence-link")
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="governance-form">')
    answer = client.post(url, {"url": "https://example.com/r"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == panel(use_case, "evidence")


def log(client: Client, use_case: UseCase, **changes: Any) -> Any:
    sent = {
        "kind": "performance_historical",
        "verdict": "pass",
        "performed_at": "2026-01-05T10:00",
        "metrics_0": "f1",
        "metrics_1": "0.91",
        "reviewers": "0",
        "open_major_findings": "0",
        **changes,
    }
    return client.post(enter(use_case, "validation"), sent)


def test_technical_lead_logs_a_result() -> None:
    use_case, lead, client = case_with()
    version = make.ModelVersionFactory.create(model__use_case=use_case)
    answer = log(client, use_case, version=version.pk, sample_size="500", summary="Fine.")
    assert answer.status_code == 302, answer.content.decode()
    run = ValidationRun.objects.get()
    assert (run.kind, run.verdict, run.metrics, run.version, run.recorded_by) == (
        "performance_historical",
        "pass",
        {"f1": "0.91"},
        version,
        lead,
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metrics_1": "NaN"}, "is not a number"),
        ({"metrics_1": ""}, "needs its name and its value"),
        ({"metrics_2": "f1", "metrics_3": "0.5"}, "named twice"),
        ({"performed_at": "2999-01-01T00:00"}, "in the future"),
        ({"kind": "astrology"}, "Select a valid choice"),
        ({"verdict": ""}, "required"),
    ],
)
def test_bad_result_is_told_at_the_field_and_kept_on_the_page(changes: dict[str, str], said: str) -> None:
    use_case, _lead, client = case_with()
    page = log(client, use_case, summary="Long words.", **changes)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert "Long words." in page.content.decode()
    assert not ValidationRun.objects.exists()


def test_criterion_chooses_the_kind_and_the_candidate_version() -> None:
    use_case, _lead, client = case_with()
    version = make.ModelVersionFactory.create(model__use_case=use_case)
    page = client.get(enter(use_case, "validation") + "?criterion=PP-14").content.decode()
    assert '<option value="expert_review" selected>' in page
    assert f'<option value="{version.pk}" selected>' in page


def test_owner_attests_items_of_the_criterion() -> None:
    use_case, legal, client = case_with("legal_privacy")
    url = enter(use_case, "attestation") + "?criterion=PR-23"
    assert "There is a way to appeal" in client.get(url).content.decode()
    sent = {"criterion": "PR-23", "role": "legal_privacy", "items": ["appeal_route"], "statement": "I checked."}
    assert client.post(enter(use_case, "attestation"), sent).status_code == 302
    assert Evidence.objects.get(added_by=legal).items == ["appeal_route"]


def test_role_that_is_not_held_cannot_be_chosen() -> None:
    use_case, _owner, client = case_with("business_owner")
    sent = {"criterion": "PR-24", "role": "legal_privacy", "statement": "I checked."}
    assert client.post(enter(use_case, "attestation"), sent).status_code == 422


def classification_answers() -> dict[str, Any]:
    asked = questionnaire()
    return {
        **{f"prohibited.{question.key}": "no" for question in asked.prohibited},
        **{f"factors.{factor.key}": "1" for factor in asked.factors},
        "annex_i": "no",
        "principal_basis": "no",
        "transparency": ["interaction"],
    }


def test_questionnaire_in_the_browser_sets_the_tier_and_says_why() -> None:
    use_case, _lead, client = case_with()
    assert client.post(enter(use_case, "classify"), classification_answers()).status_code == 302
    assert RiskClassification.objects.get().tier == "limited"
    page = client.get(panel(use_case, "risk")).content.decode()
    assert "People have to be told" in page
    assert "ART50-interaction" in page


def test_prohibited_questions_have_to_be_answered() -> None:
    use_case, _lead, client = case_with()
    answers = classification_answers()
    del answers["prohibited.c"]
    page = client.post(enter(use_case, "classify"), answers)
    assert page.status_code == 422
    assert "not sure" in page.content.decode()


def test_earlier_answers_are_filled_in() -> None:
    use_case, _lead, client = case_with()
    client.post(enter(use_case, "classify"), classification_answers())
    page = client.get(enter(use_case, "classify")).content.decode()
    assert re.search(r'name="factors.F-DATA"\s+value="1"[^>]*checked', page)


def test_risk_officer_confirms_the_tier() -> None:
    classification = make.RiskClassificationFactory.create()
    client = signed_in(person_with("risk_compliance", organisation()))
    assert client.post(act("confirm-tier", classification)).status_code == 302
    classification.refresh_from_db()
    assert classification.confirmed_role == "risk_compliance"


def test_classifier_is_not_offered_to_confirm() -> None:
    use_case, officer, client = case_with("risk_compliance")
    classification = make.RiskClassificationFactory.create(use_case=use_case, classified_by=officer)
    assert client.get(act("confirm-tier", classification)).status_code == 403


def test_half_a_questionnaire_can_be_saved_and_continued() -> None:
    use_case, _lead, client = case_with()
    url = enter(use_case, "questionnaire-data-readiness")
    assert client.post(url, {"accessibility.0": "4"}).status_code == 302
    response = QuestionnaireResponse.objects.get()
    assert (response.complete, response.answers["accessibility"]) == (False, [4, None, None])
    assert re.search(r'name="accessibility.0"\s+value="4"[^>]*checked', client.get(url).content.decode())


def test_document_is_written_section_by_section_and_compared() -> None:
    use_case, _lead, client = case_with()
    url = enter(use_case, "document-poc-charter")
    first = {"name": "Charter", "section_scope": "One site.", "measure_poc_timebox": "42", "base_revision": "0"}
    assert client.post(url, first).status_code == 302
    assert 'name="base_revision" value="1"' in client.get(url).content.decode()
    client.post(url, {**first, "section_scope": "Two *sites*.", "base_revision": "1"})
    document = Document.objects.get(is_current=True)
    assert (document.revision, document.measures) == (2, {"poc_timebox": "42"})
    page = client.get(reverse("governance:document", args=[document.pk]), {"against": "1"}).content.decode()
    assert "<em>sites</em>" in page
    assert "One site." in page


def test_document_saved_by_somebody_else_meanwhile_is_not_overwritten() -> None:
    use_case, _lead, client = case_with()
    url = enter(use_case, "document-poc-charter")
    client.post(url, {"section_scope": "Mine.", "base_revision": "0"})
    page = client.post(url, {"section_scope": "Also mine.", "base_revision": "0"})
    assert page.status_code == 422
    assert "Also mine." in page.content.decode()
    assert Document.objects.count() == 1


def test_review_and_approval_in_the_browser() -> None:
    sections = {section.key: "x" for section in document_types()["poc_charter"].sections}
    document = make.DocumentFactory.create(sections=sections)
    client = signed_in(person_with("business_owner", document.use_case))
    assert client.post(act("review-document", document)).status_code == 302
    assert client.post(act("approve-document", document)).status_code == 302
    document.refresh_from_db()
    assert document.status == "approved"


def test_incomplete_document_says_which_sections_are_empty() -> None:
    document = make.DocumentFactory.create(status="reviewed")
    page = signed_in(person_with("business_owner", document.use_case)).post(act("approve-document", document))
    assert page.status_code == 422
    assert "Hypotheses" in page.content.decode()


def test_preview_cleans_what_was_typed() -> None:
    _use_case, _lead, client = case_with()
    page = client.post(reverse("governance:preview"), {"section_scope": "**bold** <script>alert(1)</script>"})
    assert "<strong>bold</strong>" in page.content.decode()
    assert "<script>" not in page.content.decode()
