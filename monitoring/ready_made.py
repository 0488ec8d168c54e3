"""Dashboards that nobody has to make: what a person would want to see of a use case, a version, a unit, everything."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from monitoring.layouts import Layout
from monitoring.models import Series
from monitoring.series_refs import ref_of
from monitoring.widget import PORTFOLIO, UNIT, USE_CASE, Scope, widgets

MOST_VALUES, MOST_LINES = 4, 4


def ready_made(scope: Scope, user: User) -> Layout:
    """The layout for a scope, from the series that are there. At most one query."""
    if scope.kind in (PORTFOLIO, UNIT):
        first = [_block(name) for name in ("assurance", "alerts", "drift")]
        second = [_block("kpis", width=8), _block("decisions"), _block("sources"), _block("series_table", width=8)]
        return _numbered([*first, *second])
    series = _by_weight(list(scope.series(user).filter(enabled=True)), scope)
    blocks = [_block("value", width=3, series=[ref_of(one, scope)]) for one in series[:MOST_VALUES]]
    if scope.kind == USE_CASE:
        blocks += [_block("kpis", width=8), _block("assurance", width=4)]
    lines = series[:MOST_LINES]
    blocks += [_block("line", width=6 if len(lines) > 1 else 12, series=[ref_of(one, scope)]) for one in lines]
    blocks += [_block("alerts", width=4), _block("drift", width=4)]
    if scope.kind == USE_CASE:
        blocks += [_block("sources", width=4), _block("decisions", width=4)]
    table = _block("series_table", width=8 if scope.kind == USE_CASE else 12)
    return _numbered([*blocks, table])


def _by_weight(series: list[Series], scope: Scope) -> list[Series]:
    """The metric that decides quality first, then what has a baseline, whole before segments."""
    primary = scope.use_case.primary_metric if scope.use_case is not None else ""
    return sorted(
        (one for one in series if one.last_time is not None),
        key=lambda one: (one.metric != primary, bool(one.segment), one.baseline is None, one.metric, one.pk),
    )


def _block(key: str, *, width: int = 0, **params: Any) -> dict[str, Any]:
    kind = widgets.get(key)
    return {"widget": key, "title": "", "width": width or kind.width, "height": kind.height, "params": params}


def _numbered(blocks: list[dict[str, Any]]) -> Layout:
    return [{"id": f"w{number}", **block} for number, block in enumerate(blocks, start=1)]
