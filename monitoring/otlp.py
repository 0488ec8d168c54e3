"""OpenTelemetry metrics (OTLP/HTTP, JSON) read as points.

A series is named by its resource and its data point: the resource's ``tollgate.use_case`` (else ``service.name``) is
the key of the use case, ``tollgate.model_version`` the label of the version; the name of the metric, in small letters,
is its key; the data point's ``tollgate.segment`` is the segment, else all its attributes are (``region=eu,tier=gold``).
Gauges and sums give their value as it is sent; histograms and summaries give ``.count``, ``.sum`` and ``.avg``.

Source: the OpenTelemetry protocol, opentelemetry-proto 1.x, ``ExportMetricsServiceRequest`` in its JSON encoding (keys
in lowerCamelCase, 64-bit integers as text).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, NoReturn

import orjson
from django.utils.translation import gettext as _

from kernel.errors import Invalid

USE_CASE, VERSION, SEGMENT = "tollgate.use_case", "tollgate.model_version", "tollgate.segment"
SERVICE = "service.name"
VALUES = ("gauge", "sum")
DISTRIBUTIONS = ("histogram", "exponentialHistogram", "summary")
NO_VALUE = 1
"""The flag of a data point that says only that there is none."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_IN_A_KEY = re.compile(r"[^a-z0-9_.-]")


class DataPoint(NamedTuple):
    """A data point and the points that it gives; none if it says nothing that a series could keep."""

    metric: str
    points: list[dict[str, Any]]
    reason: str = ""


def read(body: bytes) -> list[DataPoint]:
    """Every data point of a request. Raises ``Invalid`` where the request itself cannot be read."""
    try:
        content = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        said = _("The body is not JSON: %(what)s at line %(line)d, column %(column)d.")
        raise Invalid(said % {"what": error.msg, "line": error.lineno, "column": error.colno}) from error
    try:
        return list(_data_points(content))
    except (AttributeError, TypeError, KeyError) as error:
        raise Invalid(_("The body is no ExportMetricsServiceRequest of OTLP in JSON.")) from error


def _data_points(content: Mapping[str, Any]) -> Iterator[DataPoint]:
    for resource_metrics in content.get("resourceMetrics") or ():
        resource = _attributes((resource_metrics.get("resource") or {}).get("attributes"))
        for scope in resource_metrics.get("scopeMetrics") or ():
            for metric in scope.get("metrics") or ():
                yield from _of_metric(metric, resource)


def _of_metric(metric: Mapping[str, Any], resource: Mapping[str, str]) -> Iterator[DataPoint]:
    name = str(metric.get("name", ""))
    for kind in (*VALUES, *DISTRIBUTIONS):
        for point in (metric.get(kind) or {}).get("dataPoints") or ():
            if not _whole(point.get("flags", 0)) & NO_VALUE:
                yield _read_one(metric, name, kind, point, resource)


def _read_one(
    metric: Mapping[str, Any], name: str, kind: str, point: Mapping[str, Any], resource: Mapping[str, str]
) -> DataPoint:
    try:
        shared = _shared(metric, name, point, resource)
        rows = [("", _value(point))] if kind in VALUES else _distribution(point)
        if kind not in VALUES:
            shared.pop("unit", None)  # a count has another unit than a sum
    except (ValueError, OverflowError) as error:
        return DataPoint(name, [], str(error) or _("It cannot be read."))
    return DataPoint(name, [{**shared, **row, "metric": shared["metric"] + suffix} for suffix, row in rows])


def _shared(
    metric: Mapping[str, Any], name: str, point: Mapping[str, Any], resource: Mapping[str, str]
) -> dict[str, Any]:
    use_case = resource.get(USE_CASE) or resource.get(SERVICE)
    if not use_case:
        raise ValueError(_("Its resource says neither tollgate.use_case nor service.name."))
    given = _attributes(point.get("attributes"))
    shared = {
        "use_case": use_case,
        "metric": _NOT_IN_A_KEY.sub("_", name.lower()),
        "segment": given.get(SEGMENT, ",".join(f"{key}={given[key]}" for key in sorted(given))),
        "version": resource.get(VERSION, ""),
        "time": _EPOCH + timedelta(microseconds=_whole(point.get("timeUnixNano", 0)) // 1000),
    }
    unit = str(metric.get("unit") or "")
    # "1" is UCUM's word for a number without a unit, and {requests} is a remark, not a unit.
    return shared | ({"unit": unit} if unit not in {"", "1"} and not unit.startswith("{") else {})


def _value(point: Mapping[str, Any]) -> dict[str, Any]:
    if "asInt" in point:
        return {"value": _whole(point["asInt"])}
    return {"value": _number(point.get("asDouble"))}


def _distribution(point: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Count, sum and mean, each with what is added to the metric's name; an empty distribution has no mean."""
    count = _whole(point.get("count", 0))
    rows: list[tuple[str, dict[str, Any]]] = [(".count", {"value": count})]
    if point.get("sum") is not None:
        total = _number(point["sum"])
        rows.append((".sum", {"value": total, "n": count}))
        if count:
            rows.append((".avg", {"value": total / count, "n": count}))
    return rows


def _attributes(given: Any) -> dict[str, str]:
    return {str(each["key"]): _text(each.get("value") or {}) for each in given or ()}


def _text(value: Mapping[str, Any]) -> str:
    """An attribute's value as words: text, number or truth; what nests as JSON."""
    for kind in ("stringValue", "intValue", "doubleValue"):
        if kind in value:
            return str(value[kind])
    if "boolValue" in value:
        return "true" if value["boolValue"] else "false"
    return orjson.dumps(value).decode() if value else ""


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        _refuse(value)
    try:
        return int(value)
    except ValueError:
        _refuse(value)


def _number(value: object) -> float:
    # NaN and Infinity come as text in this encoding; they are refused like everywhere.
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(value)
    return float(value)


def _refuse(value: object) -> NoReturn:
    raise ValueError(_("%(value)s is not a finite number.") % {"value": str(value)[:40]})
