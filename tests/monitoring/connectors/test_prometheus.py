"""The connector against a real Prometheus where one is installed, and against its answers where not."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from kernel.errors import Invalid
from monitoring.connector import ConnectorError, Reads, Sample
from monitoring.connectors.prometheus import Prometheus

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAST = datetime(2026, 11, 20, 10, tzinfo=UTC)
BACKFILLED = """# TYPE requests_total counter
""" + "".join(
    f'requests_total{{region="{region}"}} {index * step} {int(PAST.timestamp()) + index * 60}\n'
    for region, step in (("north", 60), ("south", 120))
    for index in range(120)
)


@pytest.fixture(autouse=True)
def _may_call_this_machine(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]


def of(url: str, query: str = "requests_total", **config: str) -> Prometheus:
    return Prometheus(Prometheus.check({"url": url, "query": query, **config}), {})


def matrix(*rows: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(rows)}}


def test_it_asks_on_a_grid_and_leaves_out_what_was_not_measured(httpserver: HTTPServer) -> None:
    asked: list[dict[str, str]] = []
    rows = [[NOON.timestamp(), "0.5"], [NOON.timestamp() + 60, "NaN"], [NOON.timestamp() + 120, "+Inf"]]

    def answer(request: Request) -> Response:

        asked.append(request.form.to_dict())
        row = {"metric": {"__name__": "f1", "region": "north", "model": "1.4"}, "values": rows}
        return Response(json.dumps(matrix(row)), content_type="application/json")

    httpserver.expect_request("/api/v1/query_range", method="POST").respond_with_handler(answer)
    source = of(httpserver.url_for("/"), segment_label="region", version_label="model")
    found = list(source.fetch(NOON - timedelta(seconds=30), NOON + timedelta(seconds=130)))
    assert found == [Sample("f1", NOON, 0.5, 0, "north", "1.4")]
    assert (float(asked[0]["start"]), float(asked[0]["end"])) == (NOON.timestamp(), NOON.timestamp() + 120)
    assert (source.reads, source.chunk) == (Reads.WINDOWS, timedelta(minutes=5000))


def test_a_query_without_a_name_needs_a_metric(httpserver: HTTPServer) -> None:
    answer = matrix({"metric": {}, "values": [[NOON.timestamp(), "1"]]})
    httpserver.expect_request("/api/v1/query_range").respond_with_json(answer)
    with pytest.raises(ConnectorError, match="which metric"):
        list(of(httpserver.url_for("/")).fetch(NOON, NOON))
    (found,) = of(httpserver.url_for("/"), metric="error_rate").fetch(NOON, NOON)
    assert found.metric == "error_rate"


@pytest.mark.parametrize("answer", [{}, [], {"status": "success"}, {"status": "error"}, matrix() | {"data": 5}])
def test_what_is_no_range_is_said(httpserver: HTTPServer, answer: Any) -> None:
    httpserver.expect_request("/api/v1/query_range").respond_with_json(answer)
    with pytest.raises(ConnectorError) as caught:
        list(of(httpserver.url_for("/")).fetch(NOON, NOON))
    assert caught.value.kind == "content"


@pytest.mark.parametrize(
    ("config", "field"),
    [({"step": "0"}, "step"), ({"step": "1.5"}, "step"), ({"step": "x"}, "step"), ({"url": "http://a:b@c"}, "url")],
)
def test_wrong_settings_are_named(config: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        Prometheus.check({"url": "http://example.com", "query": "up", **config})
    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize(
    "secret", [{"username": "a"}, {"token": "a\nb"}, {"token": "a", "username": "b", "password": "c"}]
)
def test_half_a_sign_in_is_refused(secret: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        Prometheus.check_secret(secret)


# -- A real server ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prometheus with two hours of backfilled counters."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        pytest.skip("Prometheus is not installed (Debian: apt-get install prometheus)")
    home = tmp_path_factory.mktemp("prometheus")
    (home / "points.om").write_text(BACKFILLED + "# EOF\n")
    (home / "prometheus.yml").write_text("global: {scrape_interval: 15s}\n")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", "points.om", "data"], cwd=home, check=True, timeout=60
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.path=data", "--config.file=prometheus.yml"]
    options += ["--storage.tsdb.retention.time=10y"]
    with Path(home / "log").open("wb") as log:
        running = subprocess.Popen(["prometheus", *options], cwd=home, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/-/ready", running)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)


def _wait(url: str, running: subprocess.Popen[bytes]) -> None:
    for _ in range(120):
        assert running.poll() is None
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.25)
    raise AssertionError("the server does not become ready")


@pytest.mark.long
def test_a_real_server_gives_a_range_by_segment(server: str) -> None:
    source = of(server, "rate(requests_total[5m])", metric="request_rate", segment_label="region", step="300")
    found = list(source.fetch(PAST + timedelta(minutes=10), PAST + timedelta(minutes=60)))
    assert {sample.segment for sample in found} == {"north", "south"}
    assert {sample.metric for sample in found} == {"request_rate"}
    assert {round(sample.value, 6) for sample in found if sample.segment == "north"} == {1.0}
    assert len(found) == 22
    again = list(source.fetch(PAST + timedelta(minutes=11, seconds=7), PAST + timedelta(minutes=60)))
    assert set(again) <= set(found)  # the grid holds: the same moments, the same values


@pytest.mark.long
def test_a_real_server_says_what_is_wrong_with_a_query(server: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        list(of(server, "rate(requests_total[5m]").fetch(PAST, NOON))
    assert caught.value.kind == "answer"
    assert "unclosed left parenthesis" in caught.value.message
