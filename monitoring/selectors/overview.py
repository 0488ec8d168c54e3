"""What pages show of many systems: who is watched, who needs attention, which alerts are how old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, IntegerField, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from monitoring.models import Alert, Rule, Series, Source
from monitoring.selectors.points import recent_points
from portfolio.models import Assurance, UseCase

RESOLVED = Alert.AlertState.RESOLVED
SPARK_POINTS = 40
AGES: tuple[tuple[str, timedelta | None, timedelta | None], ...] = (
    ("day", None, timedelta(days=1)),
    ("week", timedelta(days=1), timedelta(days=7)),
    ("month", timedelta(days=7), timedelta(days=30)),
    ("older", timedelta(days=30), None),
)

AGE_LABELS = {
    "day": gettext_lazy("under a day"),
    "week": gettext_lazy("1 to 7 days"),
    "month": gettext_lazy("7 to 30 days"),
    "older": gettext_lazy("over 30 days"),
}


@dataclass(slots=True)
class Card:
    """A series with what a person wants to know of it at a glance."""

    series: Series
    state: str
    """ok, warn, act, silent, new (no point yet), off, unwatched (no rule)"""
    points: Sequence[float]
    rule: Rule | None
    """The rule that decides most."""
    change: float | None
    """Last value against the baseline, in per cent."""


def watched(user: User) -> QuerySet[UseCase]:
    """Use cases with a series or a source, with ``acts, warns, oldest, silent, failing, series_count, newest``."""
    visible = for_user(UseCase.objects.select_related("unit"), user, "use_case.view")
    series = Series.objects.filter(use_case=OuterRef("pk"))
    sources = Source.objects.filter(use_case=OuterRef("pk"))
    alerts = Alert.objects.filter(series__use_case=OuterRef("pk")).exclude(state=RESOLVED)
    now = timezone.now()
    return visible.filter(Exists(series) | Exists(sources)).annotate(
        acts=_count(alerts.filter(level=Alert.Level.ACT), "series__use_case"),
        warns=_count(alerts.filter(level=Alert.Level.WARN), "series__use_case"),
        oldest=_one(alerts, "series__use_case", Min("opened_at")),
        silent=_count(series.filter(enabled=True, silent_after__lt=now), "use_case"),
        failing=_count(sources.filter(enabled=True, health__in=FAILING), "use_case"),
        series_count=_count(series, "use_case"),
        newest=_one(series, "use_case", Max("last_time")),
    )


FAILING = (Source.Health.FAILING, Source.Health.BROKEN)


def numbers(user: User) -> dict[str, int]:
    """The numbers above the overview, in three queries."""
    now = timezone.now()
    alerts = for_user(Alert.objects.exclude(state=RESOLVED), user, "use_case.view")
    found = alerts.aggregate(
        acts=Count("pk", filter=Q(level=Alert.Level.ACT)),
        warns=Count("pk", filter=Q(level=Alert.Level.WARN)),
        owed=Count("pk", filter=Q(level=Alert.Level.ACT, outcome="")),
        **{
            f"{level}_{age}": Count("pk", filter=Q(level=level) & _aged(now, at_least, below))
            for level in Alert.Level.values
            for age, at_least, below in AGES
        },
    )
    series = for_user(Series.objects.filter(enabled=True), user, "use_case.view")
    found |= series.aggregate(
        series=Count("pk"),
        systems=Count("use_case", distinct=True),
        silent=Count("pk", filter=Q(silent_after__lt=now)),
        at_risk=Count("use_case", distinct=True, filter=Q(use_case__assurance=Assurance.AT_RISK)),
        reapproval=Count("use_case", distinct=True, filter=Q(use_case__assurance=Assurance.REAPPROVAL)),
        in_force=Count("use_case", distinct=True, filter=Q(use_case__assurance=Assurance.IN_FORCE)),
    )
    sources = for_user(Source.objects.filter(enabled=True), user, "use_case.view")
    return found | sources.aggregate(sources=Count("pk"), failing=Count("pk", filter=Q(health__in=FAILING)))


def alert_ages(found: Mapping[str, int]) -> list[dict[str, Any]]:
    """Open alerts by level and age, out of ``numbers``."""
    return [
        {"label": AGE_LABELS[age], "act": found[f"act_{age}"], "warn": found[f"warn_{age}"]}
        for age, _from, _below in AGES
    ]


def cards(series: Sequence[Series]) -> list[Card]:
    """The series as cards: their rules, unresolved alerts and newest points in three queries."""
    ids = [one.pk for one in series]
    recent = recent_points(ids, SPARK_POINTS)
    alerts: dict[int, list[Alert]] = {}
    for alert in Alert.objects.filter(series__in=ids).exclude(state=RESOLVED):
        alerts.setdefault(alert.series_id, []).append(alert)
    rules: dict[int, Rule] = {}
    listed = Rule.objects.filter(series__in=ids, enabled=True).select_related("series")
    for rule in listed.order_by(F("act").asc(nulls_last=True), "created_at"):
        rules.setdefault(rule.series_id, rule)
    return [
        Card(
            series=one,
            state=state_of(one, alerts.get(one.pk, []), has_rule=one.pk in rules),
            points=[point.value for point in recent[one.pk]],
            rule=rules.get(one.pk),
            change=_change(one),
        )
        for one in series
    ]


def state_of(series: Series, alerts: Sequence[Alert], *, has_rule: bool) -> str:
    """The worst that can be said of a series."""
    if not series.enabled:
        return "off"
    if any(alert.level == Alert.Level.ACT and alert.rule_id for alert in alerts):
        return "act"
    if any(alert.rule_id is None for alert in alerts):
        return "silent"
    if alerts:
        return "warn"
    if series.last_time is None:
        return "new"
    return "ok" if has_rule else "unwatched"


def _change(series: Series) -> float | None:
    if not series.baseline or series.last_value is None:
        return None
    return (series.last_value - series.baseline) / abs(series.baseline) * 100


def _aged(now: datetime, at_least: timedelta | None, below: timedelta | None) -> Q:
    condition = Q()
    if at_least is not None:
        condition &= Q(opened_at__lte=now - at_least)
    if below is not None:
        condition &= Q(opened_at__gt=now - below)
    return condition


def _count(rows: QuerySet[Any], by: str) -> Coalesce:
    counted = rows.order_by().values(by).annotate(found=Count("pk")).values("found")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _one(rows: QuerySet[Any], by: str, what: Any) -> Subquery:
    return Subquery(rows.order_by().values(by).annotate(found=what).values("found"))
