"""The connector against a real HTTP server: what it reads, and everything a source can do wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from kernel.errors import Invalid
from monitoring.connector import ConnectorError, Sample
from monitoring.connectors.http_json import HttpJson

SINCE = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _may_call_this_machine(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]


def connector(server: HTTPServer, secret: dict[str, str] | None = None, **config: str) -> HttpJson:
    checked = HttpJson.check({"url": server.url_for("/metrics"), "metric": "f1", **config})
    return HttpJson(checked, secret or {})


def failure(source: HttpJson) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        list(source.fetch(None))
    return caught.value


def test_points_are_found_by_jmespath(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/metrics").respond_with_json(
        {
            "data": {
                "rows": [
                    {
                        "t": 1763715600,
                        "v": {"f1": 0.9},
                        "m": "f1",
                        "region": "north",
                        "model": "1.4",
                        "k": 3,
                        "size": 70,
                    },
                    {"t": 1763719200.5, "v": {"f1": 1}, "m": "f1"},
                    {"t": 1763719300, "v": {"f1": None}, "m": "f1"},
                ]
            }
        }
    )
    source = connector(
        httpserver,
        items="data.rows",
        time="t",
        time_format="seconds",
        value="v.f1",
        metric="",
        metric_path="m",
        segment_path="region",
        version_path="model",
        step="k",
        n="size",
    )
    assert list(source.fetch(None)) == [
        Sample("f1", datetime(2025, 11, 21, 9, 0, tzinfo=UTC), 0.9, 3, "north", "1.4", 70),
        Sample("f1", datetime(2025, 11, 21, 10, 0, 0, 500_000, tzinfo=UTC), 1.0),
    ]


def test_an_answer_may_be_a_single_point(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/metrics").respond_with_json({"time": "2026-11-21T09:00:00+01:00", "value": 0.5})
    (sample,) = connector(httpserver).fetch(None)
    assert (sample.metric, sample.value, sample.time.astimezone(UTC).hour) == ("f1", 0.5, 8)


def test_the_time_from_which_points_are_wanted_is_sent(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/metrics", query_string={"from": "2026-11-20T12:00:00Z"}).respond_with_json([])
    assert list(connector(httpserver, since_parameter="from").fetch(SINCE)) == []


def test_the_secret_header_is_sent(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/metrics", headers={"X-Api-Key": "s3cret"}).respond_with_json([])
    secret = {"header": "X-Api-Key", "header_value": "s3cret"}
    assert list(connector(httpserver, secret).fetch(None)) == []


@pytest.mark.parametrize("status", [201, 204, 401, 404, 429, 500, 503])
def test_another_status_is_an_error(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/metrics").respond_with_data("", status=status)
    error = failure(connector(httpserver))
    assert error.kind == "answer"
    assert str(status) in error.message


def test_a_redirect_is_not_followed_with_the_secret(httpserver: HTTPServer) -> None:
    seen: list[str] = []

    def elsewhere(request: Request) -> Response:
        seen.append(request.headers.get("X-Api-Key", ""))
        return Response("[]")

    httpserver.expect_request("/elsewhere").respond_with_handler(elsewhere)
    httpserver.expect_request("/metrics").respond_with_data(
        "", status=302, headers={"Location": httpserver.url_for("/elsewhere")}
    )
    error = failure(connector(httpserver, {"header": "X-Api-Key", "header_value": "s3cret"}))
    assert error.kind == "answer"
    assert seen == []


@pytest.mark.parametrize("body", ['[{"time": "2026-11-21T09:00:00Z", "val', "", "<html>", '{"a": NaN}', "\x00"])
def test_an_answer_that_is_no_json_is_an_error(httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/metrics").respond_with_data(body, content_type="application/json")
    assert failure(connector(httpserver)).kind == "content"


def test_an_answer_that_ends_too_early_is_an_error(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/metrics").respond_with_data("[1,", headers={"Content-Length": "1000"})
    assert failure(connector(httpserver)).kind in {"content", "unreachable"}


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"time": "2026-11-21T09:00:00Z", "value": "0.9"}, "value is not a number"),
        ({"time": "2026-11-21T09:00:00Z", "value": True}, "value is not a number"),
        ({"time": "2026-11-21T09:00:00", "value": 1}, "time cannot be read"),
        ({"time": None, "value": 1}, "time cannot be read"),
        ({"time": "soon", "value": 1}, "time cannot be read"),
        ({"time": "2026-11-21T09:00:00Z", "value": 1, "k": 1.5}, "not a whole number"),
    ],
)
def test_the_point_that_is_wrong_is_named(httpserver: HTTPServer, item: dict[str, Any], said: str) -> None:
    httpserver.expect_request("/metrics").respond_with_json([{"time": "2026-11-21T09:00:00Z", "value": 1}, item])
    error = failure(connector(httpserver, step="k"))
    assert "Point 2" in error.message
    assert said in error.message


def test_no_list_where_the_points_should_be_is_an_error(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/metrics").respond_with_json({"data": 5})
    assert failure(connector(httpserver, items="data")).kind == "content"


def test_a_body_without_end_is_cut_off(httpserver: HTTPServer) -> None:
    def endless(request: Request) -> Response:
        def stream() -> Iterator[bytes]:
            for _ in range(200):
                yield b" " * 100_000

        return Response(stream(), content_type="application/json")

    httpserver.expect_request("/metrics").respond_with_handler(endless)
    error = failure(connector(httpserver))
    assert error.kind == "refused"
    assert "larger" in error.message


def test_a_server_that_does_not_answer_is_given_up(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.fetching.TIMEOUT", 0.3)

    def slow(request: Request) -> Response:
        time.sleep(1)
        return Response("[]")

    httpserver.expect_request("/metrics").respond_with_handler(slow)
    assert failure(connector(httpserver)).kind in {"slow", "refused"}


def test_nobody_listening_is_unreachable(httpserver: HTTPServer) -> None:
    config = HttpJson.check({"url": "http://127.0.0.1:9/", "metric": "f1"})
    assert failure(HttpJson(config, {})).kind == "unreachable"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://[::1]/"])
def test_private_addresses_are_refused(url: str, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = []
    config = HttpJson.check({"url": url, "metric": "f1"})
    assert failure(HttpJson(config, {})).kind == "refused"


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "https://user:pass@example.com/"}, "url"),
        ({"items": "[[["}, "items"),
        ({"metric": ""}, "metric"),
        ({"metric_path": "m"}, "metric"),
        ({"time_format": "roman"}, "time_format"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_settings_are_named(config: dict[str, str], field: str) -> None:
    good = {"url": "https://example.com/", "metric": "f1"} if config else {"metric": "f1"}
    with pytest.raises(Invalid) as caught:
        HttpJson.check({**good, **config})
    assert field in caught.value.errors


@pytest.mark.parametrize(
    "secret",
    [
        {"header": "Authorization"},
        {"header_value": "x"},
        {"header": "Bad Header", "header_value": "x"},
        {"header": "X-Key", "header_value": "a\nb"},
        {"password": "x"},
    ],
)
def test_wrong_secrets_are_refused_without_repeating_them(secret: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        HttpJson.check_secret(secret)
