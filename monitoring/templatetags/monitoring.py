"""What templates ask of monitoring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template

from monitoring.catalogue import metric_name
from monitoring.drift_wording import number_words, p_words
from monitoring.models import Rule, Series, Source
from monitoring.selectors.facts import FIXED
from monitoring.selectors.source_health import breaker, lag
from monitoring.wording import limit_text, number
from monitoring.wording import series_name as name_of

register = template.Library()


@register.filter
def series_name(series: Series) -> str:
    """What the series is called: its own name, or its metric, with the segment."""
    return name_of(series)


@register.filter
def metric_label(key: str) -> str:
    """What the catalogue calls a metric; one of somebody's own by its key."""
    return metric_name(key)


@register.filter
def asks(rule: Rule, level: str) -> str:
    """What a level of the rule asks for, in words."""
    return limit_text(rule, level, rule.series.unit)


@register.filter
def fixed_act(rule: Rule | None) -> float | None:
    """The act limit where it is a value of the series, which a chart can draw."""
    return rule.act if rule and rule.condition == FIXED else None


@register.filter
def measured(value: float | None) -> str:
    """A measured number in six significant digits: 0.84, 1200; a dash for none."""
    return number(value)


@register.filter
def iso(text: str | None) -> str:
    """A moment of a widget's JSON as people write it, in UTC: "21 Nov 2026 06:00"."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%-d %b %Y %H:%M}" if text else ""


@register.filter
def iso_day(text: str | None) -> str:
    """The day of it."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%-d %b %Y}" if text else ""


@register.simple_tag
def source_lag(source: Source, now: datetime) -> timedelta | None:
    """How old the newest point of a source is."""
    return lag(source, now)


@register.simple_tag
def source_breaker(source: Source, now: datetime) -> str:
    """The state of a source's breaker in words."""
    return breaker(source, now)


@register.filter
def effect(value: object) -> str:
    """A statistic in three digits; what is too small to matter as a bound."""
    return number_words(value)


@register.filter
def p_value(value: object) -> str:
    """A p-value, which is never nothing."""
    return p_words(value)
