"""Reads across sources, series, points, rules and alerts."""

from __future__ import annotations

from monitoring.selectors.buckets import Bucket, buckets, first_time
from monitoring.selectors.facts import latest_values, monitors, open_alerts
from monitoring.selectors.points import last_points, points_of, points_since, recent_points

__all__ = [
    "Bucket",
    "buckets",
    "first_time",
    "last_points",
    "latest_values",
    "monitors",
    "open_alerts",
    "points_of",
    "points_since",
    "recent_points",
]
