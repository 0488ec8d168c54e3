"""OpenTelemetry metrics: what is stored, under which series, and what a sender is told of the rest."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from ledger.models import Event
from monitoring.models import IngestBatch, Point, Series
from monitoring.selectors import points_of
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give
from tests.factories.governance import ModelVersionFactory
from tests.factories.monitoring import SeriesFactory, moment
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/otlp/v1/metrics"


def sender(use_case: UseCase) -> APIClient:
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    return api_as(machine)


def attributes(**given: Any) -> list[dict[str, Any]]:
    return [{"key": key.replace("__", "."), "value": {"stringValue": value}} for key, value in given.items()]


def nanos(time: datetime) -> str:
    return str(int(time.timestamp()) * 10**9)


def request(*metrics: dict[str, Any], **resource: str) -> bytes:
    body = {
        "resourceMetrics": [
            {"resource": {"attributes": attributes(**resource)}, "scopeMetrics": [{"scope": {}, "metrics": metrics}]}
        ]
    }
    return json.dumps(body).encode()


def gauge(name: str, *points: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "gauge": {"dataPoints": list(points)}, **more}


def at(minutes_ago: float, value: float, **more: Any) -> dict[str, Any]:
    return {"timeUnixNano": nanos(moment(minutes_ago)), "asDouble": value, **more}


def send(client: APIClient, body: bytes, kind: str = "application/json", **headers: str) -> Any:
    return client.post(URL, body, content_type=kind, **headers)  # type: ignore[arg-type]  # headers of the test client


def test_gauges_and_sums_become_points_of_their_series() -> None:
    use_case = UseCaseFactory.create()
    time = moment(3)
    total = {"timeUnixNano": nanos(time), "asInt": "42"}
    metrics = [
        gauge("PSI", at(2, 0.1), at(1, 0.2)),
        {"name": "f1", "sum": {"dataPoints": [total], "isMonotonic": True, "aggregationTemporality": 2}},
    ]
    answer = send(sender(use_case), request(*metrics, tollgate__use_case=use_case.key))
    assert (answer.status_code, answer.json()) == (200, {})
    assert [point.value for point in points_of(Series.objects.get(metric="psi"))] == [0.1, 0.2]
    (point,) = points_of(Series.objects.get(metric="f1"))
    assert (point.value, point.time) == (42.0, time)
    assert Event.objects.filter(action="points.received", use_case_id=str(use_case.pk)).count() == 1


def test_resource_and_attributes_name_version_and_segment() -> None:
    version = ModelVersionFactory.create()
    use_case = version.model.use_case
    data = [
        at(1, 0.5, attributes=[*attributes(tier="gold", region="eu"), {"key": "beta", "value": {"boolValue": True}}]),
        at(1, 0.6, attributes=attributes(region="eu", tollgate__segment="north")),
    ]
    body = request(
        gauge("f1", *data), service__name=use_case.key, tollgate__model_version=version.label, host__name="a"
    )
    assert send(sender(use_case), body).json() == {}
    assert set(Series.objects.values_list("segment", "version", "last_value")) == {
        ("beta=true,region=eu,tier=gold", version.pk, 0.5),
        ("north", version.pk, 0.6),
    }


@pytest.mark.parametrize("kind", ["histogram", "exponentialHistogram", "summary"])
def test_distributions_give_count_sum_and_mean_where_somebody_wants_them(kind: str) -> None:
    use_case = UseCaseFactory.create()
    for part in ("count", "sum", "avg"):
        SeriesFactory.create(use_case=use_case, metric=f"request.duration.{part}", unit="")
    point = {"timeUnixNano": nanos(moment(1)), "count": "4", "sum": 10.0, "bucketCounts": ["4"], "explicitBounds": []}
    body = request(
        {"name": "request.duration", "unit": "ms", kind: {"dataPoints": [point]}}, service__name=use_case.key
    )
    assert send(sender(use_case), body).json() == {}
    assert dict(Series.objects.values_list("metric", "last_value")) == {
        "request.duration.count": 4,
        "request.duration.sum": 10,
        "request.duration.avg": 2.5,
    }
    assert Series.objects.get(metric="request.duration.avg").last_n == 4
    Series.objects.exclude(metric="request.duration.avg").delete()
    assert send(sender(use_case), body).json() == {}


def test_what_does_not_fit_is_counted_and_the_rest_stored() -> None:
    use_case, other = UseCaseFactory.create(), UseCaseFactory.create()
    metrics = [
        gauge("psi", at(1, 0.1), at(1, 0.9), {"asDouble": 1.0, "timeUnixNano": "0"}, at(2, 0.3, asDouble="NaN")),
        gauge("our.own", at(1, 5.0), at(2, 6.0)),
        gauge("f1", at(1, 0.8), unit="ms"),
    ]
    answer = send(sender(use_case), request(*metrics, service__name=use_case.key)).json()["partialSuccess"]
    assert answer["rejectedDataPoints"] == "6"
    for said in ("contradicts", "before the year 2000", "finite", "our.own", "not in ms"):
        assert said in answer["errorMessage"]
    assert [point.value for point in points_of(Series.objects.get(metric="psi"))] == [0.1]
    answer = send(sender(use_case), request(gauge("psi", at(1, 0.5)), service__name=other.key)).json()
    assert answer["partialSuccess"]["rejectedDataPoints"] == "1"
    assert Point.objects.count() == 1


def test_the_same_export_again_changes_nothing() -> None:
    use_case = UseCaseFactory.create()
    body = request(gauge("psi", at(1, 0.1)), service__name=use_case.key)
    client = sender(use_case)
    assert [send(client, body).json() for _ in range(2)] == [{}, {}]
    assert IngestBatch.objects.count() == 1


def test_a_data_point_that_says_there_is_none_is_passed_over() -> None:
    use_case = UseCaseFactory.create()
    body = request(gauge("psi", at(1, 0.1, flags=1)), service__name=use_case.key)
    assert send(sender(use_case), body).json() == {}
    assert not Series.objects.exists()


def test_a_long_segment_is_refused_with_its_reason() -> None:
    use_case = UseCaseFactory.create()
    body = request(gauge("psi", at(1, 0.1, attributes=attributes(path="x" * 200))), service__name=use_case.key)
    assert "100 characters" in send(sender(use_case), body).json()["partialSuccess"]["errorMessage"]


def test_a_resource_without_a_use_case_is_refused() -> None:
    use_case = UseCaseFactory.create()
    answer = send(sender(use_case), request(gauge("psi", at(1, 0.1)))).json()
    assert "service.name" in answer["partialSuccess"]["errorMessage"]


@pytest.mark.parametrize(
    "body", [b"{", b"[1]", b'{"resourceMetrics": 5}', b'{"resourceMetrics": [{"scopeMetrics": [3]}]}']
)
def test_a_broken_request_is_400_with_a_status(body: bytes) -> None:
    answer = send(sender(UseCaseFactory.create()), body)
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


def test_an_empty_request_is_fine_and_gzip_is_taken() -> None:
    use_case = UseCaseFactory.create()
    client = sender(use_case)
    assert send(client, b"{}").json() == {}
    packed = gzip.compress(request(gauge("psi", at(1, 0.1)), service__name=use_case.key))
    assert send(client, packed, HTTP_CONTENT_ENCODING="gzip").json() == {}
    assert Point.objects.count() == 1


def test_protobuf_is_415_with_what_to_do() -> None:
    answer = send(sender(UseCaseFactory.create()), b"\x0a", "application/x-protobuf")
    assert answer.status_code == 415
    assert "encoding: json" in answer.json()["message"]


def test_the_anonymous_are_401_and_strangers_store_nothing() -> None:
    use_case = UseCaseFactory.create()
    body = request(gauge("psi", at(1, 0.1)), service__name=use_case.key)
    assert send(APIClient(), body).status_code == 401
    answer = send(api_as(PersonFactory.create()), body).json()
    assert answer["partialSuccess"]["rejectedDataPoints"] == "1"
    assert not Point.objects.exists()
