"""What gates add to the portfolio: the number of those that wait for a decision, and reviews in the search."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from gates.assessment import assess
from gates.next_steps.findings import MissingFirst
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.gates import ready_case
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_portfolio_counts_and_filters_what_waits_for_a_decision() -> None:
    case = ready_case()
    UseCaseFactory.create()
    client = client_of(person_with("auditor", organisation()))
    assert client.get("/portfolio/", {"only": "waiting"}).context["table"].total == 0
    review = case.submit()
    page = client.get("/portfolio/", {"only": "waiting"})
    assert [row.pk for row in page.context["table"]] == [case.use_case.pk]
    counted = {str(stat["label"]): stat["value"] for stat in page.context["stats"]}
    assert counted["Waiting for a decision"] == 1
    case.decide(review, "return", reason="No baseline.")
    assert client.get("/portfolio/", {"only": "waiting"}).context["table"].total == 0


def test_a_review_is_found_by_number_and_by_use_case_unless_it_is_hidden() -> None:
    case = ready_case()
    review = case.submit()
    inside, outside = client_of(case.lead), client_of(PersonFactory.create())
    for text in (f"R-{review.number}", case.use_case.name):
        titles = [hit["title"] for hit in inside.get("/palette/", {"q": text}).json()["results"]]
        assert f"R-{review.number}: {case.use_case.name}" in titles
        assert outside.get("/palette/", {"q": text}).json()["results"] == []
    assert inside.get("/palette/", {"q": "R-99999999999999999999"}).status_code == 200


def test_home_says_what_is_missing_first_but_asks_for_no_signature() -> None:
    case = ready_case(problem_statement="")
    assess([case.use_case.pk])
    case.use_case.refresh_from_db()
    step = MissingFirst().steps([case.use_case])[case.use_case.pk]
    assert (step.title, step.url) == ("Problem stated", f"/use-cases/{case.use_case.key}/gate/")
    page = client_of(case.lead).get("/").content.decode()
    assert "Missing first:" in page
    assert "Problem stated" in page
    ready = ready_case(policy=False)
    assess([ready.use_case.pk])
    ready.use_case.refresh_from_db()
    assert MissingFirst().steps([ready.use_case]) == {}
