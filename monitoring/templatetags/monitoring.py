"""What templates ask of monitoring."""

from __future__ import annotations

from django import template

from monitoring.models import Series
from monitoring.wording import series_name as name_of

register = template.Library()


@register.filter
def series_name(series: Series) -> str:
    """What the series is called: its own name, or its metric, with the segment."""
    return name_of(series)
