"""Metric points from a file: CSV, JSON or NDJSON, checked enough to name the line before anything is sent."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

NUMBERS = {"value": float, "step": int, "n": int}


class BadFile(Exception):
    """The file cannot be read as points."""


def read_points(handle: IO[str], form: str) -> list[dict[str, Any]]:
    """`form`: "csv", "json" or "ndjson"."""
    if form == "csv":
        return list(_from_csv(handle))
    if form == "ndjson":
        return [
            _point(_parsed(line, number), f"line {number}") for number, line in enumerate(handle, 1) if line.strip()
        ]
    content = _parsed(handle.read(), 1)
    points = content.get("points") if isinstance(content, dict) else content
    if not isinstance(points, list):
        raise BadFile('expected a list of points, or an object with "points"')
    return [_point(point, f"points[{index}]") for index, point in enumerate(points)]


def form_of(name: str) -> str:
    """The form that a file's name promises."""
    forms = {".csv": "csv", ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson"}
    try:
        return forms[Path(name).suffix.lower()]
    except KeyError:
        raise BadFile(f"cannot tell what {name} holds; say --format csv, json or ndjson") from None


def batches(points: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(points), size):
        yield points[start : start + size]


def _from_csv(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(lines)
    for row in reader:
        where = f"line {reader.line_num}"
        if None in row:
            raise BadFile(f"{where}: more values than the header has columns")
        point: dict[str, Any] = {name: text for name, text in row.items() if text not in (None, "")}
        for name, number in NUMBERS.items():
            if name in point:
                try:
                    point[name] = number(point[name])
                except ValueError:
                    raise BadFile(f"{where}: {name} is not a number: {point[name]}") from None
        yield _point(point, where)


def _parsed(text: str, line: int) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadFile(f"line {line}: not JSON: {error}") from None


def _point(point: Any, where: str) -> dict[str, Any]:
    if not isinstance(point, dict):
        raise BadFile(f"{where}: a point is an object with time and value")
    for name in ("time", "value"):
        if name not in point:
            raise BadFile(f"{where}: {name} is missing")
    value = point["value"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadFile(f"{where}: value is not a finite number: {value}")
    return point
