"""Whether the rule behind an alert is quiet now: its newest reading is not beyond a limit.

An alert can be open while its rule is quiet: between the limit and the limit of its own for the end, while samples are
too small to say, or when the values stopped before it ended.
"""

from __future__ import annotations

from collections import deque

from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.history import history, readings_of
from monitoring.models import Alert, Rule, Series
from monitoring.rules import level_of
from monitoring.silence import is_silent
from monitoring.wording import breach_text, condition_of


def why_not_quiet(alert: Alert) -> str:
    """What still breaks the rule, in a sentence; empty when it is quiet."""
    series = Series.objects.prefetch_related("rules").get(pk=alert.series_id)
    if alert.rule is None:
        return _("The series is still silent.") if is_silent(series) else ""
    if not alert.rule.enabled or not series.enabled or series.last_time is None:
        return ""
    return _still_broken(alert.rule, series)


def _still_broken(rule: Rule, series: Series) -> str:
    assert series.last_time is not None
    points = history([series], {series.pk: series.last_time})[series.pk]
    newest = deque(readings_of(rule, series, points, until=timezone.now()), maxlen=1)
    if not newest:
        return ""
    reading = newest[0]
    if rule.min_n and (reading.n is None or reading.n < rule.min_n):
        return ""
    level = level_of(condition_of(rule).held(rule), reading.value)
    if level is None:
        return ""
    said = _("The rule is still broken: %(said)s It ends with the values, or when the rule is changed.")
    return said % {"said": breach_text(rule, series, reading, level)}
