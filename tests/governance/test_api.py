"""Governance over REST: who may read and write what, how refusals look, how many queries a list takes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from governance.models import Document, Evidence, Incident, Issue, ModelVersion, ValidationRun
from ledger.models import Event
from portfolio.models import UseCase
from tests.factories import governance as make
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
API = "/api/v1/"
LISTS: dict[str, Any] = {
    "evidence": make.EvidenceFactory,
    "validation-runs": make.ValidationRunFactory,
    "documents": make.DocumentFactory,
    "models": make.AiModelFactory,
    "issues": make.IssueFactory,
    "incidents": make.IncidentFactory,
    "risk-classifications": make.RiskClassificationFactory,
    "risks": make.RiskItemFactory,
    "questionnaires": make.QuestionnaireResponseFactory,
}


def case_and(role: str = "technical_lead") -> tuple[UseCase, APIClient]:
    use_case = UseCaseFactory.create()
    return use_case, api_as(person_with(role, use_case))


def machine_on(use_case: UseCase) -> APIClient:
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    return api_as(machine)


@pytest.mark.parametrize("name", [*LISTS, "versions", "datasets"])
def test_list_and_row_are_seen_by_insiders_alone(name: str) -> None:
    use_case, client = case_and()
    if name == "versions":
        row: Any = make.ModelVersionFactory.create(model__use_case=use_case)
        make.ModelVersionFactory.create()
    elif name == "datasets":
        row = make.DatasetFactory.create()
        make.ModelVersionFactory.create(model__use_case=use_case).version_datasets.create(dataset=row)
        make.DatasetFactory.create()
    else:
        row = LISTS[name].create(use_case=use_case)
        LISTS[name].create()
    listed = client.get(f"{API}{name}/")
    assert [each["id"] for each in listed.json()["results"]] == [str(row.pk)]
    assert client.get(f"{API}{name}/{row.pk}/").status_code == 200
    outsider = api_as(person_with("technical_lead", UseCaseFactory.create()))
    assert outsider.get(f"{API}{name}/").json()["results"] == []
    assert outsider.get(f"{API}{name}/{row.pk}/").status_code == 404
    assert APIClient().get(f"{API}{name}/").status_code == 401


@pytest.mark.parametrize("name", LISTS)
def test_list_takes_a_constant_number_of_queries(name: str) -> None:
    client = api_as(person_with("auditor", organisation()))
    LISTS[name].create()
    client.get(f"{API}{name}/")  # the first use of a token in a minute is noted
    with CaptureQueriesContext(connection) as few:
        client.get(f"{API}{name}/")
    for _row in range(5):
        LISTS[name].create()
    with CaptureQueriesContext(connection) as many:
        assert len(client.get(f"{API}{name}/").json()["results"]) == 6
    assert len(many) == len(few) <= 6


def test_list_of_one_use_case_is_asked_by_its_key() -> None:
    run = make.ValidationRunFactory.create()
    make.ValidationRunFactory.create()
    client = api_as(person_with("auditor", organisation()))
    answer = client.get(f"{API}validation-runs/", {"use_case": run.use_case.key})
    assert [row["id"] for row in answer.json()["results"]] == [str(run.pk)]


def test_pipeline_records_a_run_once_however_often_it_is_sent() -> None:
    use_case = UseCaseFactory.create()
    version = make.ModelVersionFactory.create(model__use_case=use_case, label="2.1")
    client = machine_on(use_case)
    body = {
        "use_case": use_case.key,
        "kind": "stress",
        "verdict": "pass",
        "version": "2.1",
        "metrics": {"latency_p95": 640, "f1": "0.91"},
        "source": "ci",
        "external_id": "build-7",
    }
    first, second = client.post(f"{API}validation-runs/", body), client.post(f"{API}validation-runs/", body)
    assert first.status_code == 201, first.json()
    assert first.json()["id"] == second.json()["id"]
    assert (first.json()["version"], first.json()["metrics"]["latency_p95"]) == (str(version.pk), "640")
    assert ValidationRun.objects.count() == 1
    changed = client.post(f"{API}validation-runs/", {**body, "verdict": "fail"})
    assert (changed.status_code, changed.json()["title"] != "") == (409, True)
    assert Event.objects.filter(action="validation.recorded").count() == 1


def test_idempotency_key_records_a_run_without_identifier_once() -> None:
    use_case, client = case_and()
    body = {"use_case": use_case.key, "kind": "stress", "verdict": "pass"}
    for _attempt in range(2):
        answer = client.post(f"{API}validation-runs/", body, headers={"Idempotency-Key": "once"})
        assert answer.status_code == 201
    assert ValidationRun.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"metrics": {"f1": "NaN"}}, "metrics"),
        ({"metrics": {"f1": "Infinity"}}, "metrics"),
        ({"verdict": "great"}, "verdict"),
        ({"performed_at": "2999-01-01T00:00:00Z"}, "performed_at"),
        ({"version": "9.9"}, "version"),
        ({"evidence": "00000000-0000-0000-0000-000000000000"}, "evidence"),
        ({"colour": "red"}, "colour"),
        ({"kind": ""}, "kind"),
    ],
)
def test_bad_run_is_refused_with_the_field_and_nothing_is_kept(changes: dict[str, Any], field: str) -> None:
    use_case, client = case_and()
    body = {"use_case": use_case.key, "kind": "stress", "verdict": "pass", **changes}
    answer = client.post(f"{API}validation-runs/", body)
    assert answer.status_code in {400, 422}
    assert field in str(answer.json()["errors"])
    assert not ValidationRun.objects.exists()


def test_label_of_two_models_has_to_be_told_apart() -> None:
    use_case, client = case_and()
    for name in ("Ranker", "Filter"):
        make.ModelVersionFactory.create(model__use_case=use_case, model__name=name, label="1.0")
    body = {"use_case": use_case.key, "kind": "stress", "verdict": "pass", "version": "1.0"}
    assert client.post(f"{API}validation-runs/", body).status_code == 422
    assert client.post(f"{API}validation-runs/", {**body, "version": "Ranker/1.0"}).status_code == 201


def test_who_sees_but_may_not_write_gets_403_and_who_does_not_see_404() -> None:
    use_case = UseCaseFactory.create()
    body = {"use_case": use_case.key, "kind": "stress", "verdict": "pass"}
    assert api_as(person_with("auditor", use_case)).post(f"{API}validation-runs/", body).status_code == 403
    assert api_as(PersonFactory.create()).post(f"{API}validation-runs/", body).status_code == 404


def test_token_without_the_scope_writes_nothing() -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("technical_lead", use_case), scopes=["use_case.view"])
    body = {"use_case": use_case.key, "kind": "stress", "verdict": "pass"}
    assert client.post(f"{API}validation-runs/", body).status_code == 403
    sent = {"use_case": use_case.key, "kind": "attestation", "role": "technical_lead", "statement": "I do."}
    assert client.post(f"{API}evidence/", sent).status_code == 403
    assert not Evidence.objects.exists()


def test_file_is_added_and_downloaded_over_rest() -> None:
    use_case, client = case_and()
    sent = {"use_case": use_case.key, "kind": "file", "criterion": "PR-02", "file": make.upload()}
    answer = client.post(f"{API}evidence/", sent, format="multipart")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["sha256"] == Evidence.objects.get().sha256
    file = client.get(answer.json()["file_url"])
    assert b"".join(file.streaming_content) == make.PDF  # type: ignore[attr-defined]
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert api_as(PersonFactory.create()).get(answer.json()["file_url"]).status_code == 404
    assert APIClient().get(answer.json()["file_url"]).status_code == 401


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"kind": "file"}, "file"),
        ({"kind": "file", "file": ("empty.pdf", b"")}, "upload"),
        ({"kind": "file", "file": ("run.exe", b"MZ")}, "upload"),
        ({"kind": "link", "url": "javascript:alert(1)"}, "url"),
        ({"kind": "attestation", "statement": "I do."}, "role"),
        ({"kind": "rumour"}, "kind"),
    ],
)
def test_bad_evidence_is_refused_with_the_field(sent: dict[str, Any], field: str) -> None:
    use_case, client = case_and()
    if isinstance(sent.get("file"), tuple):
        sent = {**sent, "file": make.upload(*sent["file"])}
    answer = client.post(f"{API}evidence/", {"use_case": use_case.key, **sent}, format="multipart")
    assert answer.status_code in {400, 422}
    assert field in str(answer.json()["errors"])
    assert not Evidence.objects.exists()


def test_machine_never_attests() -> None:
    use_case = UseCaseFactory.create()
    sent = {"use_case": use_case.key, "kind": "attestation", "role": "service_account", "statement": "I do."}
    assert machine_on(use_case).post(f"{API}evidence/", sent).status_code in {403, 404}


def test_evidence_is_verified_by_another_and_withdrawn_with_a_reason() -> None:
    use_case, client = case_and("security")
    evidence = make.EvidenceFactory.create(use_case=use_case)
    own = client.post(
        f"{API}evidence/", {"use_case": use_case.key, "kind": "link", "url": "https://example.com"}
    ).json()
    assert client.post(f"{API}evidence/{evidence.pk}/verify/").status_code == 200
    assert client.post(f"{API}evidence/{own['id']}/verify/").status_code == 403
    assert client.post(f"{API}evidence/{evidence.pk}/verify/").status_code == 409
    assert client.post(f"{API}evidence/{evidence.pk}/withdraw/", {}).status_code in {400, 422}
    assert client.post(f"{API}evidence/{evidence.pk}/withdraw/", {"reason": "Old."}).json()["withdrawn_at"]


def test_document_goes_from_draft_to_approved() -> None:
    use_case, client = case_and()
    sections = dict.fromkeys(("hypotheses", "success_criteria", "scope", "data", "end_date"), "x")
    body = {"use_case": use_case.key, "doc_type": "poc_charter", "sections": sections, "measures": {"poc_timebox": 42}}
    written = client.post(f"{API}documents/", body, format="json").json()
    assert (written["completeness"], written["measures"], written["revision"]) == (100, {"poc_timebox": "42"}, 1)
    risk = api_as(person_with("risk_compliance", organisation()))
    address = f"{API}documents/{written['id']}/"
    assert risk.post(f"{address}approve/").status_code == 409
    assert risk.post(f"{address}review/").json()["status"] == "reviewed"
    assert risk.post(f"{address}approve/").json()["status"] == "approved"
    assert client.post(f"{API}documents/", {**body, "base_revision": 0}, format="json").status_code == 409
    assert Document.objects.count() == 1


def test_version_is_registered_with_its_datasets_and_promoted_by_another() -> None:
    use_case, client = case_and()
    client.post(f"{API}models/", {"use_case": use_case.key, "name": "Ranker"})
    dataset = make.DatasetFactory.create(unit=use_case.unit)
    body = {
        "use_case": use_case.key,
        "model": "Ranker",
        "label": "1.0",
        "bundle": {"code": "abc123"},
        "metrics": {"f1": 0.9},
        "datasets": [str(dataset.pk)],
    }
    answer = client.post(f"{API}versions/", body, format="json")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["datasets"] == [str(dataset.pk)]
    address = f"{API}versions/{answer.json()['id']}/"
    assert client.patch(f"{address}card/", {"card": {"risks": "Some."}}, format="json").json()["card"] == {
        "risks": "Some."
    }
    assert client.post(f"{address}promote/").status_code == 403
    operator = api_as(person_with("it_operations", use_case))
    assert operator.post(f"{address}promote/").json()["state"] == "live"
    assert ModelVersion.objects.get().state == "live"


def test_dataset_out_of_sight_cannot_be_named() -> None:
    use_case, client = case_and()
    make.AiModelFactory.create(use_case=use_case, name="Ranker")
    body = {
        "use_case": use_case.key,
        "model": "Ranker",
        "label": "1.0",
        "datasets": [str(make.DatasetFactory.create().pk)],
    }
    assert client.post(f"{API}versions/", body, format="json").status_code == 422


def test_issue_and_incident_are_raised_and_closed() -> None:
    use_case, client = case_and("risk_compliance")
    body = {"use_case": use_case.key, "kind": "finding", "title": "Look at this", "severity": "high"}
    issue = client.post(f"{API}issues/", body).json()
    assert client.post(f"{API}issues/{issue['id']}/close/", {"resolution": "Done."}).json()["state"] == "closed"
    assert Issue.objects.get().resolution == "Done."
    incident = client.post(f"{API}incidents/", {"use_case": use_case.key, "severity": "sev3", "title": "Wrong"}).json()
    address = f"{API}incidents/{incident['id']}/"
    assert client.patch(address, {"cause": "Bad data."}).json()["cause"] == "Bad data."
    assert client.post(f"{address}close/", {}).json()["closed_at"]
    assert Incident.objects.get().closed_at is not None


def test_machine_reports_an_incident_on_what_it_cannot_read() -> None:
    use_case = UseCaseFactory.create()
    client = machine_on(use_case)
    answer = client.post(f"{API}incidents/", {"use_case": use_case.key, "severity": "sev2", "title": "Errors"})
    assert answer.status_code == 201, answer.json()
    assert client.get(f"{API}incidents/").json()["results"] == []


def test_tier_is_classified_confirmed_and_raised() -> None:
    use_case, client = case_and()
    answers = {"principal_basis": "yes", "effects": ["rights"], "factors": {"F-DATA": 2}}
    found = client.post(
        f"{API}risk-classifications/", {"use_case": use_case.key, "answers": answers}, format="json"
    ).json()
    assert (found["tier"], found["provisional"], found["reasons"][0]) == ("high", True, "HIGH-IMPACT")
    risk = api_as(person_with("risk_compliance", organisation()))
    address = f"{API}risk-classifications/{found['id']}/"
    assert risk.post(f"{address}confirm/").status_code == 409
    assert client.post(f"{address}confirm/").status_code == 403
    assert (
        risk.post(f"{address}raise/", {"tier": "prohibited", "reason": "Scoring."}).json()["effective_tier"]
        == "prohibited"
    )
    bad = {"use_case": use_case.key, "answers": {"factors": {"F-DATA": 9}}}
    answer = client.post(f"{API}risk-classifications/", bad, format="json")
    assert (answer.status_code, "factors.F-DATA" in str(answer.json()["errors"])) == (422, True)


def test_questionnaire_is_answered_and_scored() -> None:
    use_case, client = case_and()
    body = {"use_case": use_case.key, "questionnaire": "skills", "answers": {"engineering": [4, None]}}
    answer = client.post(f"{API}questionnaires/", body, format="json")
    assert (answer.status_code, answer.json()["score"], answer.json()["complete"]) == (201, "20.00", False)
    assert (
        client.post(f"{API}questionnaires/", {**body, "questionnaire": "horoscope"}, format="json").status_code == 422
    )
