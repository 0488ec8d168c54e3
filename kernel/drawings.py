"""Small drawings made on the server, as text for SVG attributes.

Inline styles are not allowed, and numbers are turned to text here because a template would write them in the reader's
language ("0,5"), which SVG does not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

WIDTH, HEIGHT, MARGIN = 96, 24, 3
Number = float | Decimal


def sparkline(
    points: Sequence[Number | None], baseline: Number | None = None, threshold: Number | None = None
) -> dict[str, Any]:
    """Paths of unbroken runs, heights of the two reference lines and the last point, in a box of WIDTH by HEIGHT."""
    values = [None if point is None else float(point) for point in points]
    known = [value for value in values if value is not None]
    references = [float(value) for value in (baseline, threshold) if value is not None]
    lowest, highest = min(known + references, default=0.0), max(known + references, default=0.0)
    span = highest - lowest

    def x(index: int) -> float:
        return round(MARGIN + index * (WIDTH - 2 * MARGIN) / max(len(values) - 1, 1), 1)

    def y(value: float) -> float:
        if not span:
            return HEIGHT / 2
        return round(HEIGHT - MARGIN - (value - lowest) / span * (HEIGHT - 2 * MARGIN), 1)

    places = [None if value is None else (x(index), y(value)) for index, value in enumerate(values)]
    last = next((place for place in reversed(places) if place is not None), None)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "paths": [" ".join(f"{across},{down}" for across, down in run) for run in _runs(places)],
        "last": last and (str(last[0]), str(last[1])),
        "baseline_y": None if baseline is None else str(y(float(baseline))),
        "threshold_y": None if threshold is None else str(y(float(threshold))),
    }


def split(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts with `x` and `width` in hundredths of the whole; `count` decides."""
    total = sum(part["count"] for part in parts)
    placed, start = [], 0.0
    for part in parts:
        width = part["count"] * 100 / total
        placed.append({**part, "x": str(round(start, 3)), "width": str(round(width, 3))})
        start += width
    return placed


def _runs(places: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for place in places:
        if place is None:
            runs.append([])
        else:
            runs[-1].append(place)
    return [run for run in runs if run]
