"""What a decision about a breach is based on: the alert, its values as text without rounding, and the very points.

Of each point its revision is named, so that a value which is corrected later is told apart from the one decided on.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from monitoring.models import Alert, Point
from monitoring.selectors.facts import exact

POINTS = 5
"""How many of the newest points up to the alert's own are kept with the decision."""


def breach_facts(alert: Alert) -> dict[str, Any]:
    """Plain data without floats, for a digest. Two queries."""
    series, rule = alert.series, alert.rule
    return {
        "alert": alert.pk,
        "level": alert.level,
        "state": alert.state,
        "message": alert.message,
        "opened_at": alert.opened_at,
        "act_since": alert.act_since,
        "value": _exact(alert.value),
        "limit": _exact(alert.limit),
        "series": series.pk,
        "metric": series.metric,
        "segment": series.segment,
        "unit": series.unit,
        "version": series.version.label if series.version else "",
        "rule": None if rule is None else {"id": rule.pk, "name": rule.name, "op": rule.op, "act": _exact(rule.act)},
        "points": _points(alert),
    }


def excess(value: float | None, limit: float | None) -> Decimal | None:
    """How far beyond its limit a value is; None where there is no number, as in silence."""
    return None if value is None or limit is None else abs(exact(value) - exact(limit))


def _points(alert: Alert) -> list[dict[str, Any]]:
    """The newest points, the oldest of them first, each in its newest revision."""
    rows = Point.objects.filter(series_id=alert.series_id)
    if alert.point_time is not None:
        rows = rows.filter(time__lte=alert.point_time)
    names = ("time", "step", "revision", "value", "received_at")
    found: dict[tuple[Any, int], dict[str, Any]] = {}
    for row in rows.order_by("-time", "-step", "-revision").values(*names)[: POINTS * 4]:
        found.setdefault((row["time"], row["step"]), {**row, "value": exact(row["value"])})
    return list(reversed(list(found.values())[:POINTS]))


def _exact(value: float | None) -> Decimal | None:
    return None if value is None else exact(value)
