"""Emergency releases that wait for a second person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from gates.models import EmergencyRelease
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 50


@work_sources.register
class Emergencies(WorkSource):
    """Requests of others on use cases where the person may release."""

    key = "emergencies"
    title = gettext_lazy("Emergency releases")
    order = 5

    def items(self, user: User) -> Iterator[WorkItem]:
        since = timezone.now() - timedelta(hours=24)
        asked = EmergencyRelease.objects.filter(state=EmergencyRelease.State.REQUESTED, requested_at__gt=since)
        rows = for_user(asked.exclude(requested_by=user), user, "emergency.release")
        for release in rows.select_related("use_case").order_by("requested_at")[:MOST]:
            yield WorkItem(
                title=_("Confirm or refuse an emergency release"),
                url=reverse("gates:emergency", kwargs={"pk": release.pk}),
                detail=release.reason[:200],
                use_case_key=release.use_case.key,
                use_case_name=release.use_case.name,
                due_at=release.requested_at + timedelta(hours=24),
                tone="blocked",
                verb=_("Read it"),
            )
