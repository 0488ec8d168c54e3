"""Monitoring over REST: insiders, outsiders, the anonymous, those without the right, and the number of queries."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from monitoring import wire
from monitoring.api import senders
from monitoring.models import Alert, Point, Rule, Series, Source
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.factories.monitoring import AlertFactory, RuleFactory, SeriesFactory, SourceFactory, moment, points
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
BATCH = "/api/v1/points:batch"
NDJSON = "application/x-ndjson"


def machine_on(series: Series, **more: Any) -> APIClient:
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", series.use_case)
    return api_as(machine, **more)


def body(series: Series, *values: float) -> bytes:
    rows = [{"series": series.pk, "time": moment(i).isoformat(), "value": value} for i, value in enumerate(values)]
    return json.dumps(rows).encode()


def send(client: APIClient, content: bytes, kind: str = "application/json", **headers: str) -> Any:
    return client.post(BATCH, content, content_type=kind, **headers)  # type: ignore[arg-type]  # headers of the test client


# -- The batch -------------------------------------------------------------------------------------------------------


def test_a_batch_is_stored_once_however_often_it_is_sent() -> None:
    series = SeriesFactory.create()
    client = machine_on(series)
    content = body(series, 0.9, 0.8)
    first, second = send(client, content), send(client, content)
    assert first.status_code == 200, first.content
    answer = first.json()
    assert (answer["received"], answer["stored"], answer["unchanged"], len(answer["batches"])) == (2, 2, 0, 1)
    assert (second.json()["stored"], second.json()["unchanged"]) == (0, 2)
    assert Point.objects.count() == 2


def test_an_idempotency_key_gets_the_same_answer_again() -> None:
    series = SeriesFactory.create()
    client = machine_on(series)
    content = body(series, 0.9)
    first = send(client, content, HTTP_IDEMPOTENCY_KEY="build-17")
    again = send(client, content, HTTP_IDEMPOTENCY_KEY="build-17")
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    other = send(client, body(series, 0.7), HTTP_IDEMPOTENCY_KEY="build-17")
    assert other.status_code == 422


def test_ndjson_and_gzip_are_taken() -> None:
    series = SeriesFactory.create()
    client = machine_on(series)
    lines = "\n".join(json.dumps(row) for row in json.loads(body(series, 0.9, 0.8)))
    packed = gzip.compress(lines.encode())
    answer = send(client, packed, NDJSON, HTTP_CONTENT_ENCODING="gzip")
    assert answer.status_code == 200, answer.content
    assert answer.json()["stored"] == 2


def test_the_broken_line_is_named_and_nothing_is_stored() -> None:
    series = SeriesFactory.create()
    lines = [json.dumps({"series": series.pk, "time": moment().isoformat(), "value": i, "step": i}) for i in range(200)]
    lines[149] = lines[149].replace("value", "walue")
    answer = send(machine_on(series), "\n".join(lines).encode(), NDJSON)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["line 150.walue"]
    assert not Point.objects.exists()


def test_line_5000_of_10000_is_named_and_nothing_is_stored() -> None:
    series = SeriesFactory.create()
    time = moment().isoformat()
    lines = [f'{{"series":{series.pk},"time":"{time}","value":1,"step":{step}}}' for step in range(10_000)]
    lines[4_999] = lines[4_999][:-3]
    answer = send(machine_on(series), "\n".join(lines).encode(), NDJSON)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["line 5000"]
    assert not Point.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"value": "0.5"}, "value"),
        ({"value": None}, "value"),
        ({"time": "1999-12-31T23:59:59Z"}, "time"),
        ({"time": moment(-1440).isoformat()}, "time"),
        ({"series": 10**9}, "series"),
        ({"unit": "furlongs"}, "unit"),
        ({"step": 0, "value": 0.123}, "value"),
    ],
)
def test_one_bad_point_refuses_the_batch_and_is_named(change: dict[str, Any], field: str) -> None:
    series = SeriesFactory.create()
    time = moment().isoformat()
    rows = [{"series": series.pk, "time": time, "value": 0.5, "step": step} for step in range(10)]
    rows[7] |= change
    answer = send(machine_on(series), json.dumps(rows).encode())
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [f"points[7].{field}"]
    assert "Nothing of the batch was stored" in answer.json()["detail"]
    assert not Point.objects.exists()


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_in_json_is_refused(value: str) -> None:
    series = SeriesFactory.create()
    content = body(series, 1).replace(b'"value": 1', f'"value": {value}'.encode())
    assert send(machine_on(series), content).status_code == 422
    assert not Point.objects.exists()


def test_a_body_that_is_too_large_is_413() -> None:
    series = SeriesFactory.create()
    answer = send(machine_on(series), b"[" + b" " * wire.MAX_BYTES + b"]")
    assert answer.status_code == 413
    packed = gzip.compress(b" " * (wire.MAX_BYTES + 1))
    answer = send(machine_on(series), packed, HTTP_CONTENT_ENCODING="gzip")
    assert answer.status_code == 413
    assert "several batches" in answer.json()["hint"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[1]", b"null"])
def test_a_broken_body_is_422(content: bytes) -> None:
    series = SeriesFactory.create()
    assert send(machine_on(series), content).status_code == 422


def test_another_content_type_is_422() -> None:
    series = SeriesFactory.create()
    assert send(machine_on(series), b"<xml/>", "application/xml").status_code == 422


def test_the_anonymous_are_401_and_the_unentitled_403() -> None:
    series = SeriesFactory.create()
    assert send(APIClient(), body(series, 1)).status_code == 401
    assert send(api_as(person_with("auditor", series.use_case)), body(series, 1)).status_code == 403
    assert send(api_as(PersonFactory.create()), body(series, 1)).status_code == 422
    assert not Point.objects.exists()


def test_a_token_without_the_scope_may_not_push() -> None:
    series = SeriesFactory.create()
    answer = send(machine_on(series, scopes=["validation.record"]), body(series, 1))
    assert answer.status_code in {403, 422}
    assert not Point.objects.exists()


def test_the_number_of_queries_does_not_depend_on_the_number_of_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "SECONDS", 3600.0)  # on a busy machine a sender may be forgotten meanwhile
    series = SeriesFactory.create()
    client = machine_on(series)

    def queries(*values: float) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert send(client, body(series, *values)).status_code == 200
        return len([query for query in captured if "monitoring_point" not in query["sql"]])

    queries(0.1)
    Series.objects.update(judge_asked_at=None)
    queries(0.15)  # what the first batch set in motion may have been recorded meanwhile
    assert queries(0.2) == queries(*(i / 100 for i in range(1, 80)))


# -- Series and points -----------------------------------------------------------------------------------------------


def test_a_series_is_defined_read_and_changed() -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("technical_lead", use_case))
    made = client.post("/api/v1/series/", {"use_case": use_case.key, "metric": "psi", "baseline": 0.02})
    assert made.status_code == 201, made.content
    address = f"/api/v1/series/{made.json()['id']}/"
    assert made.json()["kinds"] == ["drift", "data_drift"]
    assert client.patch(address, {"segment": "north"}).status_code == 422
    assert client.patch(address, {"name": "Input drift"}).json()["name"] == "Input drift"
    assert client.post(f"{address}baseline/", {"value": 0.03}).json()["baseline"] == 0.03
    assert client.post("/api/v1/series/", {"use_case": use_case.key, "metric": "psi"}).status_code == 409
    assert (
        client.get("/api/v1/series/", {"use_case": use_case.key, "metric": "psi"}).json()["results"][0]["unit"]
        == "index"
    )


def test_points_are_read_in_buckets_or_as_they_are() -> None:
    series = SeriesFactory.create()
    points(series, [1.0, 2.0, 3.0])
    client = api_as(person_with("auditor", series.use_case))
    answer = client.get(f"/api/v1/series/{series.pk}/points/", {"buckets": 1}).json()
    (bucket,) = answer["buckets"]
    assert (bucket["min"], bucket["max"], bucket["mean"], bucket["last"], bucket["count"]) == (1.0, 3.0, 2.0, 3.0, 3)
    raw = client.get(f"/api/v1/series/{series.pk}/points/", {"buckets": 0}).json()
    assert [point["value"] for point in raw["points"]] == [1.0, 2.0, 3.0]
    narrow = {"buckets": "0", "from": raw["points"][1]["time"], "to": raw["points"][2]["time"]}
    assert [p["value"] for p in client.get(f"/api/v1/series/{series.pk}/points/", narrow).json()["points"]] == [2.0]


@pytest.mark.parametrize(
    "query",
    [
        {"buckets": "many"},
        {"buckets": "5001"},
        {"from": "monday"},
        {"from": "2026-11-21T10:00:00"},
        {"to": "1999-01-01T00:00:00Z"},
    ],
)
def test_a_wrong_range_is_422(query: dict[str, str]) -> None:
    series = SeriesFactory.create()
    points(series, [1.0])
    client = api_as(person_with("auditor", series.use_case))
    assert client.get(f"/api/v1/series/{series.pk}/points/", query).status_code == 422


# -- Rules, alerts, sources ------------------------------------------------------------------------------------------


def test_a_rule_is_defined_and_switched_off() -> None:
    series = SeriesFactory.create()
    client = api_as(person_with("technical_lead", series.use_case))
    made = client.post("/api/v1/rules/", {"series": series.pk, "reaction": "Call the lead"})
    assert made.status_code == 201, made.content
    assert (made.json()["op"], made.json()["act"]) == (">=", 0.8)
    address = f"/api/v1/rules/{made.json()['id']}/"
    assert client.patch(address, {"act": 0.9}).status_code == 422
    assert client.patch(address, {"enabled": False}).json()["enabled"] is False
    assert client.post("/api/v1/rules/", {"series": 4711}).status_code == 422


def test_an_alert_is_acknowledged() -> None:
    alert = AlertFactory.create(level="act")
    use_case = alert.series.use_case
    lead, owner = api_as(person_with("technical_lead", use_case)), api_as(person_with("business_owner", use_case))
    assert lead.post(f"/api/v1/alerts/{alert.pk}/acknowledge/").json()["state"] == "acknowledged"
    assert lead.post(f"/api/v1/alerts/{alert.pk}/acknowledge/").status_code == 409
    found = owner.get("/api/v1/alerts/", {"unresolved": "true", "use_case": use_case.key}).json()["results"]
    assert [row["id"] for row in found] == [str(alert.pk)]


def test_a_source_is_connected_changed_paused_and_pulled() -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("technical_lead", use_case))
    given = {
        "use_case": use_case.key,
        "name": "Gateway",
        "connector": "http_json",
        "config": {"url": "https://metrics.example.com/", "metric": "f1"},
    }
    made = client.post("/api/v1/sources/", given)
    assert made.status_code == 201, made.content
    address = f"/api/v1/sources/{made.json()['id']}/"
    assert client.patch(address, {"every_seconds": 60}).json()["every_seconds"] == 60
    assert client.post(f"{address}pull/").status_code == 202
    assert client.post(f"{address}pause/").json()["enabled"] is False
    assert client.post(f"{address}pull/").status_code == 409
    assert client.post(f"{address}resume/").json()["enabled"] is True
    assert client.post("/api/v1/sources/", {**given, "name": "B", "config": {"url": "gopher://x"}}).status_code == 422


def rows_of_each(use_case: Any) -> dict[str, Any]:
    rule = RuleFactory.create(series=SeriesFactory.create(use_case=use_case, segment=str(Series.objects.count())))
    alert = AlertFactory.create(rule=rule)
    source = SourceFactory.create(use_case=use_case)
    return {"series": rule.series.pk, "rules": rule.pk, "alerts": alert.pk, "sources": source.pk}


@pytest.mark.parametrize("kind", ["series", "rules", "alerts", "sources"])
def test_lists_and_rows_are_for_insiders(kind: str) -> None:
    use_case = UseCaseFactory.create()
    pk = rows_of_each(use_case)[kind]
    insider, outsider = api_as(person_with("auditor", use_case)), api_as(PersonFactory.create())
    for address in (f"/api/v1/{kind}/", f"/api/v1/{kind}/{pk}/"):
        assert APIClient().get(address).status_code == 401
        assert insider.get(address).status_code == 200
    assert outsider.get(f"/api/v1/{kind}/").json()["results"] == []
    assert outsider.get(f"/api/v1/{kind}/{pk}/").status_code == 404


@pytest.mark.parametrize("kind", ["series", "rules", "alerts", "sources"])
def test_lists_ask_the_same_number_of_questions_however_long_they_are(kind: str) -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("auditor", use_case))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/v1/{kind}/").status_code == 200
        return len(captured)

    rows_of_each(use_case)
    queries()
    few = queries()
    for _ in range(4):
        rows_of_each(use_case)
    assert queries() == few


@pytest.mark.parametrize(
    ("address", "content"),
    [
        ("series/", {"metric": "psi"}),
        ("sources/", {"name": "x", "connector": "http_json"}),
    ],
)
def test_writing_needs_the_right(address: str, content: dict[str, str]) -> None:
    use_case = UseCaseFactory.create()
    auditor, outsider = api_as(person_with("auditor", use_case)), api_as(PersonFactory.create())
    given = {**content, "use_case": use_case.key, "config": {"url": "https://example.com", "metric": "f1"}}
    if address == "series/":
        del given["config"]
    assert auditor.post(f"/api/v1/{address}", given).status_code == 403
    assert outsider.post(f"/api/v1/{address}", given).status_code == 404
    assert not Source.objects.exists()
    assert not Alert.objects.exists()


# -- Kinds of rules and trials ---------------------------------------------------------------------------------------


def test_a_rule_is_tried_over_rest_and_nothing_is_stored() -> None:
    series = SeriesFactory.create(baseline=0.9)
    points(series, [0.9, 0.7, 0.9, 0.84, 0.9], minutes_apart=60)
    client = api_as(person_with("technical_lead", series.use_case))
    address = f"/api/v1/series/{series.pk}/try-rule/"
    answer = client.post(address, {"op": ">=", "warn": 0.85, "act": 0.8}, format="json").json()
    assert (answer["fired"], answer["act"], answer["points"], len(answer["alerts"])) == (2, 1, 5, 2)
    assert answer["alerts"][0]["level"] == "warn"
    fall = {"condition": "baseline", "params": {"measured_in": "percent"}, "op": ">=", "warn": 10}
    assert client.post(address, fall, format="json").json()["fired"] == 1
    assert client.post(address, {"condition": "moon"}, format="json").status_code == 422
    assert not Rule.objects.exists()
    assert api_as(PersonFactory.create()).post(address, fall, format="json").status_code == 404
    assert APIClient().post(address, fall, format="json").status_code == 401


def test_a_rule_of_a_kind_is_defined_and_read_over_rest() -> None:
    series = SeriesFactory.create(baseline=0.9)
    client = api_as(person_with("technical_lead", series.use_case))
    given = {"series": series.pk, "name": "Near", "condition": "baseline", "op": ">=", "warn": 5, "act": 10}
    made = client.post("/api/v1/rules/", given | {"needed": 2, "among": 3, "min_n": 50}, format="json")
    assert made.status_code == 201, made.content
    shown = client.get(f"/api/v1/rules/{made.json()['id']}/").json()
    assert (shown["condition"], shown["params"], shown["needed"], shown["among"]) == (
        "baseline",
        {"measured_in": "percent"},
        2,
        3,
    )
    wrong = client.post("/api/v1/rules/", given | {"name": "x", "params": {"measured_in": "inches"}}, format="json")
    assert "measured_in" in wrong.json()["errors"]
    bad = client.patch(f"/api/v1/rules/{shown['id']}/", {"among": 1}, format="json")
    assert bad.status_code == 422
