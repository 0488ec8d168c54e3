"""A series as the chart component reads it: values, baseline, limits, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import pstdev
from typing import Any

from django.utils.translation import gettext as _

from monitoring.marker import Mark, MarkerSource, markers
from monitoring.models import Rule, Series
from monitoring.selectors.buckets import Bucket, buckets, first_time
from monitoring.spans import Span
from monitoring.wording import series_name

BUCKETS = 500
MOST_MARKERS = 100
MOST_OVERLAID = 6
BAND_OVER = timedelta(days=30)
BAND_SAMPLE, BAND_LEAST = 200, 10


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be drawn beside the series itself."""

    span: Span
    count: int = BUCKETS
    compare: bool = False
    overlaid: Sequence[Series] = ()


@dataclass(frozen=True, slots=True)
class Happened:
    """One mark with the source that knows it."""

    source: type[MarkerSource]
    mark: Mark


def bounds(series: Series, span: Span) -> tuple[datetime, datetime]:
    """Start and end of the span; everything begins with the first value."""
    if span.start is not None:
        return span.start, span.end
    return first_time(series) or span.end - timedelta(days=1), span.end


def chart_of(series: Series, asked: Asked) -> dict[str, Any]:
    """The JSON of the chart; also what the "Data" link gives."""
    start, end = bounds(series, asked.span)
    found = buckets(series, start=start, end=end, count=asked.count)
    lines = list(_lines(series, found, alone=not (asked.compare or asked.overlaid)))
    for other in asked.overlaid:
        points = buckets(other, start=start, end=end, count=asked.count)
        lines.append({"name": _label(other), "points": [[_iso(b.time), b.mean] for b in points]})
    if asked.compare:
        lines.append(_earlier(series, start, end, asked.count))
    happened = what_happened([series, *asked.overlaid], start, end)
    return {
        "kind": "line",
        "zoom": True,
        "unit": series.unit,
        "x": {"type": "time", "min": _iso(start), "max": _iso(end)},
        "y": {"type": "value", "label": series.unit},
        "series": lines,
        "thresholds": list(_thresholds(series)),
        "bands": [*_usual(series), *(_band(each.mark) for each in happened if each.mark.until)],
        "markers": [_marker(each.mark) for each in happened if not each.mark.until],
        "buckets": {"asked": asked.count, "points": sum(bucket.count for bucket in found)},
    }


def what_happened(series: Sequence[Series], start: datetime, end: datetime) -> list[Happened]:
    """The newest marks of every source within the span, oldest first: one or two queries a source."""
    kinds = sorted(markers, key=lambda kind: (kind.order, kind.key))
    found = [Happened(kind, mark) for kind in kinds for mark in kind().marks(series, start, end)]
    return sorted(found, key=lambda each: each.mark.at)[-MOST_MARKERS:]


def mean_of(found: list[Bucket]) -> float | None:
    """The mean over all points of the buckets."""
    count = sum(bucket.count for bucket in found)
    return sum(bucket.mean * bucket.count for bucket in found) / count if count else None


def _lines(series: Series, found: Sequence[Bucket], *, alone: bool) -> Iterator[dict[str, Any]]:
    if not alone:
        yield {"name": _label(series), "points": [[_iso(b.time), b.mean] for b in found]}
    elif any(bucket.count > 1 for bucket in found):
        yield {"name": _("Mean"), "points": [[_iso(b.time), b.mean] for b in found]}
        yield {"name": _("Least"), "tone": "neutral", "points": [[_iso(b.time), b.min] for b in found]}
        yield {"name": _("Greatest"), "tone": "neutral", "points": [[_iso(b.time), b.max] for b in found]}
    else:
        yield {"name": _("Value"), "points": [[_iso(b.time), b.last] for b in found]}


def _earlier(series: Series, start: datetime, end: datetime, count: int) -> dict[str, Any]:
    """The same length of time before, moved forward so that both lie over each other."""
    length = end - start
    found = buckets(series, start=start - length, end=start, count=count)
    points = [[_iso(b.time + length), b.mean] for b in found]
    return {"name": _("The period before"), "tone": "neutral", "points": points}


def _label(series: Series) -> str:
    name = series_name(series)
    return f"{name} · {series.version.label}" if series.version else name


def _usual(series: Series) -> Iterator[dict[str, Any]]:
    """The band in which values lay when the baseline was set: two standard deviations about it.

    Of at most 200 values over the 30 days before; fewer than 10 say nothing about what is usual, and give no band.
    """
    if series.baseline is None or series.baseline_at is None:
        return
    moment = series.baseline_at
    sample = [b.last for b in buckets(series, start=moment - BAND_OVER, end=moment, count=BAND_SAMPLE)]
    if len(sample) >= BAND_LEAST and (spread := 2 * pstdev(sample)):
        low, high = series.baseline - spread, series.baseline + spread
        yield {"from": low, "to": high, "label": _("Usual"), "tone": "info"}


def _thresholds(series: Series) -> Iterator[dict[str, Any]]:
    if series.baseline is not None:
        yield {"value": series.baseline, "label": _("Baseline"), "tone": "info"}
    seen: set[tuple[str, float]] = set()
    for rule in Rule.objects.filter(series=series, enabled=True, condition="threshold"):
        for value, label, tone in (
            (rule.warn, _("Warn"), "attention"),
            (rule.warn_high, _("Warn"), "attention"),
            (rule.act, _("Act"), "blocked"),
            (rule.act_high, _("Act"), "blocked"),
        ):
            if value is not None and (tone, value) not in seen:
                seen.add((tone, value))
                yield {"value": value, "label": label, "tone": tone}


def _band(mark: Mark) -> dict[str, Any]:
    return {"axis": "x", "from": _iso(mark.at), "to": _iso(mark.until), "label": mark.label, "tone": mark.tone}


def _marker(mark: Mark) -> dict[str, Any]:
    return {"at": _iso(mark.at), "label": mark.label, "tone": mark.tone, "detail": mark.detail, "url": mark.url}


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""
