"""Profiles and drift over REST: insiders, outsiders, the anonymous, bad input, and the number of queries."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from monitoring import profiling
from monitoring.models import DataProfile
from monitoring.profiles.wire import as_json
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.monitoring.drift import stories
from tests.monitoring.drift.columns import current_of
from tests.monitoring.drift.stories import customers

pytestmark = pytest.mark.django_db
PROFILES, REPORTS = "/api/v1/profiles/", "/api/v1/drift-reports/"


def test_a_profile_is_asked_for_and_made_by_a_worker(root: Path) -> None:
    against = stories.reference(root)
    stories.write(root, "week.parquet", customers(500, older=20))
    client = api_as(person_with("technical_lead", against.use_case))
    body = {"use_case": against.use_case.key, "name": "Week 47", "path": "week.parquet"}
    answer = client.post(PROFILES, body, format="json")
    assert answer.status_code == 202, answer.content
    assert answer.json()["state"] == "waiting"
    profiling.make(answer.json()["id"])
    read = client.get(f"{PROFILES}{answer.json()['id']}/").json()
    assert (read["state"], read["rows"], read["reference"]) == ("done", 500, str(against.pk))
    report = client.get(REPORTS, {"use_case": against.use_case.key}).json()["results"][0]
    features = client.get(f"{REPORTS}{report['id']}/features/").json()["results"]
    assert (features[0]["name"], features[0]["state"]) == ("age", "drifted")
    assert float(features[0]["measured"]["psi"]["value"]) == pytest.approx(features[0]["effect"])


def test_the_sealed_document_has_the_digest_of_the_report(root: Path) -> None:
    report = stories.report(root)
    client = api_as(person_with("auditor", report.use_case))
    answer = client.get(f"{REPORTS}{report.pk}/document/")
    assert hashlib.sha256(answer.content).hexdigest() == report.sha256


def test_a_machine_sends_what_it_counted_and_never_says_what_is_normal(root: Path) -> None:
    against = stories.reference(root)
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", against.use_case)
    client = api_as(machine)
    table = customers(400, seed=8, older=25)
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    counted = current_of(profiling.body_of(against), **columns)
    body: dict[str, Any] = {"use_case": against.use_case.key, "name": "CI", "profile": as_json(counted)}
    answer = client.post(PROFILES, body, format="json")
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting"), answer.content
    assert (
        api_as(person_with("auditor", against.use_case)).get(f"{PROFILES}{answer.json()['id']}/body/").status_code
        == 409
    )
    profiling.make(answer.json()["id"])
    assert DataProfile.objects.get(pk=answer.json()["id"]).reports.get().results.get(name="age").is_drifted
    assert client.post(PROFILES, body | {"purpose": "reference"}, format="json").status_code == 403
    assert client.post(PROFILES, {**body, "profile": None, "path": "x.csv"}, format="json").status_code == 422


def test_bad_profiles_are_named_by_their_column(root: Path) -> None:
    against = stories.reference(root)
    client = api_as(person_with("technical_lead", against.use_case))
    body: dict[str, Any] = {"use_case": against.use_case.key, "name": "CI"}
    told = as_json(profiling.body_of(against))
    told["columns"][0]["n"] = 5
    answer = client.post(PROFILES, body | {"profile": told}, format="json")
    assert answer.status_code == 422
    assert "age: " in answer.json()["errors"]["profile"][0]
    for path in ("../../etc/passwd", "/etc/passwd", "notes.txt"):
        answer = client.post(PROFILES, body | {"path": path}, format="json")
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["path"])


def test_queries_for_a_lake_are_given_in_its_dialect(root: Path) -> None:
    against = stories.reference(root)
    client = api_as(person_with("technical_lead", against.use_case))
    answer = client.post(f"{PROFILES}{against.pk}/queries/", {"dialect": "spark", "rows": "lake.now"}, format="json")
    assert [each["column"] for each in answer.json()] == ["age", "income", "region", "score"]
    assert "FROM lake.now" in answer.json()[0]["query"]


def test_terms_cancelling_and_trying_again(root: Path) -> None:
    report = stories.report(root)
    client = api_as(person_with("technical_lead", report.use_case))
    answer = client.post(f"{PROFILES}{report.reference_id}/terms/", {"limit": 9.0}, format="json")
    assert answer.json()["terms"]["limit"] == 9.0
    assert client.post(f"{PROFILES}{report.current_id}/compare/").status_code == 200
    assert report.current.reports.count() == 2
    assert client.post(f"{PROFILES}{report.current_id}/cancel/").status_code == 409
    assert client.post(f"{PROFILES}{report.current_id}/retry/").status_code == 409
    assert client.post(f"{PROFILES}{report.current_id}/terms/", {"limit": 9.0}, format="json").status_code == 409
    wrong = client.post(f"{PROFILES}{report.reference_id}/terms/", {"alpha": 9.0}, format="json")
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["alpha"])


def test_who_may_see_reads_and_who_may_not_finds_nothing(root: Path) -> None:
    report = stories.report(root)
    auditor, stranger = api_as(person_with("auditor", report.use_case)), api_as(PersonFactory.create())
    addresses = (
        f"{PROFILES}{report.current_id}/",
        f"{PROFILES}{report.current_id}/body/",
        f"{REPORTS}{report.pk}/",
        f"{REPORTS}{report.pk}/features/",
        f"{REPORTS}{report.pk}/document/",
    )
    for address in addresses:
        assert auditor.get(address).status_code == 200, address
        assert stranger.get(address).status_code == 404, address
    assert stranger.get(REPORTS).json()["results"] == []
    for name in ("compare", "cancel", "retry"):
        assert auditor.post(f"{PROFILES}{report.current_id}/{name}/").status_code == 403
        assert stranger.post(f"{PROFILES}{report.current_id}/{name}/").status_code == 404
    asked = {"use_case": report.use_case.key, "name": "X", "path": "a.csv"}
    assert auditor.post(PROFILES, asked, format="json").status_code == 403
    assert stranger.post(PROFILES, asked, format="json").status_code in {404, 422}


def test_the_anonymous_are_refused(root: Path) -> None:
    assert APIClient().get(PROFILES).status_code == 401
    assert APIClient().get(REPORTS).status_code == 401
    assert APIClient().post(PROFILES, {}, format="json").status_code == 401


def test_lists_take_as_many_queries_whatever_their_length(root: Path) -> None:
    against = stories.reference(root)
    client = api_as(person_with("technical_lead", against.use_case))

    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    stories.current(root, against, customers(100))
    before = [queries(address) for address in (PROFILES, REPORTS)]
    for seed in range(3):
        stories.current(root, against, customers(100, seed=seed))
    assert [queries(address) for address in (PROFILES, REPORTS)] == before
