"""How the use case behaves: every series with its newest value, its limits and its state."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.access import actions_on
from monitoring.models import Alert, Series, Source
from monitoring.selectors.overview import RESOLVED, cards
from monitoring.views.common import CONFIGURE
from portfolio.models import UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of

MOST_SERIES = 60


@panels.register
class Monitoring(Panel):
    key: ClassVar[str] = "monitoring"
    title: ClassVar[Any] = gettext_lazy("Monitoring")
    order: ClassVar[int] = 70
    template: ClassVar[str] = "monitoring/panels/monitoring.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        series = Series.objects.filter(use_case=use_case).select_related("version").order_by("metric", "segment", "pk")
        alerts = Alert.objects.filter(series__use_case=use_case).exclude(state=RESOLVED).select_related("series")
        return {
            "cards": cards(list(series[:MOST_SERIES])),
            "series_count": series.count(),
            "most_series": MOST_SERIES,
            "alerts": alerts.order_by("level", "-opened_at")[:20],
            "sources": Source.objects.filter(use_case=use_case),
            "may_configure": CONFIGURE in actions_on(person_of(request), use_case),
        }

    def rows(self, use_case: UseCase) -> QuerySet[Any]:
        """How many alerts are not over."""
        return Alert.objects.filter(series__use_case=use_case).exclude(state=RESOLVED)
