"""The alerts that an incident was reported for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from governance.incident_link import IncidentLinks, Link, incident_links
from governance.models import Incident
from monitoring.models import Alert


@incident_links.register
class ReportedAlerts(IncidentLinks):
    key: ClassVar[str] = "alerts"
    title: ClassVar[Any] = gettext_lazy("Reported because of")

    def links(self, incident: Incident, user: User) -> Iterator[Link]:
        for alert in for_user(Alert.objects.filter(incident=incident), user, "use_case.view").order_by("opened_at"):
            address = reverse("monitoring:alert", args=[alert.pk])
            yield Link(alert.message, address, note=str(alert.get_state_display()), icon="alert")
