"""Sources: windows, catching up, mapping, YAML, clone, delete; in the browser and over REST."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from kernel.errors import Conflict, Invalid
from ledger.models import Event
from monitoring import pulling, services, source_text, windows
from monitoring.connectors.prometheus import Prometheus
from monitoring.mapping import Words, checked, own_name
from monitoring.models import Point, PullRun, Series, Source
from monitoring.secrets import seal
from monitoring.selectors import source_health
from tests.factories.accounts import person_with
from tests.factories.monitoring import SeriesFactory, SourceFactory, moment
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
CANARY = "canary-51c0ffee"
PROMETHEUS = {"url": "http://example.com", "query": "up", "step": "60", "metric": "f1"}


@pytest.fixture(autouse=True)
def _may_call_this_machine(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]


def url(name: str, *args: Any) -> str:
    return reverse(f"monitoring:{name}", args=args)


def json_source(server: HTTPServer, rows: list[dict[str, Any]], **fields: Any) -> Source:
    server.expect_request("/m").respond_with_json(rows)
    config = {"url": server.url_for("/m"), "items": "@", "time": "time", "time_format": "iso", "value": "value"}
    source: Source = SourceFactory.create(config={**config, "metric_path": "metric"}, **fields)
    return source


def row(metric: str, minutes: float = 1, value: float = 0.5) -> dict[str, Any]:
    return {"metric": metric, "time": moment(minutes).isoformat(), "value": value}


# -- Windows and catching up -----------------------------------------------------------------------------------------


def test_a_first_pull_reads_its_days_of_history_in_chunks_and_then_goes_on_with_overlap() -> None:
    now = timezone.now()
    source = SourceFactory.create(connector="prometheus", config=PROMETHEUS, history_days=7)
    connector = Prometheus(source.config, {})
    first = windows.next_window(source, connector, now)
    assert (first.since, first.until) == (now - timedelta(days=7), now - timedelta(days=7) + connector.chunk)
    assert windows.remember(source, first, connector)
    assert (source.read_through, source.catching_up_from) == (first.until, first.since)
    assert 0.4 < (windows.progress(source, now) or 0) < 0.6
    second = windows.next_window(source, connector, now)
    assert second.since == first.until - timedelta(minutes=10)
    while windows.remember(source, windows.next_window(source, connector, now), connector):
        pass
    assert (source.read_through, source.catching_up_from) == (now, None)


def test_after_an_outage_it_goes_on_where_it_stopped() -> None:
    now = timezone.now()
    source = SourceFactory.create(
        connector="prometheus", config=PROMETHEUS, read_through=now - timedelta(days=20), history_days=1
    )
    window = windows.next_window(source, Prometheus(source.config, {}), now)
    assert window.since == now - timedelta(days=20, minutes=10)
    assert not window.reaches_now


def test_an_outage_is_caught_up_chunk_by_chunk_without_a_hole(httpserver: HTTPServer) -> None:
    asked: list[tuple[float, float]] = []

    def answer(request: Request) -> Response:
        start, end = float(request.form["start"]), float(request.form["end"])
        asked.append((start, end))
        values = [[at, "1"] for at in range(int(start), int(end) + 1, 60)][::60]
        content = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}
        return Response(json.dumps(content), content_type="application/json")

    httpserver.expect_request("/api/v1/query_range").respond_with_handler(answer)
    source = SourceFactory.create(
        connector="prometheus",
        config={**PROMETHEUS, "url": httpserver.url_for("/")},
        read_through=timezone.now() - timedelta(days=8),
    )
    for _pull in range(5):
        pulled = pulling.pull(source.pk)
        assert pulled is not None
        assert not pulled.error
        if not pulled.more:
            break
    assert len(asked) == 3
    assert all(later[0] <= earlier[1] for earlier, later in itertools.pairwise(asked))
    source.refresh_from_db()
    assert source.catching_up_from is None
    assert source.pulls.count() == 3


def test_a_window_that_holds_too_much_is_narrowed(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "MOST_SAMPLES", 100)

    def answer(request: Request) -> Response:
        start, end = int(float(request.form["start"])), int(float(request.form["end"]))
        values = [[at, "1"] for at in range(start, end + 1, 60)]
        content = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}
        return Response(json.dumps(content), content_type="application/json")

    httpserver.expect_request("/api/v1/query_range").respond_with_handler(answer)
    config = {**PROMETHEUS, "url": httpserver.url_for("/")}
    source = SourceFactory.create(
        connector="prometheus", config=config, read_through=timezone.now() - timedelta(minutes=300)
    )
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert (pulled.error, pulled.more) == ("", True)
    assert 0 < pulled.fetched <= 100


def test_a_connector_that_fails_in_its_own_way_meets_the_breaker_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_arguments: Any) -> Any:
        raise RuntimeError(f"with {CANARY} in it")

    monkeypatch.setattr(Prometheus, "fetch", explode)
    source = SourceFactory.create(connector="prometheus", config=PROMETHEUS)
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert CANARY not in pulled.error
    source.refresh_from_db()
    assert (source.health, source.error_kind, source.lease) == ("failing", "crash", None)
    (run,) = source.pulls.all()
    assert (run.outcome, run.error_kind) == ("failed", "crash")
    assert source_health.advice("crash")


def test_every_kind_of_failure_has_its_advice() -> None:
    for kind in ("unreachable", "slow", "refused", "answer", "content", "secret", "crash"):
        assert source_health.advice(kind)


def test_pulls_are_recorded_with_what_the_source_changed(httpserver: HTTPServer) -> None:
    rows = [row("f1", 5, 0.9)]
    source = json_source(httpserver, rows)
    pulling.pull(source.pk)
    httpserver.clear()
    httpserver.expect_request("/m").respond_with_json([{**rows[0], "value": 0.8}])
    Source.objects.update(next_due_at=timezone.now())
    pulling.pull(source.pk)
    newest, first = source.pulls.all()
    assert (first.outcome, first.fetched, first.stored, first.revised) == ("done", 1, 1, 0)
    assert (newest.fetched, newest.stored, newest.revised) == (1, 1, 1)
    assert newest.took is not None


def test_only_the_newest_runs_are_kept(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "KEPT_RUNS", 2)
    source = json_source(httpserver, [])
    for _ in range(5):
        Source.objects.update(next_due_at=timezone.now())
        pulling.pull(source.pk)
    assert source.pulls.count() <= 3


def test_outages_and_gaps_are_found() -> None:
    now = timezone.now()
    source = SourceFactory.create(every_seconds=300)
    series = SeriesFactory.create(use_case=source.use_case, source=source)
    for minutes in (120, 115, 110, 30, 25, 20, 1):
        at = now - timedelta(minutes=minutes)
        PullRun.objects.create(source=source, outcome="done", started_at=at, finished_at=at)
        Point.objects.create(series_id=series.pk, time=at, value=1)
    assert [round(gap.length.total_seconds() / 60) for gap in source_health.outages(source, now)] == [19, 80]
    assert [round(gap.length.total_seconds() / 60) for gap in source_health.gaps(source, [series], now)] == [19, 80]


# -- Mapping ---------------------------------------------------------------------------------------------------------


def test_metrics_go_where_the_mapping_says(httpserver: HTTPServer) -> None:
    there = SeriesFactory.create(metric="f1", segment="north")
    mapping = [
        {"from": {"metric": "Val/F1"}, "to": {"metric": "f1", "segment": "north"}},
        {"from": "noise", "to": "skip"},
    ]
    rows = [row("Val/F1"), row("noise"), row("Train Loss!")]
    source = json_source(httpserver, rows, use_case=there.use_case, mapping=checked(mapping))
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert (pulled.fetched, pulled.stored, pulled.error) == (3, 2, "")
    there.refresh_from_db()
    assert there.last_value == 0.5
    assert set(Series.objects.values_list("metric", flat=True)) == {"f1", "train_loss"}


@pytest.mark.parametrize(
    ("name", "key"), [("Val/F1", "val_f1"), ("99th", "m_99th"), ("!!!", "metric"), ("a" * 80, "a" * 60)]
)
def test_names_become_keys(name: str, key: str) -> None:
    assert own_name(Words(name)).metric == key


@pytest.mark.parametrize(
    "mapping",
    [
        "x",
        [{"from": "a"}],
        [{"from": "a", "to": "skip"}, {"from": {"metric": "a"}, "to": "b"}],
        [{"from": "a", "to": {"metric": "Not a key"}}],
        [{"from": {"segment": "a"}, "to": "skip"}],
        [{"from": {"metric": "a", "colour": "b"}, "to": "skip"}],
        [{"from": {"metric": ["a"]}, "to": "skip"}],
    ],
)
def test_a_wrong_mapping_is_refused(mapping: Any) -> None:
    with pytest.raises(Invalid) as caught:
        checked(mapping)
    assert "mapping" in caught.value.errors


# -- Services --------------------------------------------------------------------------------------------------------


def test_reading_again_takes_the_lease_from_whoever_has_it(httpserver: HTTPServer) -> None:
    source = json_source(httpserver, [row("f1")])
    lead = person_with("technical_lead", source.use_case)
    lease = pulling._claim(source.pk)
    assert lease is not None
    since = timezone.now() - timedelta(days=3)
    services.backfill_source(source=source, since=since, by=lead)
    source.refresh_from_db()
    assert (source.lease, source.read_through, source.catching_up_from) == (None, since, since)
    assert PullRun.objects.get(pk=lease).error_kind == "changed"
    for wrong in (timezone.now() + timedelta(hours=1), datetime(1999, 1, 1, tzinfo=UTC)):
        with pytest.raises(Invalid):
            services.backfill_source(source=source, since=wrong, by=lead)
    services.pause_source(source=source, by=lead)
    with pytest.raises(Conflict):
        services.backfill_source(source=source, since=since, by=lead)


def test_under_other_settings_a_source_is_read_again_and_the_pull_under_way_stores_nothing() -> None:
    now = timezone.now()
    source = SourceFactory.create(connector="prometheus", config=PROMETHEUS, read_through=now, history_days=2)
    lead = person_with("technical_lead", source.use_case)
    pulling._claim(source.pk)
    services.edit_source(source=source, changes={"name": "Other"}, by=lead)
    source.refresh_from_db()
    assert (source.read_through, source.lease is None) == (now, False)
    services.edit_source(source=source, changes={"config": {**PROMETHEUS, "query": "down"}}, by=lead)
    source.refresh_from_db()
    assert source.lease is None
    assert source.read_through is not None
    assert source.read_through < now - timedelta(days=1)


def test_a_clone_is_paused_and_has_no_secret() -> None:
    source = SourceFactory.create(name="Gateway", secret=seal({"header": "X-Key", "header_value": CANARY}))
    lead = person_with("technical_lead", source.use_case)
    copy = services.clone_source(source=source, by=lead)
    assert (copy.name, copy.enabled, copy.secret, copy.config) == ("Gateway (2)", False, "", source.config)
    with pytest.raises(PermissionDenied):
        services.clone_source(source=source, use_case=UseCaseFactory.create(), by=lead)


def test_deleting_leaves_series_and_points(httpserver: HTTPServer) -> None:
    source = json_source(httpserver, [row("f1")])
    pulling.pull(source.pk)
    with pytest.raises(PermissionDenied):
        services.delete_source(source=source, by=person_with("auditor", source.use_case))
    services.delete_source(source=source, by=person_with("technical_lead", source.use_case))
    assert (Source.objects.count(), PullRun.objects.count(), Point.objects.count()) == (0, 0, 1)
    assert Series.objects.get().source is None
    assert Event.objects.filter(action="source.deleted").count() == 1


# -- YAML ------------------------------------------------------------------------------------------------------------


def test_what_is_exported_is_read_back_the_same() -> None:
    mapping = checked([{"from": {"metric": "a", "segment": "b"}, "to": {"metric": "f1"}}, {"from": "c", "to": "skip"}])
    config = {**PROMETHEUS, "query": "sum(\n  up\n)"}
    source = SourceFactory.create(
        connector="prometheus", config=config, mapping=mapping, secret=seal({"token": CANARY}), history_days=30
    )
    text = source_text.write(source)
    assert CANARY not in text
    assert source.secret not in text
    found = source_text.read(text)
    assert (found.name, found.connector, found.config) == (source.name, "prometheus", config)
    assert (found.mapping, found.history_days) == (mapping, 30)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nconnector: nothing\n", "line 2"),
        ("connector: prometheus\n", "“name” is needed"),
        ("name: a\nconnector: prometheus\nconfig:\n  url: ftp://x\n  query: up\n", "line 4"),
        ("name: a\nconnector: prometheus\nconfig:\n  url: http://x.org\n  query: up\n  colour: red\n", "line 6"),
        (f"name: a\nconnector: prometheus\nsecret:\n  token: {CANARY}\n", "line 3"),
        (f"name: a\nconnector: prometheus\nconfig:\n  token: {CANARY}\n", "line 4"),
        ("name: a\nname: b\n", "stands twice"),
        ("- a\n", "give the keys"),
        ("name: [\n", "not valid YAML"),
        ("", "give the keys"),
        (
            (
                "name: a\nconnector: prometheus\nconfig: {url: 'http://x.org', query: up}\nmapping:\n"
                "  - {from: a, to: skip}\n  - {from: b}\n"
            ),
            "line 6",
        ),
        ("name: a\nconnector: prometheus\nevery_seconds: soon\nconfig: {url: 'http://x.org', query: up}\n", "line 3"),
    ],
)
def test_errors_in_yaml_name_their_line_and_no_secret(text: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        source_text.read(text)
    assert said in caught.value.message
    assert CANARY not in str(caught.value.errors)


# -- Pages -----------------------------------------------------------------------------------------------------------
