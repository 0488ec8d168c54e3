"""Pulling with leases, watermarks, backoff and a breaker, from a real HTTP server."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ledger import SYSTEM, unit_of_work
from ledger.models import Event
from monitoring import breaker, pulling, tasks
from monitoring.models import IngestBatch, Point, Series, Source
from monitoring.secrets import seal
from notify.models import Notice
from tests.factories.accounts import person_with
from tests.factories.monitoring import SourceFactory, moment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _may_call_this_machine(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]


def source_of(server: HTTPServer, **fields: Any) -> Source:
    config = {
        "url": server.url_for("/m"),
        "items": "@",
        "time": "time",
        "time_format": "iso",
        "value": "value",
        "metric": "f1",
        "since_parameter": "since",
    }
    source: Source = SourceFactory.create(config={**config, **fields.pop("config", {})}, **fields)
    return source


def give(server: HTTPServer, *values: float) -> None:
    rows = [{"time": moment(len(values) - i).isoformat(), "value": value} for i, value in enumerate(values)]
    server.expect_request("/m").respond_with_json(rows)


def make_due(source: Source) -> None:
    Source.objects.filter(pk=source.pk).update(next_due_at=timezone.now() - timedelta(seconds=1))


def test_a_pull_stores_points_and_says_how_it_went(httpserver: HTTPServer) -> None:
    give(httpserver, 0.9, 0.8)
    source = source_of(httpserver)
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert (pulled.fetched, pulled.stored, pulled.error) == (2, 2, "")
    source.refresh_from_db()
    series = Series.objects.get()
    assert (source.health, source.failures, source.last_count, source.lease) == ("ok", 0, 2, None)
    assert source.watermark == series.last_time
    assert source.next_due_at > timezone.now() + timedelta(seconds=250)
    assert (series.use_case_id, series.metric, series.source_id) == (source.use_case_id, "f1", source.pk)
    assert pulled.to_judge == [series.pk]
    assert IngestBatch.objects.get().source_id == source.pk
    assert Event.objects.filter(action="points.received", actor_kind="system").count() == 1


def test_pulling_again_asks_with_overlap_and_stores_nothing_twice(httpserver: HTTPServer) -> None:
    asked: list[str] = []
    rows = [{"time": moment(5).isoformat(), "value": 0.9}]

    def answer(request: Request) -> Response:
        asked.append(request.args.get("since", ""))
        return Response(json.dumps(rows), content_type="application/json")

    httpserver.expect_request("/m").respond_with_handler(answer)
    source = source_of(httpserver)
    pulling.pull(source.pk)
    make_due(source)
    rows.append({"time": moment(1).isoformat(), "value": 0.7})
    rows[0]["value"] = 0.95  # the source changed its history
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert pulled.stored == 2
    assert Point.objects.count() == 3
    assert asked[0] == ""
    assert asked[1] < moment(14).isoformat()


def test_a_source_that_is_not_due_is_left_alone(httpserver: HTTPServer) -> None:
    source = source_of(httpserver, next_due_at=timezone.now() + timedelta(minutes=1))
    assert pulling.pull(source.pk) is None
    assert pulling.due(timezone.now()) == []


def test_a_paused_source_is_left_alone(httpserver: HTTPServer) -> None:
    source = source_of(httpserver, enabled=False)
    assert pulling.pull(source.pk) is None


def test_a_leased_source_is_left_to_whoever_has_it(httpserver: HTTPServer) -> None:
    give(httpserver, 0.9)
    source = source_of(httpserver)
    assert pulling._claim(source.pk) is not None
    assert pulling.pull(source.pk) is None
    assert pulling.due(timezone.now()) == []


def test_the_lease_of_a_worker_that_died_runs_out(httpserver: HTTPServer) -> None:
    give(httpserver, 0.9)
    source = source_of(httpserver)
    pulling._claim(source.pk)
    Source.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert pulling.due(timezone.now()) == [source.pk]
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert pulled.stored == 1


def test_a_worker_slower_than_its_lease_stores_nothing(httpserver: HTTPServer) -> None:
    give(httpserver, 0.9)
    source = source_of(httpserver)
    lease = pulling._claim(source.pk)
    assert lease is not None
    fetched = pulling._fetched(source, lease)
    Source.objects.filter(pk=source.pk).update(lease=None, leased_until=None)
    pulling._claim(source.pk)
    with unit_of_work(by=SYSTEM) as uow:
        pulled = pulling._store(uow, source.pk, lease, fetched)
    assert pulled.stored == 0
    assert not Point.objects.exists()


def test_failures_back_off_and_then_open_the_breaker(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/m").respond_with_data("no", status=500)
    source = source_of(httpserver)
    lead = person_with("technical_lead", source.use_case)
    waits = []
    for _attempt in range(breaker.BREAK_AFTER):
        make_due(source)
        pulling.pull(source.pk)
        source.refresh_from_db()
        waits.append(round((source.next_due_at - timezone.now()).total_seconds(), -1))
    assert source.health == "broken"
    assert "500" in source.last_error
    assert waits == sorted(waits)
    assert waits[-1] > 1700
    actions = list(
        Event.objects.filter(action__startswith="source.").order_by("index").values_list("action", flat=True)
    )
    assert actions == ["source.failed", "source.broken"]
    assert Notice.objects.filter(recipient=lead, kind="alert.source_broken").count() == 1


def test_after_the_cool_down_a_source_can_recover(httpserver: HTTPServer) -> None:
    give(httpserver, 0.9)
    source = source_of(httpserver, health="broken", failures=7, last_error="status 500")
    assert pulling.pull(source.pk) is not None
    source.refresh_from_db()
    assert (source.health, source.failures, source.last_error) == ("ok", 0, "")
    assert Event.objects.filter(action="source.recovered").exists()


def test_content_that_cannot_be_stored_counts_as_a_failure(httpserver: HTTPServer) -> None:
    rows = [{"time": (timezone.now() + timedelta(hours=1)).isoformat(), "value": 1}]
    httpserver.expect_request("/m").respond_with_json(rows)
    source = source_of(httpserver)
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert "future" in pulled.error
    source.refresh_from_db()
    assert (source.health, source.failures) == ("failing", 1)
    assert not Point.objects.exists()


def test_points_and_watermark_are_stored_together_or_not_at_all(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(httpserver, 0.9)
    source = source_of(httpserver)

    def die(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(breaker, "note_success", die)
    with pytest.raises(KeyboardInterrupt):
        pulling.pull(source.pk)
    source.refresh_from_db()
    assert not Point.objects.exists()
    assert (source.watermark, source.last_success_at) == (None, None)
    assert source.lease is not None  # until it runs out


def test_an_unknown_version_is_said(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/m").respond_with_json([{"time": moment(1).isoformat(), "value": 1, "v": "9"}])
    pulled = pulling.pull(source_of(httpserver, config={"version_path": "v"}).pk)
    assert pulled is not None
    assert "has no version 9" in pulled.error


def test_a_secret_under_a_lost_key_is_said(httpserver: HTTPServer, settings: Settings) -> None:
    give(httpserver, 0.9)
    source = source_of(httpserver, secret=seal({"header": "X-Key", "header_value": "abc"}))
    settings.SECRET_KEY = "another key entirely"
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert "enter it again" in pulled.error


def test_the_sweep_sends_a_worker_to_every_due_source(httpserver: HTTPServer) -> None:
    source_of(httpserver)
    source_of(httpserver, enabled=False)
    assert tasks.pull_due() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_exactly_one_pulls(httpserver: HTTPServer) -> None:
    calls: list[int] = []

    def answer(request: Request) -> Response:
        calls.append(1)
        return Response(f'[{{"time": "{moment(1).isoformat()}", "value": 0.5}}]', content_type="application/json")

    httpserver.expect_request("/m").respond_with_handler(answer)
    source = source_of(httpserver)
    barrier = threading.Barrier(6)
    results: list[object] = []

    def work() -> None:
        try:
            barrier.wait()
            results.append(pulling.pull(source.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert sum(result is not None for result in results) == 1
    assert Point.objects.count() == 1
