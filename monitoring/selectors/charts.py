"""A series as the chart component reads it: values, baseline, limits, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import ModelVersion
from monitoring.models import Alert, Rule, Series
from monitoring.selectors.buckets import Bucket, buckets, first_time
from monitoring.selectors.points import CLOCK_SKEW
from portfolio.models import StageChange

RANGES: dict[str, timedelta | None] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "all": None,
}
DEFAULT_RANGE = "30d"
BUCKETS = 500
MOST_MARKERS = 100


def span_of(series: Series, name: str) -> tuple[datetime, datetime]:
    """Start and end of a named range."""
    end = timezone.now() + CLOCK_SKEW
    length = RANGES.get(name, RANGES[DEFAULT_RANGE])
    if length is not None:
        return end - length, end
    return first_time(series) or end - timedelta(days=1), end


def chart_of(series: Series, start: datetime, end: datetime) -> dict[str, Any]:
    """The JSON of the chart; also what the "Data" link gives."""
    found = buckets(series, start=start, end=end, count=BUCKETS)
    lines = [{"name": _("Value"), "points": [[_iso(b.time), b.last] for b in found]}]
    if any(bucket.count > 1 for bucket in found):
        lines = [
            {"name": _("Mean"), "points": [[_iso(b.time), b.mean] for b in found]},
            {"name": _("Least"), "tone": "neutral", "points": [[_iso(b.time), b.min] for b in found]},
            {"name": _("Greatest"), "tone": "neutral", "points": [[_iso(b.time), b.max] for b in found]},
        ]
    return {
        "kind": "line",
        "unit": series.unit,
        "x": {"type": "time", "min": _iso(start), "max": _iso(end)},
        "y": {"type": "value", "label": series.unit},
        "series": lines,
        "thresholds": list(_thresholds(series)),
        "markers": sorted(_markers(series, start, end), key=lambda marker: str(marker["at"]))[-MOST_MARKERS:],
    }


def mean_of(found: list[Bucket]) -> float | None:
    """The mean over all points of the buckets."""
    count = sum(bucket.count for bucket in found)
    return sum(bucket.mean * bucket.count for bucket in found) / count if count else None


def _thresholds(series: Series) -> Iterator[dict[str, Any]]:
    if series.baseline is not None:
        yield {"value": series.baseline, "label": _("Baseline"), "tone": "info"}
    for rule in Rule.objects.filter(series=series, enabled=True):
        for value, label, tone in (
            (rule.warn, _("Warn"), "attention"),
            (rule.warn_high, _("Warn"), "attention"),
            (rule.act, _("Act"), "blocked"),
            (rule.act_high, _("Act"), "blocked"),
        ):
            if value is not None:
                yield {"value": value, "label": label, "tone": tone}


def _markers(series: Series, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """Alerts, deployments and moves between stages within the span: four queries at most."""
    for alert in Alert.objects.filter(series=series, opened_at__range=(start, end)):
        is_act = alert.level == Alert.Level.ACT
        label = _("Act") if is_act else _("Warn")
        yield {
            "at": _iso(alert.point_time or alert.opened_at),
            "label": label,
            "tone": "blocked" if is_act else "attention",
        }
    versions = ModelVersion.objects.filter(model__use_case=series.use_case_id, live_at__range=(start, end))
    for label, live_at in versions.values_list("label", "live_at"):
        yield {"at": _iso(live_at), "label": _("Live: %(label)s") % {"label": label}, "tone": "info"}
    for change in StageChange.objects.filter(use_case=series.use_case_id, at__range=(start, end)).exclude(
        from_stage=""
    ):
        yield {"at": _iso(change.at), "label": str(change.get_to_stage_display()), "tone": "met"}


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""
