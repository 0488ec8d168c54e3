"""Numbers and limits as people read them."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import ngettext

from monitoring.catalogue import metric_name
from monitoring.condition import Condition, Reading, conditions
from monitoring.models import Rule, Series

UNSPOKEN = frozenset({"", "ratio", "index", "score", "0-1"})
"""Units of numbers that have none."""


def number(value: float | None) -> str:
    """Six significant digits, without an exponent or trailing zeros: 0.84, 1200, 0.000123."""
    if value is None:
        return "–"
    text = format(Decimal(f"{value:.6g}"), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_unit(value: float | None, unit: str) -> str:
    shown = number(value)
    if value is None or unit in UNSPOKEN:
        return shown
    return f"{shown}%" if unit == "%" else f"{shown} {unit}"


def metric_choices(series: QuerySet[Series]) -> list[tuple[str, str]]:
    """The metrics of these series, each by the name that a series of it has, in the order of names. One query."""
    named = {key: name or metric_name(key) for key, name in series.order_by("-pk").values_list("metric", "name")}
    return sorted(named.items(), key=lambda choice: choice[1].lower())


def series_name(series: Series) -> str:
    """What the series is called: its own name or its metric, with the segment."""
    name = series.name or metric_name(series.metric)
    return f"{name} ({series.segment})" if series.segment else name


def condition_of(rule: Rule) -> Condition:
    """What kind of rule it is, with its settings."""
    return conditions.get(rule.condition)(rule.params)


def limit_text(rule: Rule, level: str, unit: str) -> str:
    """What the level asks for: "at least 0.85", "between 1 and 15"; empty when the rule has no such level."""
    return condition_of(rule).asks(rule, level, unit)


def breach_text(rule: Rule, series: Series, reading: Reading, level: str) -> str:
    """One sentence for an alert: what was measured and what it should have been."""
    return condition_of(rule).says(rule, level, reading, name=series_name(series), unit=series.unit)


def span(seconds: float) -> str:
    """A length of time in its largest unit: "3 days", "5 hours", "10 minutes"."""
    if seconds >= 172_800:
        count = round(seconds / 86_400)
        return ngettext("%(n)d day", "%(n)d days", count) % {"n": count}
    if seconds >= 5400:
        count = round(seconds / 3600)
        return ngettext("%(n)d hour", "%(n)d hours", count) % {"n": count}
    count = max(round(seconds / 60), 1)
    return ngettext("%(n)d minute", "%(n)d minutes", count) % {"n": count}
