"""Documents and questionnaires: revisions, review by another, completeness, scores."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import User
from governance import services
from governance.catalogue import document_types, questionnaires
from governance.models import Document, QuestionnaireResponse
from governance.scoring import score
from kernel.errors import Conflict, Invalid, NotReady
from portfolio.models import UseCase
from tests.factories.accounts import give, person_with
from tests.factories.governance import EvidenceFactory, ModelVersionFactory
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db

CHARTER = {section.key: "Words." for section in document_types()["poc_charter"].sections}


def written(sections: dict[str, str] | None = None, **given: Any) -> Document:
    use_case = given.pop("use_case", None) or UseCaseFactory.create()
    by = given.pop("by", None) or person_with("technical_lead", use_case)
    return services.write_document(
        use_case=use_case,
        doc_type=given.pop("doc_type", "poc_charter"),
        title=given.pop("title", ""),
        sections=CHARTER if sections is None else sections,
        by=by,
        **given,
    )


def verifier() -> User:
    return person_with("risk_compliance", organisation())


def test_document_takes_the_title_of_its_type_and_starts_as_a_draft() -> None:
    document = written(measures={"poc_timebox": "56"})
    assert (document.title, document.status, document.revision) == ("PoC charter", "draft", 1)
    assert document.measures == {"poc_timebox": "56"}


def test_saving_again_makes_the_next_revision_current() -> None:
    first = written()
    second = written({"scope": "Less."}, use_case=first.use_case)
    first.refresh_from_db()
    assert (second.revision, second.is_current, first.is_current) == (2, True, False)


def test_two_people_writing_at_once_do_not_lose_each_others_words() -> None:
    first = written()
    written(use_case=first.use_case, base_revision=1)
    with pytest.raises(Conflict, match="revision 2"):
        written(use_case=first.use_case, base_revision=1)
    assert Document.objects.count() == 2


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"doc_type": "poem"}, "doc_type"),
        ({"status": "approved"}, "status"),
        ({"measures": {"poc_timebox": "soon"}}, "metrics"),
        ({"measures": {"poc_timebox": "NaN"}}, "metrics"),
    ],
)
def test_bad_documents_are_refused_by_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        written(**given)
    assert field in caught.value.errors
    assert not Document.objects.exists()


def test_version_and_evidence_have_to_be_of_the_same_use_case() -> None:
    with pytest.raises(Invalid):
        written(describes=ModelVersionFactory.create())
    with pytest.raises(Invalid):
        written(evidence=EvidenceFactory.create())


def test_reader_cannot_write() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(PermissionDenied):
        written(use_case=use_case, by=person_with("executive_viewer", organisation()))


def test_document_is_reviewed_then_approved_by_others() -> None:
    document, by = written(), verifier()
    document = services.review_document(document=document, by=by)
    document = services.approve_document(document=document, by=by)
    assert (document.status, document.reviewed_by, document.approved_by) == ("approved", by, by)


def test_author_neither_reviews_nor_approves() -> None:
    use_case = UseCaseFactory.create()
    author = person_with("technical_lead", use_case)
    give(author, "risk_compliance", organisation())
    document = written(use_case=use_case, by=author)
    with pytest.raises(PermissionDenied, match="you wrote it"):
        services.review_document(document=document, by=author)
    services.review_document(document=document, by=verifier())
    with pytest.raises(PermissionDenied, match="you wrote it"):
        services.approve_document(document=document, by=author)


def test_role_that_fits_the_document_may_approve_it() -> None:
    document = written()
    owner = person_with("business_owner", document.use_case)
    services.approve_document(document=services.review_document(document=document, by=owner), by=owner)


def test_role_that_does_not_fit_may_not() -> None:
    document = written()
    with pytest.raises(PermissionDenied):
        services.review_document(document=document, by=person_with("domain_expert", document.use_case))


def test_draft_cannot_be_approved_unread() -> None:
    with pytest.raises(NotReady, match="review"):
        services.approve_document(document=written(), by=verifier())


def test_document_with_empty_sections_cannot_be_approved() -> None:
    document, by = written({"scope": "All of it."}), verifier()
    services.review_document(document=document, by=by)
    with pytest.raises(NotReady) as caught:
        services.approve_document(document=document, by=by)
    assert set(caught.value.errors) == {"hypotheses", "success_criteria", "data", "end_date"}


def test_document_kept_as_a_file_can_be_approved_without_sections() -> None:
    use_case, by = UseCaseFactory.create(), verifier()
    document = written({}, use_case=use_case, evidence=EvidenceFactory.create(use_case=use_case))
    services.approve_document(document=services.review_document(document=document, by=by), by=by)


def test_old_revision_cannot_be_reviewed() -> None:
    first = written()
    written(use_case=first.use_case)
    with pytest.raises(Conflict, match="newer revision"):
        services.review_document(document=first, by=verifier())


def test_completeness_counts_sections_with_text() -> None:
    charter = document_types()["poc_charter"]
    assert charter.completeness({}) == 0
    assert charter.completeness({"scope": "x", "data": "  "}) == 20
    assert charter.completeness(CHARTER) == 100


def answered(answers: dict[str, Any], role: str = "technical_lead", key: str = "data_readiness") -> Any:
    use_case: UseCase = UseCaseFactory.create()
    return services.answer_questionnaire(
        use_case=use_case, questionnaire=key, answers=answers, by=person_with(role, use_case)
    )


def test_score_is_the_weighted_mean_of_the_dimensions() -> None:
    found = answered({"accessibility": [4, 4, 4], "integration": [2, 2, 2]})
    assert (found.score, found.complete) == (Decimal("37.50"), False)
    assert found.dimensions["integration"] == "50.00"


def test_unanswered_questions_count_as_nothing() -> None:
    asked = questionnaires()["prioritisation"]
    assert score(asked, {"business_value": [4, None]}).total == Decimal("15.00")
    assert score(asked, {}).total == Decimal("0.00")
    full = {dimension.key: [4] * len(dimension.questions) for dimension in asked.dimensions}
    assert (score(asked, full).total, score(asked, full).complete) == (Decimal("100.00"), True)


def test_weights_of_every_questionnaire_sum_to_a_hundred() -> None:
    assert all(sum(d.weight for d in asked.dimensions) == 100 for asked in questionnaires().values())


def test_new_answers_replace_the_ones_before() -> None:
    first = answered({"accessibility": [4]})
    lead = person_with("technical_lead", first.use_case)
    services.answer_questionnaire(
        use_case=first.use_case, questionnaire="data_readiness", answers={"accessibility": [1]}, by=lead
    )
    assert QuestionnaireResponse.objects.filter(is_current=True).get().score == Decimal("2.08")


@pytest.mark.parametrize(
    ("answers", "field"),
    [({"accessibility": [5]}, "accessibility"), ({"accessibility": [1, 2, 3, 4]}, "accessibility"), ({"x": [1]}, "x")],
)
def test_answers_beyond_the_questionnaire_are_refused(answers: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        answered(answers)
    assert field in caught.value.errors


def test_each_questionnaire_has_its_own_right() -> None:
    answered({}, role="business_sponsor", key="prioritisation")
    with pytest.raises(PermissionDenied):
        answered({}, role="technical_lead", key="prioritisation")
    with pytest.raises(PermissionDenied):
        answered({}, role="technical_lead", key="supplier")
