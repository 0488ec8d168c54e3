"""kill -9 at every step of a pull: nothing is lost, nothing is stored twice, and the history says what happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Response

from ledger.models import Event
from monitoring import pulling
from monitoring.models import IngestBatch, Point, PullRun, Series, Source
from tests.factories.monitoring import SourceFactory, moment

ROOT = Path(__file__).parents[2]
WORKER = """
import os, signal, sys, json
import tests.settings as settings
settings.DATABASES["default"] = json.loads(sys.argv[1])
settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from monitoring import breaker, ingest, pulling

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def after(module, name):
    real = getattr(module, name)
    def then(*args, **kwargs):
        result = real(*args, **kwargs)
        die()
        return result
    setattr(module, name, then)

def before(module, name):
    setattr(module, name, die)

place, module, name = sys.argv[3].split(":")
{"before": before, "after": after}[place]({"pulling": pulling, "ingest": ingest, "breaker": breaker}[module], name)
pulling.pull(sys.argv[2])
"""
STEPS = {
    "after the lease": "after:pulling:_claim",
    "before the fetch": "before:pulling:_made",
    "after the fetch": "after:pulling:_fetched",
    "before the store": "before:ingest:store",
    "mid-store, before the series are brought up to date": "before:ingest:_record",
    "after the points, before the watermark": "after:pulling:_store_samples",
    "after the watermark, before the lease ends": "before:pulling:_end",
    "before the commit": "after:pulling:_store",
}


@pytest.fixture(autouse=True)
def _may_call_this_machine(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_is_killed_loses_and_doubles_nothing(step: str, httpserver: HTTPServer) -> None:
    rows = [{"time": moment(10 - i).isoformat(), "value": i / 10} for i in range(10)]
    httpserver.expect_request("/m").respond_with_handler(lambda _r: _answer(rows))
    source = _source(httpserver)
    ended = _work(source, STEPS[step])
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]
    assert not Point.objects.exists()
    assert not IngestBatch.objects.exists()
    assert not Event.objects.filter(action="points.received").exists()
    assert Source.objects.get().watermark is None
    assert pulling.pull(source.pk) is None  # the lease of the dead holds, so nobody pulls the same window beside it
    Source.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert (pulled.stored, pulled.error) == (10, "")
    assert Point.objects.count() == 10
    assert Event.objects.filter(action="points.received").count() == 1
    assert Source.objects.get().watermark == Series.objects.get().last_time
    outcomes = list(PullRun.objects.order_by("started_at").values_list("outcome", flat=True))
    assert outcomes == ["lost", "done"]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_after_the_commit_is_not_repeated(httpserver: HTTPServer) -> None:
    rows = [{"time": moment(1).isoformat(), "value": 0.5}]
    httpserver.expect_request("/m").respond_with_handler(lambda _r: _answer(rows))
    source = _source(httpserver)
    ended = _work(source, "after:pulling:pull")
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]
    assert Point.objects.count() == 1
    assert pulling.pull(source.pk) is None  # not due
    assert Series.objects.get().judge_asked_at is not None  # the sweep finds what the lost message would have done
    Source.objects.update(next_due_at=timezone.now())
    pulled = pulling.pull(source.pk)
    assert pulled is not None
    assert (pulled.stored, Point.objects.count()) == (0, 1)


def _answer(rows: list[dict[str, Any]]) -> Response:
    return Response(json.dumps(rows), content_type="application/json")


def _source(server: HTTPServer) -> Source:
    config = {"url": server.url_for("/m"), "items": "@", "time": "time", "time_format": "iso", "value": "value"}
    source: Source = SourceFactory.create(config={**config, "metric": "f1"})
    return source


def _work(source: Source, step: str) -> subprocess.CompletedProcess[bytes]:
    known = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS", "ATOMIC_REQUESTS")
    database = {name: connection.settings_dict[name] for name in known}
    database["NAME"] = str(database["NAME"])
    return subprocess.run(
        [sys.executable, "-c", WORKER, json.dumps(database), str(source.pk), step],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=120,
    )
