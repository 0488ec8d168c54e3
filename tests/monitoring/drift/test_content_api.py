"""Texts and embeddings over REST: insiders, outsiders, the anonymous, bad input, and the number of queries."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from monitoring import classifying
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.factories.portfolio import UseCaseFactory
from tests.monitoring.drift import stories
from tests.monitoring.drift.content_stories import NEW, compared, letters, watched

pytestmark = pytest.mark.django_db
SETUPS, COMPARISONS = "/api/v1/content-setups/", "/api/v1/content-comparisons/"


def test_a_lead_watches_a_column_and_a_worker_compares_newer_rows(root: Path) -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("technical_lead", use_case))
    stories.write(root, "before.parquet", letters(150))
    stories.write(root, "week.parquet", letters(150, NEW))
    body: dict[str, Any] = {"use_case": use_case.key, "kind": "text", "column": "text", "path": "before.parquet"}
    setup = client.post(SETUPS, body, format="json")
    assert setup.status_code == 201, setup.content
    assert (setup.json()["warn"], setup.json()["in_force"]) == (0.6, True)
    asked = client.post(
        COMPARISONS, {"setup": setup.json()["id"], "name": "Week 47", "path": "week.parquet"}, format="json"
    )
    assert asked.status_code == 202, asked.content
    address = f"{COMPARISONS}{asked.json()['id']}/"
    assert client.get(f"{address}document/").status_code == 409
    classifying.compare(asked.json()["id"])
    read = client.get(address).json()
    assert (read["state"], read["verdict"], read["column"]) == ("done", "drift", "text")
    assert read["measured"]["current"]["used"] == 150
    assert hashlib.sha256(client.get(f"{address}document/").content).hexdigest() == read["sha256"]
    listed = client.get(COMPARISONS, {"setup": setup.json()["id"], "verdict": "drift"}).json()["results"]
    assert [row["id"] for row in listed] == [asked.json()["id"]]
    assert client.post(f"{SETUPS}{setup.json()['id']}/unwatch/").json()["in_force"] is False
    again = client.post(
        COMPARISONS, {"setup": setup.json()["id"], "name": "Week 48", "path": "week.parquet"}, format="json"
    )
    assert again.status_code == 409


def test_bad_input_is_named(root: Path) -> None:
    setup = watched(root)
    client = api_as(person_with("technical_lead", setup.use_case))
    body: dict[str, Any] = {"use_case": setup.use_case.key, "kind": "text", "column": "text", "path": "before.parquet"}
    for wrong, name in (
        ({"kind": "image"}, "kind"),
        ({"path": "../x.csv"}, "path"),
        ({"column": "t*"}, "column"),
        ({"warn": 0.9, "act": 0.7}, "warn"),
    ):
        answer = client.post(SETUPS, body | wrong, format="json")
        assert (answer.status_code, list(answer.json()["errors"])) == (422, [name])
    answer = client.post(COMPARISONS, {"setup": str(setup.pk), "name": "X"}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["path"])


def test_who_may_see_reads_and_who_may_not_finds_nothing(root: Path) -> None:
    setup = watched(root)
    row = compared(root, setup, letters(150))
    auditor, stranger = api_as(person_with("auditor", setup.use_case)), api_as(PersonFactory.create())
    for address in (f"{SETUPS}{setup.pk}/", f"{COMPARISONS}{row.pk}/", f"{COMPARISONS}{row.pk}/document/"):
        assert auditor.get(address).status_code == 200, address
        assert stranger.get(address).status_code == 404, address
    assert stranger.get(SETUPS).json()["results"] == stranger.get(COMPARISONS).json()["results"] == []
    asked = {"setup": str(setup.pk), "name": "X", "path": "a.csv"}
    watch = {"use_case": setup.use_case.key, "kind": "text", "column": "c", "path": "a.csv"}
    for address in (f"{SETUPS}{setup.pk}/unwatch/", f"{COMPARISONS}{row.pk}/cancel/", f"{COMPARISONS}{row.pk}/retry/"):
        assert auditor.post(address).status_code == 403
        assert stranger.post(address).status_code == 404
    assert auditor.post(COMPARISONS, asked, format="json").status_code == 403
    assert stranger.post(COMPARISONS, asked, format="json").status_code == 404
    assert auditor.post(SETUPS, watch, format="json").status_code == 403
    assert stranger.post(SETUPS, watch, format="json").status_code in {404, 422}


def test_a_machine_that_sends_does_not_say_where_to_read(root: Path) -> None:
    setup = watched(root)
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", setup.use_case)
    asked = {"setup": str(setup.pk), "name": "X", "path": "a.csv"}
    assert api_as(machine).post(COMPARISONS, asked, format="json").status_code in {403, 404}


def test_the_anonymous_are_refused() -> None:
    for address in (SETUPS, COMPARISONS):
        assert APIClient().get(address).status_code == 401
        assert APIClient().post(address, {}, format="json").status_code == 401


def test_lists_take_as_many_queries_whatever_their_length(root: Path) -> None:
    setup = watched(root)
    client = api_as(person_with("technical_lead", setup.use_case))

    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    compared(root, setup, letters(120))
    before = [queries(address) for address in (SETUPS, COMPARISONS)]
    for seed in range(2):
        compared(root, watched(root, setup.use_case, column="text"), letters(120, seed=seed))
    assert [queries(address) for address in (SETUPS, COMPARISONS)] == before
