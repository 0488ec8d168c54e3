"""What templates ask of monitoring."""

from __future__ import annotations

from django import template

from monitoring.models import Rule, Series
from monitoring.selectors.facts import FIXED
from monitoring.wording import limit_text
from monitoring.wording import series_name as name_of

register = template.Library()


@register.filter
def series_name(series: Series) -> str:
    """What the series is called: its own name, or its metric, with the segment."""
    return name_of(series)


@register.filter
def asks(rule: Rule, level: str) -> str:
    """What a level of the rule asks for, in words."""
    return limit_text(rule, level, rule.series.unit)


@register.filter
def fixed_act(rule: Rule | None) -> float | None:
    """The act limit where it is a value of the series, which a chart can draw."""
    return rule.act if rule and rule.condition == FIXED else None
