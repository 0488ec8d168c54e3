"""Sources connected, tested and cared for in the browser and over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from monitoring import pulling
from monitoring.connector import Connector, ConnectorError, connectors
from monitoring.connectors.prometheus import Prometheus
from monitoring.models import PullRun, Series, Source
from monitoring.secrets import seal
from tests.factories.accounts import api_as, person_with
from tests.factories.monitoring import SeriesFactory, SourceFactory
from tests.factories.portfolio import UseCaseFactory
from tests.monitoring.test_sources import CANARY, PROMETHEUS, json_source, row, url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _may_call_this_machine(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]


def lead_of(source_or_case: Any) -> Client:
    client = Client()
    client.force_login(person_with("technical_lead", getattr(source_or_case, "use_case", source_or_case)))
    return client


def test_a_source_is_chosen_tested_mapped_and_connected_without_javascript(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/m").respond_with_json([row("Val/F1"), row("noise")])
    there = SeriesFactory.create(metric="f1")
    client = lead_of(there)
    address = url("source_connect", there.use_case.key)
    choice = client.get(address).content.decode()
    for one in connectors.values():
        assert f"?connector={one.key}" in choice
    form = {
        "connector": "http_json",
        "name": "Gateway",
        "every_seconds": "300",
        "history_days": "7",
        "config-url": httpserver.url_for("/m"),
        "config-items": "@",
        "config-time": "time",
        "config-time_format": "iso",
        "config-value": "value",
        "config-metric_path": "metric",
    }
    tested = client.post(address, {**form, "try": "1"}).content.decode()
    assert "map-0-to" in tested
    assert "val_f1" in tested
    form |= {"map-0-from": '{"metric": "Val/F1"}', "map-0-to": '{"metric": "f1"}'}
    form |= {"map-1-from": '{"metric": "noise"}', "map-1-to": "skip"}
    assert client.post(address, form).status_code == 302
    source = Source.objects.get()
    assert source.mapping == [
        {"from": {"metric": "Val/F1"}, "to": {"metric": "f1"}},
        {"from": {"metric": "noise"}, "to": "skip"},
    ]
    pulling.pull(source.pk)
    there.refresh_from_db()
    assert (there.last_value, Series.objects.count()) == (0.5, 1)
    edit = client.get(url("source_edit", source.pk)).content.decode()
    assert "Val/F1" in edit
    page = client.get(url("source", source.pk)).content.decode()
    for words in ("Last pulls", "Where its metrics go", "left out", "closed", "Export as YAML"):
        assert words in page
    assert "style=" not in page


def test_yaml_fills_in_the_form_and_stores_nothing() -> None:
    use_case = UseCaseFactory.create()
    client = lead_of(use_case)
    address = url("source_connect_text", use_case.key)
    assert client.get(address).status_code == 200
    text = "name: Prom\nconnector: prometheus\nconfig:\n  url: http://example.com\n  query: up\n"
    page = client.post(address, {"text": text}).content.decode()
    assert 'value="Prom"' in page
    assert "http://example.com" in page
    assert not Source.objects.exists()
    wrong = client.post(address, {"text": text + "colour: red\n"})
    assert wrong.status_code == 422
    assert "line 6" in wrong.content.decode()
    assert client.post(address, {}).status_code == 422


def test_a_broken_source_says_what_to_do() -> None:
    source = SourceFactory.create(
        health="broken",
        failures=6,
        last_error="It answers with status 401.",
        error_kind="answer",
        failing_since=timezone.now() - timedelta(hours=2),
        next_due_at=timezone.now() + timedelta(minutes=20),
    )
    page = lead_of(source).get(url("source", source.pk)).content.decode()
    for words in ("Stopped after repeated failures", "status 401", "the secret is wrong", "cool-down", "Next try"):
        assert words in page


def test_the_verbs_of_a_source_are_pages_and_forms(httpserver: HTTPServer) -> None:
    source = json_source(httpserver, [row("f1")], name="Gateway")
    pulling.pull(source.pk)
    client = lead_of(source)
    assert "Done" in client.get(url("source_pulls", source.pk)).content.decode()
    assert client.get(url("source_pulls", source.pk), {"outcome": "failed", "export": "csv"}).status_code == 200
    assert client.get(url("source_text", source.pk)).headers["Content-Disposition"].endswith('"gateway.yaml"')
    assert client.get(url("source_backfill", source.pk)).status_code == 200
    since = (timezone.now() - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    assert client.post(url("source_backfill", source.pk), {"since": since}).status_code == 302
    assert client.post(url("source_backfill", source.pk), {"since": "2100-01-01T00:00"}).status_code == 422
    assert "Catching up" in client.get(url("source", source.pk)).content.decode()
    assert client.post(url("source_clone", source.pk)).status_code == 302
    assert Source.objects.count() == 2
    assert "stays with its points" in client.get(url("source_delete", source.pk)).content.decode()
    assert client.post(url("source_delete", source.pk)).status_code == 302
    assert Source.objects.count() == 1


def test_who_only_sees_may_look_and_do_nothing() -> None:
    source = SourceFactory.create()
    auditor, stranger = Client(), Client()
    auditor.force_login(person_with("auditor", source.use_case))
    stranger.force_login(person_with("technical_lead", UseCaseFactory.create()))
    for name in ("source", "source_pulls", "source_text"):
        assert auditor.get(url(name, source.pk)).status_code == 200, name
        assert stranger.get(url(name, source.pk)).status_code == 404, name
    for name in ("source_backfill", "source_clone", "source_delete", "source_pull"):
        assert auditor.post(url(name, source.pk)).status_code == 403, name
        assert stranger.post(url(name, source.pk)).status_code == 404, name
    assert auditor.post(url("source_connect_text", source.use_case.key)).status_code == 403


# -- REST ------------------------------------------------------------------------------------------------------------


def test_over_rest_a_source_has_its_verbs(httpserver: HTTPServer) -> None:
    source = json_source(httpserver, [row("f1"), row("psi")])
    other = UseCaseFactory.create()
    client, base = api_as(person_with("technical_lead", source.use_case)), f"/api/v1/sources/{source.pk}"
    tested = client.post(f"{base}/test/", {"mapping": [{"from": "psi", "to": "skip"}]}).json()
    assert [sample["metric"] for sample in tested["samples"]] == ["f1"]
    assert tested["names"] == [{"metric": "f1"}, {"metric": "psi"}]
    assert client.post(f"{base}/test/", {"config": {"url": "x"}}).status_code == 422
    pulling.pull(source.pk)
    assert client.get(f"{base}/pulls/").json()["results"][0]["stored"] == 2
    text = client.get(f"{base}/yaml/").json()["text"]
    again = client.post(
        "/api/v1/sources/from-yaml/", {"use_case": source.use_case.key, "text": text.replace("name: ", "name: New ")}
    )
    assert again.status_code == 201, again.content
    assert client.post("/api/v1/sources/from-yaml/", {"use_case": other.key, "text": text}).status_code == 404
    assert client.post(f"{base}/clone/", {"name": "Copy"}).json()["enabled"] is False
    since = (timezone.now() - timedelta(days=1)).isoformat()
    assert client.post(f"{base}/backfill/", {"since": since}).status_code == 202
    for verb, status in (("pause", 200), ("pause", 409), ("resume", 200), ("pull", 202)):
        assert client.post(f"{base}/{verb}/").status_code == status, verb
    assert client.patch(f"{base}/", {"health": "ok", "enabled": False}).status_code in {200, 400, 422}
    source.refresh_from_db()
    assert source.enabled is True
    assert client.delete(f"{base}/").status_code == 204
    assert client.get(f"{base}/").status_code == 404


def test_over_rest_who_only_sees_changes_nothing() -> None:
    source = SourceFactory.create()
    client, base = api_as(person_with("auditor", source.use_case)), f"/api/v1/sources/{source.pk}"
    assert client.get(f"{base}/pulls/").status_code == 200
    since = timezone.now().isoformat()
    for verb, content in (("test", {}), ("clone", {}), ("pull", {}), ("backfill", {"since": since})):
        assert client.post(f"{base}/{verb}/", content).status_code == 403, verb
    assert client.delete(f"{base}/").status_code == 403


def test_each_connector_declares_what_a_form_needs() -> None:
    for one in connectors.values():
        assert issubclass(one, Connector)
        assert one.about
        assert {setting.name for setting in one.settings}.isdisjoint({s.name for s in one.secrets}), one.key


def test_an_error_of_a_connector_is_said_without_the_secret(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/v1/query_range").respond_with_json({"error": f"who is {CANARY}?"}, status=401)
    config = Prometheus.check({**PROMETHEUS, "url": httpserver.url_for("/")})
    with pytest.raises(ConnectorError) as raw:
        list(Prometheus(config, {"token": CANARY}).fetch(None))
    assert CANARY in raw.value.message  # the connector itself does not know better
    source = SourceFactory.create(connector="prometheus", config=config, secret=seal({"token": CANARY}))
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert CANARY not in pulled.error
    assert CANARY not in PullRun.objects.get().error
    found = pulling.preview("prometheus", config, {"token": CANARY})
    assert "401" in found.error
    assert CANARY not in found.error


def test_pages_ask_the_same_number_of_questions_however_long_the_history_is() -> None:
    source = SourceFactory.create()
    client = lead_of(source)

    def grow(count: int) -> None:
        for _ in range(count):
            at = timezone.now() - timedelta(minutes=PullRun.objects.count() * 30)
            PullRun.objects.create(source=source, outcome="done", started_at=at, finished_at=at)
            SeriesFactory.create(use_case=source.use_case, source=source, segment=str(at))

    def queries(name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url(name, source.pk)).status_code == 200
        return len(captured)

    grow(2)
    few = {name: (queries(name), queries(name))[1] for name in ("source", "source_pulls")}
    grow(6)
    assert {name: queries(name) for name in few} == few
    assert max(few.values()) <= 30
