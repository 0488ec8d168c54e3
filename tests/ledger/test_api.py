"""Audit events over REST: read-only, scoped, filtered, paged by index."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from kernel.canonical import canonical_bytes
from ledger import SYSTEM, Personal, Subject, access, lookups, unit_of_work
from ledger.access import EventScope
from ledger.merkle import leaf_hash
from tests.factories.accounts import PersonFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/audit-events/"


@pytest.fixture
def scope(monkeypatch: pytest.MonkeyPatch) -> list[EventScope]:
    """What may be read; tests replace its only item."""
    scopes = [EventScope(everything=True)]
    monkeypatch.setattr(access, "_hooks", access._Hooks(guard=lambda request: scopes[0]))
    monkeypatch.setattr(lookups, "_lookups", {})
    return scopes


@pytest.fixture
def api(scope: list[EventScope]) -> APIClient:
    client = APIClient()
    client.force_authenticate(PersonFactory.create())
    return client


@pytest.fixture(autouse=True)
def five_events() -> None:
    with unit_of_work(by=SYSTEM) as uow:
        for number in range(5):
            subject = Subject("workshop.lamp", str(number), f"Lamp {number}")
            after = {"owner": Personal("Ada"), "watts": number}
            uow.record("lamp.bought", subject=subject, unit=f"/shop/{number}/", use_case=f"uc-{number}", after=after)


def test_events_are_listed_newest_first(api: APIClient) -> None:
    response = api.get(URL)
    assert response.status_code == 200
    assert [event["index"] for event in response.json()["results"]] == [4, 3, 2, 1, 0]
    newest = response.json()["results"][0]
    assert newest["subject_label"] == "Lamp 4"
    assert newest["changes"]["watts"] == {"before": None, "after": 4}
    assert list(newest["changes"]["owner"]["after"]) == ["sha256"]
    assert "body" not in newest


def test_one_event_comes_with_the_body_that_was_hashed(api: APIClient) -> None:
    event = api.get(f"{URL}2/").json()
    assert leaf_hash(event["body"].encode()).hex() == event["leaf_hash"]
    assert canonical_bytes(event["changes"]).decode() in event["body"]


def test_pages_follow_each_other_by_index(api: APIClient) -> None:
    first = api.get(URL, {"page_size": 2}).json()
    second = api.get(first["next"]).json()
    third = api.get(second["next"]).json()
    seen = [event["index"] for page in (first, second, third) for event in page["results"]]
    assert seen == [4, 3, 2, 1, 0]
    assert third["next"] is None
    assert [event["index"] for event in api.get(third["previous"]).json()["results"]] == [2, 1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"use_case": "uc-3"}, [3]),
        ({"unit": "/shop/1/"}, [1]),
        ({"action": "lamp"}, [4, 3, 2, 1, 0]),
        ({"action": "desk"}, []),
        ({"q": "lamp 2"}, [2]),
        ({"until": "2020-01-01T00:00:00Z"}, []),
        ({"actor": "system"}, [4, 3, 2, 1, 0]),
        ({"actor": "00000000-0000-0000-0000-000000000001"}, []),
    ],
)
def test_filters(query: dict[str, str], expected: list[int], api: APIClient) -> None:
    assert [event["index"] for event in api.get(URL, query).json()["results"]] == expected


def test_a_filter_that_cannot_be_read_is_a_problem(api: APIClient) -> None:
    response = api.get(URL, {"since": "yesterday"})
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "since" in response.json()["errors"]


def test_only_what_may_be_read_is_there(api: APIClient, scope: list[EventScope]) -> None:
    scope[0] = EventScope(unit_paths=("/shop/1/",), use_case_ids=("uc-4",))
    assert [event["index"] for event in api.get(URL).json()["results"]] == [4, 1]
    assert api.get(f"{URL}4/").status_code == 200
    assert api.get(f"{URL}3/").status_code == 404


def test_whoever_may_read_nothing_is_told(api: APIClient, scope: list[EventScope]) -> None:
    scope[0] = EventScope()
    for url in (URL, f"{URL}3/"):
        response = api.get(url)
        assert response.status_code == 403
        assert response.json()["type"] == "urn:tollgate:problem:permission_denied"


def test_the_anonymous_are_sent_away(scope: list[EventScope]) -> None:
    assert APIClient().get(URL).status_code == 401


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_events_cannot_be_written(method: str, api: APIClient) -> None:
    assert getattr(api, method)(f"{URL}3/", {}).status_code == 405


def test_the_number_of_queries_is_constant(api: APIClient, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        api.get(URL)
