"""Which series are watched for drift, and which of them have drifted.

A series counts as watched for drift when one of its kinds is ``drift`` or ends in it (``data_drift``,
``prediction_drift``); it has drifted while a rule of it has an alert that is not over. Silence is no drift.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from monitoring.models import Alert, Series


def watched_for_drift(series: QuerySet[Series]) -> QuerySet[Series]:
    # The list of kinds as text: SQLite has no "contains" for JSON.
    return series.filter(enabled=True).alias(spoken=Cast("kinds", TextField())).filter(spoken__contains='drift"')


def drifting_series(series: QuerySet[Series], at: datetime | None = None) -> QuerySet[Series]:
    """Those of ``series`` that have drifted now, or had at a moment of the past."""
    alerts = Alert.objects.filter(series=OuterRef("pk"), rule__isnull=False)
    if at is None:
        return series.filter(Exists(alerts.exclude(state=Alert.AlertState.RESOLVED)))
    then = Q(resolved_at__isnull=True) | Q(resolved_at__gt=at)
    return series.filter(Exists(alerts.filter(then, opened_at__lte=at)))
