"""Numbers and limits as people read them."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitoring.catalogue import metric_name
from monitoring.models import Rule, Series
from monitoring.rules import ACT, BETWEEN, GTE

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


def series_name(series: Series) -> str:
    """What the series is called: its own name, or its metric with version and segment."""
    name = series.name or metric_name(series.metric)
    return f"{name} ({series.segment})" if series.segment else name


def limit_text(rule: Rule, level: str) -> str:
    """What the level asks for: "at least 0.85", "between 1 and 15"; empty when the rule has no such level."""
    low, high = (rule.act, rule.act_high) if level == ACT else (rule.warn, rule.warn_high)
    if low is None:
        return ""
    if rule.op == BETWEEN:
        return _("between %(low)s and %(high)s") % {"low": number(low), "high": number(high)}
    words = _("at least %(limit)s") if rule.op == GTE else _("at most %(limit)s")
    return words % {"limit": number(low)}


def breach_text(rule: Rule, series: Series, value: float, level: str) -> str:
    """One sentence for an alert: what was measured and what it should have been."""
    said = _("%(name)s is %(value)s; it should be %(limit)s.")
    return said % {
        "name": series_name(series),
        "value": with_unit(value, series.unit),
        "limit": limit_text(rule, level),
    }


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
