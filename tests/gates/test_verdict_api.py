"""The verdict over REST: who may ask, what is refused, what it costs, and waiting for it."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from gates.api import verdict as api
from gates.assurance import reassess
from gates.models import Condition, Decision
from gates.verdict import etag, verdict
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.factories.gates import ready_case
from tests.factories.monitoring import AlertFactory
from tests.gates.test_verdict import GATE, machine, passed, url

pytestmark = pytest.mark.django_db


def test_a_machine_of_the_use_case_asks_with_its_token() -> None:
    case = passed()
    client = machine(case)
    answer = client.get(url(case))
    assert answer.status_code == 200
    assert answer.json()["allowed"] is True
    assert client.get(f"/api/v1/use-cases/{case.use_case.key}/gates/{GATE}/").status_code == 200
    assert client.get(f"/api/v1/findings/?use_case={case.use_case.key}").json()["results"]
    assert client.get(f"/api/v1/use-cases/{case.use_case.key}/").status_code == 404


def test_a_denial_is_an_answer_not_an_error() -> None:
    answer = machine(case := ready_case()).get(url(case))
    assert (answer.status_code, answer.json()["allowed"]) == (200, False)


def test_strangers_other_machines_and_tokens_without_the_scope_find_nothing() -> None:
    case = passed()
    other = machine(ready_case(policy=False))
    assert other.get(url(case)).status_code == 404
    assert api_as(PersonFactory.create()).get(url(case)).status_code == 404
    account = ServiceAccountFactory.create()
    give(account, "service_account", case.use_case)
    assert api_as(account, {"monitor.ingest"}).get(url(case)).status_code == 404
    assert APIClient().get(url(case)).status_code == 401


def test_an_unknown_gate_is_404_and_names_those_there_are() -> None:
    answer = machine(case := ready_case()).get(url(case, "no_such_gate"))
    assert answer.status_code == 404
    assert "idea_to_poc, poc_to_pilot" in answer.json()["hint"]


@pytest.mark.parametrize(
    "query",
    ["?wait=61", "?wait=-1", "?wait=a", "?strict=perhaps", "?at=yesterday", "?at=2999-01-01", "?at=2026-01-01&wait=5"],
)
def test_what_cannot_be_asked_is_refused(query: str) -> None:
    assert machine(case := ready_case()).get(url(case, query=query)).status_code == 422


def test_the_same_answer_is_not_sent_twice() -> None:
    case = passed()
    client = machine(case)
    first = client.get(url(case))
    again = client.get(url(case), HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    AlertFactory.create(rule__series__use_case=case.use_case, level="act")
    reassess([case.use_case.pk])
    assert client.get(url(case), HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


def test_the_name_of_an_answer_does_not_depend_on_when_it_was_asked() -> None:
    case = passed()
    assert etag(verdict(case.use_case, GATE)) == etag(verdict(case.use_case, GATE))


def test_a_verdict_costs_the_same_however_long_the_history_is(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    case = passed()
    verdict(case.use_case, GATE)
    with CaptureQueriesContext(connection) as once:
        verdict(case.use_case, GATE)
    case.pass_gate("poc_to_pilot")
    Condition.objects.create(
        decision=Decision.objects.earliest("decided_at"),
        use_case=case.use_case,
        owner=case.lead,
        scope="All",
        position=1,
        text="Train",
        due_on=timezone.now().date(),
    )
    verdict(case.use_case, GATE)
    with django_assert_num_queries(len(once)):
        verdict(case.use_case, GATE)


# Waiting


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sleeps take no time; what was slept is noted."""
    slept: list[float] = []
    clock = [0.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return slept


def test_what_is_allowed_already_does_not_wait(quick: list[float]) -> None:
    case = passed()
    assert machine(case).get(url(case, query="?wait=30")).json()["allowed"] is True
    assert quick == []


def test_a_wait_ends_with_the_denial_when_nothing_happens(quick: list[float]) -> None:
    case = ready_case()
    assert machine(case).get(url(case, query="?wait=5")).json()["allowed"] is False
    assert sum(quick) == 5


def test_a_wait_ends_as_soon_as_it_is_decided(quick: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    case = ready_case()
    review = case.submit()
    client = machine(case)
    slept = time.sleep

    def sleep(seconds: float) -> None:
        slept(seconds)
        if len(quick) == 3:
            case.sign_all(review)
            case.decide(review)

    monkeypatch.setattr(time, "sleep", sleep)
    person_with("business_sponsor", case.use_case)
    assert client.get(url(case, query="?wait=60")).json()["allowed"] is True
    assert len(quick) == 3


def test_while_it_waits_no_connection_is_held(quick: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(api, "_let_go", lambda: closed.append(True))
    machine(case := ready_case()).get(url(case, query="?wait=3"))
    assert len(closed) == len(quick) == 3


def test_beyond_the_places_a_waiting_caller_is_sent_away_for_a_moment(
    quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_places", threading.BoundedSemaphore(1))
    client = machine(case := ready_case())
    assert api._places.acquire(blocking=False)
    answer = client.get(url(case, query="?wait=3"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert client.get(url(case)).status_code == 200
    api._places.release()
    assert client.get(url(case, query="?wait=3")).status_code == 200
    assert api._places.acquire(blocking=False)  # the place was given back
