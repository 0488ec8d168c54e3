"""Open alerts on the use cases that a person answers for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from monitoring.models import Alert
from portfolio.models import UseCase
from portfolio.selectors.listing import mine
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 25


@work_sources.register
class OpenAlerts(WorkSource):
    key: ClassVar[str] = "alerts"
    title: ClassVar[Any] = gettext_lazy("Alerts")
    order: ClassVar[int] = 40

    def items(self, user: User) -> Iterator[WorkItem]:
        alerts = for_user(Alert.objects.filter(state=Alert.AlertState.OPEN), user, "alert.acknowledge")
        own = UseCase.objects.filter(mine(user)).values("pk")
        rows = alerts.filter(series__use_case__in=own, assigned_to__isnull=True).select_related("series__use_case")
        for alert in rows.order_by("level", "opened_at")[:MOST]:
            yield item_of(alert, verb=_("Look into it"))


@work_sources.register
class MyAlerts(WorkSource):
    """Alerts that somebody sees to, until they are over; one that rests does not ask for anything."""

    key: ClassVar[str] = "my_alerts"
    title: ClassVar[Any] = gettext_lazy("Alerts you see to")
    order: ClassVar[int] = 38

    def items(self, user: User) -> Iterator[WorkItem]:
        awake = Alert.objects.exclude(state__in=(Alert.AlertState.RESOLVED, Alert.AlertState.SNOOZED))
        rows = for_user(awake.filter(assigned_to=user), user, "alert.acknowledge").select_related("series__use_case")
        for alert in rows.order_by("level", "opened_at")[:MOST]:
            yield item_of(alert, verb=_("Look into it"))


def item_of(alert: Alert, *, verb: str) -> WorkItem:
    use_case = alert.series.use_case
    return WorkItem(
        title=alert.message,
        url=reverse("monitoring:alert", args=[alert.pk]),
        detail=str(alert.get_level_display()),
        use_case_key=use_case.key,
        use_case_name=use_case.name,
        tone="blocked" if alert.level == Alert.Level.ACT else "attention",
        verb=verb,
    )
