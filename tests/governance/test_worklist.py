"""What waits for a person, and what a search finds, is theirs alone and costs a constant number of queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from portfolio.search import search_sources
from portfolio.work_item import work_sources
from tests.factories import governance as make
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def waiting(key: str, user: User) -> list[Any]:
    return list(work_sources.get(key)().items(User.objects.get(pk=user.pk)))


def test_evidence_of_others_waits_for_whoever_may_verify_it() -> None:
    risk = person_with("risk_compliance", organisation())
    wanted = make.EvidenceFactory.create()
    make.EvidenceFactory.create(added_by=risk)
    make.EvidenceFactory.create(verified_by=PersonFactory.create())
    make.EvidenceFactory.create(withdrawn_at=timezone.now())
    assert [item.title for item in waiting("governance-evidence", risk)] == [wanted.title]
    assert waiting("governance-evidence", person_with("technical_lead", wanted.use_case)) == []


def test_current_drafts_of_others_wait_for_a_verifier() -> None:
    risk = person_with("risk_compliance", organisation())
    make.DocumentFactory.create(title="Draft")
    make.DocumentFactory.create(title="Old", is_current=False)
    make.DocumentFactory.create(title="Mine", written_by=risk)
    make.DocumentFactory.create(title="Done", status="approved")
    make.DocumentFactory.create(title="Read", status="reviewed")
    found = {item.title: item.verb for item in waiting("governance-documents", risk)}
    assert found == {"Draft": "Review", "Read": "Approve"}


def test_requests_for_data_wait_for_the_steward_of_the_data() -> None:
    dataset = make.DatasetFactory.create()
    make.DataAccessRequestFactory.create(dataset=dataset, purpose="About it.")
    elsewhere = make.DataAccessRequestFactory.create(purpose="Elsewhere.")
    steward = person_with("data_steward", dataset.unit)
    assert [item.detail for item in waiting("governance-data-access", steward)] == ["About it."]
    other = person_with("data_steward", elsewhere.use_case.unit)
    assert [item.detail for item in waiting("governance-data-access", other)] == ["Elsewhere."]


def test_tiers_that_can_be_confirmed_wait_for_risk() -> None:
    risk = person_with("risk_compliance", organisation())
    ready = make.RiskClassificationFactory.create()
    make.RiskClassificationFactory.create(provisional=True, unknown_count=3)
    make.RiskClassificationFactory.create(classified_by=risk)
    assert [item.use_case_key for item in waiting("governance-tiers", risk)] == [ready.use_case.key]
    assert waiting("governance-tiers", person_with("technical_lead", ready.use_case)) == []


def test_issues_that_are_due_wait_for_their_owner() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    today = timezone.localdate()
    make.IssueFactory.create(use_case=use_case, owner=lead, title="Late", due_on=today - timedelta(days=1))
    make.IssueFactory.create(use_case=use_case, owner=lead, title="Soon", due_on=today + timedelta(days=3))
    make.IssueFactory.create(use_case=use_case, owner=lead, title="Far", due_on=today + timedelta(days=90))
    make.IssueFactory.create(use_case=use_case, title="Other", due_on=today)
    assert [(item.title, item.tone) for item in waiting("governance-issues", lead)] == [
        ("Late", "blocked"),
        ("Soon", "attention"),
    ]


@pytest.mark.parametrize(
    ("key", "factory"),
    [
        ("governance-evidence", make.EvidenceFactory),
        ("governance-documents", make.DocumentFactory),
        ("governance-tiers", make.RiskClassificationFactory),
    ],
)
def test_work_list_takes_a_constant_number_of_queries(key: str, factory: Any) -> None:
    risk = person_with("risk_compliance", organisation())
    factory.create()
    with CaptureQueriesContext(connection) as few:
        assert len(waiting(key, risk)) == 1
    for _row in range(5):
        factory.create()
    with CaptureQueriesContext(connection) as many:
        assert len(waiting(key, risk)) == 6
    assert len(many) == len(few)


def test_search_finds_evidence_and_documents_that_may_be_seen() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    make.EvidenceFactory.create(use_case=use_case, title="Stress report")
    make.EvidenceFactory.create(title="Stress report of others")
    make.DocumentFactory.create(use_case=use_case, title="Stress plan")
    found = [
        hit.title for key in ("evidence", "documents") for hit in search_sources.get(key)().find(lead, "stress", 5)
    ]
    assert found == ["Stress report", "Stress plan"]


def test_attestations_do_not_wait_to_be_verified() -> None:
    risk = person_with("risk_compliance", organisation())
    make.AttestationFactory.create()
    assert waiting("governance-evidence", risk) == []


def test_many_pieces_of_evidence_are_a_few_lines_and_one_for_the_rest() -> None:
    risk = person_with("risk_compliance", organisation())
    make.EvidenceFactory.create_batch(11, use_case=UseCaseFactory.create())
    found = waiting("governance-evidence", risk)
    assert (len(found), found[-1].title) == (9, "3 more")
    assert found[-1].url.endswith("?state=unverified")
