"""The metric catalogue: what can be watched, in which unit, and where warn and act begin by default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CATALOGUE = Path(__file__).with_name("metrics.yaml")
HIGHER, LOWER, TARGET, INFO = "higher", "lower", "target", "info"
DIRECTIONS = (HIGHER, LOWER, TARGET, INFO)
KINDS = (
    "input",
    "output",
    "drift",
    "data_drift",
    "prediction_drift",
    "performance",
    "operations",
    "latency",
    "errors",
    "confidence",
    "cost",
    "logs",
)
"""The kinds of monitor that a series can count as."""

_BAND = re.compile(r"outside (-?\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")
_BOUND = re.compile(r"[<>]=?\s*(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a level begins: a number, a band (``low`` to ``high`` is inside), or words that name a local quantity."""

    text: str
    number: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_band(self) -> bool:
        return self.low is not None

    @property
    def is_known(self) -> bool:
        return self.number is not None or self.low is not None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the catalogue. ``warn`` and ``act`` are None where the limit is set per use case."""

    key: str
    name: str
    group: str
    unit: str
    direction: str
    formula: str
    warn: Limit | None
    act: Limit | None
    source: str
    monitors: tuple[str, ...]

    @property
    def op(self) -> str:
        """How a value is compared with its default limits; empty where there is nothing to compare."""
        known = [limit for limit in (self.warn, self.act) if limit and limit.is_known]
        if not known:
            return ""
        if known[0].is_band:
            return "between"
        return {HIGHER: ">=", LOWER: "<="}.get(self.direction, "")


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric by its key, in the order of the file."""
    raw = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    found = [_metric(group, row) for group, rows in raw.items() for row in rows]
    by_key = {metric.key: metric for metric in found}
    if len(by_key) != len(found):
        raise ValueError(f"{CATALOGUE.name} names a metric twice")
    return by_key


def metric(key: str) -> Metric | None:
    """The metric of that key, or None: an installation may watch metrics of its own."""
    return metrics().get(key)


def metric_name(key: str) -> str:
    known = metric(key)
    return known.name if known else key


def parse_limit(value: object) -> Limit | None:
    """A limit as the catalogue writes it: 0.85, "<0.05", "outside 1-15"; other text is kept without a number."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Limit(str(value), number=float(value))
    text = str(value)
    if band := _BAND.fullmatch(text):
        return Limit(text, low=float(band[1]), high=float(band[2]))
    if bound := _BOUND.fullmatch(text):
        return Limit(text, number=float(bound[1]))
    return Limit(text)


def _metric(group: str, row: dict[str, Any]) -> Metric:
    kinds = tuple(row["monitors"])
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ValueError(f"{CATALOGUE.name}: {row['key']} counts as unknown kinds of monitor: {', '.join(unknown)}")
    if row["direction"] not in DIRECTIONS:
        raise ValueError(f"{CATALOGUE.name}: {row['key']} has the unknown direction {row['direction']!r}")
    return Metric(
        key=row["key"],
        name=row["name"],
        group=group,
        unit=row["unit"],
        direction=row["direction"],
        formula=row["formula"],
        warn=parse_limit(row["warn"]),
        act=parse_limit(row["act"]),
        source=row["source"],
        monitors=kinds,
    )
