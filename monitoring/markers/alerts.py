"""Alerts, from the value that opened them until they were over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.marker import Mark, MarkerSource, markers
from monitoring.models import Alert, Series

MOST = 100


@markers.register
class Alerts(MarkerSource):
    key: ClassVar[str] = "alerts"
    title: ClassVar[Any] = gettext_lazy("Alerts")
    icon: ClassVar[str] = "alert"
    order: ClassVar[int] = 10

    def marks(self, series: Sequence[Series], start: datetime, end: datetime) -> Iterator[Mark]:
        going_on = Q(resolved_at__isnull=True) | Q(resolved_at__gte=start)
        rows = Alert.objects.filter(going_on, series__in=[one.pk for one in series], opened_at__lt=end)
        for alert in rows.order_by("-opened_at")[:MOST]:
            is_act = alert.level == Alert.Level.ACT
            began = min(alert.point_time or alert.opened_at, alert.opened_at)
            yield Mark(
                at=max(began, start),
                until=alert.resolved_at or end,
                lasts=alert.resolved_at is None,
                label=_("Breach") if is_act else _("Warning"),
                tone="blocked" if is_act else "attention",
                detail=alert.message,
                url=reverse("monitoring:alert", args=[alert.pk]),
            )
