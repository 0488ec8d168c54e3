"""What gates ask of monitoring, for many use cases at once and for any date, in a constant number of queries.

Asked without ids (None), each answers for every use case of which there is something; asked with ids, each id has an
entry. Numbers leave here as ``Decimal``: a threshold that decides a gate must not depend on how a float is printed. A
date in the past sees only what had been received by then; for now, what ingestion keeps on each series is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from kernel.prepared import Question
from monitoring.models import Alert, Rule, Series
from monitoring.selectors.points import last_points

DRIFT = "drift"
FIXED = "threshold"
"""The condition whose limits are values of the series; those of others are changes or counts."""


def latest_values(use_case_ids: Iterable[UUID] | None, at: datetime) -> dict[UUID, dict[str, dict[str, Any]]]:
    """use case -> metric -> ``value, at, series_id, version_label, segment, n`` of the newest point known at ``at``.

    Where a metric has several series, the one over all segments is preferred, then the newest point; series of a
    version that was retired by then do not count. ``n`` is the number of observations behind the value, or None if
    nobody said. Two queries at most.
    """
    ids = _listed(use_case_ids)
    found: dict[UUID, dict[str, dict[str, Any]]] = {use_case_id: {} for use_case_id in ids or ()}
    best: dict[tuple[UUID, str], tuple[bool, datetime, int]] = {}
    for row in _series_at(ids, at):
        if row.time is None or row.value is None or (row.retired_at is not None and row.retired_at <= at):
            continue
        key = (row.use_case_id, row.metric)
        rank = (row.segment == "", row.time, row.version_number)
        if key not in best or rank > best[key]:
            best[key] = rank
            found.setdefault(row.use_case_id, {})[row.metric] = {
                "value": exact(row.value),
                "at": row.time,
                "series_id": row.id,
                "version_label": row.version_label,
                "segment": row.segment,
                "n": row.n,
            }
    return found


def monitors(use_case_ids: Iterable[UUID] | None, at: datetime) -> dict[UUID, list[dict[str, Any]]]:
    """use case -> its series, each with the keys
    ``metric, series_id, segment, version_label, kinds, last_time, baseline, rules, enabled``.

    ``last_time`` and ``baseline`` are None where there is none yet. ``rules`` sums up the rules in force: ``count``,
    and ``op, warn, act, warn_high, act_high, reaction`` of the one that decides most (one with an act limit first,
    of these a fixed limit, then the oldest); ``op`` is the kind of rule where its limits are not values of the
    series; all None and "" without a rule. Three queries at most.
    """
    ids = _listed(use_case_ids)
    found: dict[UUID, list[dict[str, Any]]] = {use_case_id: [] for use_case_id in ids or ()}
    rules = _rules_at(ids, at)
    for row in _series_at(ids, at):
        baseline = row.baseline if row.baseline_at is None or row.baseline_at <= at else None
        found.setdefault(row.use_case_id, []).append(
            {
                "metric": row.metric,
                "series_id": row.id,
                "segment": row.segment,
                "version_label": row.version_label,
                "kinds": list(row.kinds),
                "last_time": row.time,
                "baseline": None if baseline is None else exact(baseline),
                "rules": rules.get(row.id) or _no_rules(),
                "enabled": row.enabled,
            }
        )
    return found


def open_alerts(use_case_ids: Iterable[UUID] | None, at: datetime) -> dict[UUID, list[dict[str, Any]]]:
    """use case -> alerts unresolved at ``at``: ``id, metric, drift, silence, level, opened_at, act_since, decided,
    outcome, acknowledged, message``; the oldest first. One query.

    ``decided`` says whether the decision owed after a breach had been recorded by then.
    """
    ids = _listed(use_case_ids)
    found: dict[UUID, list[dict[str, Any]]] = {use_case_id: [] for use_case_id in ids or ()}
    rows = _ALERTS.of(ids, at)
    for pk, use_case, metric, kinds, rule, opened, act_since, decided_at, outcome, acknowledged, message in rows:
        decided = decided_at is not None and decided_at <= at
        found.setdefault(use_case, []).append(
            {
                "id": pk,
                "metric": metric,
                "drift": DRIFT in kinds and rule is not None,
                "silence": rule is None,
                "level": "act" if act_since is not None and act_since <= at else "warn",
                "opened_at": opened,
                "act_since": act_since if act_since is not None and act_since <= at else None,
                "decided": decided,
                "outcome": outcome if decided else "",
                "acknowledged": acknowledged is not None and acknowledged <= at,
                "message": message,
            }
        )
    return found


def exact(value: float) -> Decimal:
    """The shortest decimal that reads back as this float: 0.1 becomes 0.1, not 0.1000000000000000055."""
    return Decimal(repr(float(value)))


def _listed(use_case_ids: Iterable[UUID] | None) -> list[UUID] | None:
    return None if use_case_ids is None else list(use_case_ids)


def _among(path: str, ids: Sequence[UUID] | None) -> Q:
    return Q() if ids is None else Q(**{f"{path}__in": ids})


_ALERTS = Question(
    lambda ids, at: (
        Alert.objects.filter(_among("series__use_case", ids), opened_at__lte=at)
        .filter(Q(resolved_at__isnull=True) | Q(resolved_at__gt=at))
        .order_by("opened_at", "pk")
        .values_list(
            "pk",
            "series__use_case_id",
            "series__metric",
            "series__kinds",
            "rule_id",
            "opened_at",
            "act_since",
            "decided_at",
            "outcome",
            "acknowledged_at",
            "message",
        )
    )
)
_SERIES = Question(
    lambda ids, at: (
        Series.objects.filter(_among("use_case", ids), created_at__lte=at)
        .order_by("pk")
        .values_list(
            "pk",
            "use_case_id",
            "metric",
            "segment",
            "kinds",
            "enabled",
            "version__label",
            "version__number",
            "version__retired_at",
            "baseline",
            "baseline_at",
            "last_time",
            "last_value",
            "last_n",
            "last_received_at",
        )
    )
)
_RULES = Question(
    lambda ids, at: Rule.objects.filter(_among("series__use_case", ids), created_at__lte=at, enabled=True).values_list(
        "series_id", "op", "warn", "act", "warn_high", "act_high", "reaction", "created_at", "condition"
    )
)


@dataclass(slots=True)
class _SeriesAt:
    """A series as it stood at a date."""

    id: int
    use_case_id: UUID
    metric: str
    segment: str
    kinds: list[str]
    enabled: bool
    version_label: str
    version_number: int
    retired_at: datetime | None
    baseline: float | None
    baseline_at: datetime | None
    time: datetime | None
    value: float | None
    n: int | None


def _series_at(ids: Sequence[UUID] | None, at: datetime) -> list[_SeriesAt]:
    found, earlier = [], []
    for row in _SERIES.of(ids, at):
        pk, use_case, metric, segment, kinds, enabled, label, number, retired_at = row[:9]
        baseline, baseline_at, time, value, n, received = row[9:]
        series = _SeriesAt(
            id=pk,
            use_case_id=use_case,
            metric=metric,
            segment=segment,
            kinds=kinds,
            enabled=enabled,
            version_label=label or "",
            version_number=number or 0,
            retired_at=retired_at,
            baseline=baseline,
            baseline_at=baseline_at,
            time=time,
            value=value,
            n=n,
        )
        found.append(series)
        if received is not None and received > at:
            earlier.append(series)  # something came since: what was newest then is in the points
    if earlier:
        then = last_points([series.id for series in earlier], at)
        for series in earlier:
            point = then.get(series.id)
            series.time, series.value, series.n = (point.time, point.value, point.n) if point else (None, None, None)
    return found


def _rules_at(ids: Sequence[UUID] | None, at: datetime) -> dict[int, dict[str, Any]]:
    """series -> summary of the rules in force at ``at``; the rule that decides most comes first."""
    found: dict[int, dict[str, Any]] = {}
    for series, op, warn, act, warn_high, act_high, reaction, _created, condition in sorted(
        _RULES.of(ids, at), key=lambda row: (row[0], row[3] is None, row[8] != FIXED, row[7])
    ):
        if series in found:
            found[series]["count"] += 1
            continue
        found[series] = {
            "count": 1,
            "op": op if condition == FIXED else condition,
            "warn": _exact(warn),
            "act": _exact(act),
            "warn_high": _exact(warn_high),
            "act_high": _exact(act_high),
            "reaction": reaction,
        }
    return found


def _exact(value: float | None) -> Decimal | None:
    return None if value is None else exact(value)


def _no_rules() -> dict[str, Any]:
    return {
        "count": 0,
        "op": "",
        "warn": None,
        "act": None,
        "warn_high": None,
        "act_high": None,
        "reaction": "",
    }
