"""Champion and challenger over time, as the chart component reads them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from governance.models import ModelVersion
from monitoring.models import Answer, Comparison
from monitoring.selectors.buckets import buckets
from monitoring.selectors.comparing import reviews_of, series_of

BUCKETS = 200


def chart_of(comparison: Comparison) -> dict[str, Any]:
    """A line for each version: means of points, or the share of outputs a day that reviewers found wrong."""
    end = comparison.ends_at or comparison.decided_at or timezone.now()
    end = min(end, timezone.now()) + timedelta(minutes=5)
    lines = [
        {"name": f"{words} {version.label}", "points": list(_points(comparison, version, end))}
        for words, version in ((_("Champion"), comparison.champion), (_("Challenger"), comparison.challenger))
    ]
    markers = [{"at": _iso(comparison.starts_at), "label": _("Start"), "tone": "info"}]
    if comparison.decided_at:
        label = str(comparison.get_verdict_display())
        markers.append({"at": _iso(comparison.decided_at), "label": label, "tone": "met"})
    return {
        "kind": "line",
        "unit": comparison.unit,
        "x": {"type": "time", "min": _iso(comparison.starts_at), "max": _iso(end)},
        "y": {"type": "value", "label": comparison.unit},
        "series": lines,
        "markers": markers,
    }


def _points(comparison: Comparison, version: ModelVersion, end: datetime) -> Iterator[list[Any]]:
    if comparison.basis == Comparison.Basis.POINTS:
        series = series_of(comparison, comparison.metric, version.pk)
        if series is not None and comparison.starts_at < end:
            for bucket in buckets(series, start=comparison.starts_at, end=end, count=BUCKETS):
                yield [_iso(bucket.time), bucket.mean]
        return
    rows = reviews_of(comparison, version.pk, end)
    if comparison.basis == Comparison.Basis.PAIRS:
        rows = rows.exclude(output__case_id="")
    days = rows.annotate(day=TruncDate("output__at")).values("day")
    for row in days.annotate(n=Count("pk"), wrong=Count("pk", filter=~Q(answer=Answer.AGREE))).order_by("day"):
        yield [f"{row['day']:%Y-%m-%d}T00:00:00Z", round(100 * row["wrong"] / row["n"], 2)]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
