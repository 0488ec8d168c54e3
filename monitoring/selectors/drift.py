"""What pages of drift draw: two histograms of a feature, its past, and the share of drifted features over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from monitoring.models import DataProfile, DriftReport, DriftResult
from monitoring.profiles import Categories, Kind, Numbers
from monitoring.profiles.columns import Column
from monitoring.profiles.wire import unpack_column
from monitoring.statistic import statistics
from portfolio.models import UseCase

BARS = 40
MOST_VALUES = 20
TAIL = 0.002
"""Share of the rows at either end that is drawn as one bar."""
MOST_REPORTS = 200


def columns_of(result: DriftResult) -> tuple[Column | None, Column | None]:
    """The feature as the reference and as the newer data have it."""
    bodies = dict(
        DataProfile.objects.filter(pk__in=[result.report.reference_id, result.report.current_id]).values_list(
            "pk", "body"
        )
    )
    found = [bodies.get(pk) for pk in (result.report.reference_id, result.report.current_id)]
    before, now = (None if body is None else unpack_column(bytes(body), result.name) for body in found)
    return before, now


def histogram(before: Column | None, now: Column | None) -> dict[str, Any]:
    """Both histograms over the same bars, in percent of the rows that have a value, as a chart's JSON."""
    known = [column for column in (before, now) if column is not None]
    if known and isinstance(known[0], Categories):
        labels, shares = _by_value([c if isinstance(c, Categories) else None for c in (before, now)])
        title = _("Category")
    else:
        labels, shares = _by_bar([c if isinstance(c, Numbers) else None for c in (before, now)])
        title = _("Value")
    names = (_("Reference"), _("Newer data"))
    return {
        "kind": "histogram",
        "unit": "%",
        "x": {"type": "category", "label": title, "categories": labels},
        "y": {"type": "value", "zero": True},
        "series": [
            {"name": name, "points": [round(100 * float(share), 3) for share in each]}
            for name, each in zip(names, shares, strict=True)
        ],
    }


def history(result: DriftResult) -> dict[str, Any]:
    """The effect of this feature in the reports of its use case and version, as a chart's JSON."""
    report = result.report
    rows = (
        DriftResult.objects.filter(
            name=result.name,
            report__use_case_id=report.use_case_id,
            report__version_id=report.version_id,
            effect_key=result.effect_key,
            effect__isnull=False,
        )
        .order_by("-report__as_of")
        .values_list("report__as_of", "effect", "report__pk")[:MOST_REPORTS]
    )
    effect = statistics.get(result.effect_key).label if result.effect_key in statistics else ""
    limit = report.terms.get("limit")
    return {
        "kind": "line",
        "unit": "",
        "x": {"type": "time"},
        "y": {"type": "value", "zero": True},
        "series": [{"name": str(effect), "points": [[_iso(at), value] for at, value, _pk in reversed(rows)]}],
        "thresholds": [{"value": limit, "label": _("limit")}] if limit is not None else [],
    }


def shares(use_case: UseCase) -> dict[str, Any]:
    """The share of drifted features over time, one line a model version, as a chart's JSON."""
    rows = (
        DriftReport.objects.filter(use_case=use_case)
        .exclude(verdict=DriftReport.Outcome.NOTHING)
        .order_by("-as_of")
        .values_list("as_of", "share", "version__label", "terms")[:MOST_REPORTS]
    )
    lines: dict[str, list[list[Any]]] = {}
    for at, share, label, _terms in reversed(rows):
        lines.setdefault(label or _("All versions"), []).append([_iso(at), round(share, 2)])
    newest = rows[0][3] if rows else {}
    levels = (("warn_share", _("watch"), "attention"), ("act_share", _("drift"), "blocked"))
    return {
        "kind": "line",
        "unit": "%",
        "x": {"type": "time"},
        "y": {"type": "value", "min": 0, "max": 100},
        "series": [{"name": name, "points": points} for name, points in lines.items()],
        "thresholds": [
            {"value": newest[key], "label": label, "tone": tone} for key, label, tone in levels if key in newest
        ],
    }


def _by_value(columns: Sequence[Categories | None]) -> tuple[list[str], list[list[float]]]:
    """The most frequent values of either, and everything else together."""
    most: dict[str, float] = {}
    totals = [column.n if column else 0 for column in columns]
    for index, column in enumerate(columns):
        for value, count in column.counts.items() if column else ():
            most[value] = max(most.get(value, 0.0), count / max(totals[index], 1))
    chosen = sorted(most, key=lambda value: (-most[value], value))[:MOST_VALUES]
    shown = [
        [column.counts.get(value, 0) / max(column.n, 1) for value in chosen] if column else [0.0] * len(chosen)
        for column in columns
    ]
    rest = [1 - sum(each) if column and column.n else 0.0 for column, each in zip(columns, shown, strict=True)]
    if max(rest) > 1e-9:
        return [*chosen, _("everything else")], [[*each, max(0.0, r)] for each, r in zip(shown, rest, strict=True)]
    return chosen, shown


def _by_bar(columns: Sequence[Numbers | None]) -> tuple[list[str], list[list[float]]]:
    """Bars of as many cells each over where the bulk of either lies; what is outside is in the first and last bar."""
    known = [column for column in columns if column is not None and column.n]
    if not known:
        return [], [[], []]
    lattice = known[0].lattice
    heaped = [column.cumulative() for column in known]
    low = min(int(np.searchsorted(each, TAIL, side="right")) - 1 for each in heaped)
    high = max(int(np.searchsorted(each, 1 - TAIL)) for each in heaped)
    low, high = max(0, low), min(lattice.cells, max(high, low + 1))
    step = max(1, -(-(high - low) // BARS))
    edges = np.minimum(np.arange(low, high + step, step), lattice.cells)
    edges = np.unique(edges)
    found = []
    for column in columns:
        if column is None or not column.n:
            found.append([0.0] * (len(edges) - 1))
            continue
        inner = column.cumulative()[edges]
        inner[0], inner[-1] = 0.0, 1.0
        found.append(np.diff(inner).tolist())
    at = lattice.lo + edges * lattice.width
    return [_bar(at[i], at[i + 1], known[0], step) for i in range(len(edges) - 1)], found


def _bar(start: float, end: float, column: Numbers, step: int) -> str:
    if column.frame.kind is Kind.TIME:
        return _time(start)
    if column.lattice.whole:
        first, last = round(start + 0.5), round(end - 0.5)
        return str(first) if step == 1 else f"{first}–{last}"
    return f"{start:.4g}"


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return f"{seconds:.4g}"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
