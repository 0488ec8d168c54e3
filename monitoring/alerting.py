"""The life of an alert: opened, raised to a breach, resolved; each time recorded, announced and told of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.people import holders
from ledger import UnitOfWork, state
from monitoring.models import Alert, Rule, Series
from monitoring.responses import target_for
from monitoring.rules import ACT
from monitoring.signals import announce_alert
from notify.services import tell
from portfolio.signals import announce_change

TOLD = ("technical_lead", "business_owner")
FIELDS = (
    "series",
    "rule",
    "level",
    "severity",
    "state",
    "message",
    "value",
    "limit",
    "point_time",
    "act_since",
    "acknowledge_by",
    "resolve_by",
    "response_by",
    "response_unit",
)
CLOCK = (
    "severity",
    "clock_from",
    "acknowledge_by",
    "resolve_by",
    "response_by",
    "response_unit",
    "acknowledge_told",
    "resolve_told",
)
"""Fields that ``start_clock`` sets."""
MESSAGE_LENGTH = 300


def unresolved() -> QuerySet[Alert]:
    return Alert.objects.exclude(state=Alert.AlertState.RESOLVED)


def open_alert(
    uow: UnitOfWork,
    series: Series,
    *,
    rule: Rule | None,
    level: str,
    message: str,
    value: float | None = None,
    limit: float | None = None,
    point_time: datetime | None = None,
) -> Alert:
    """A rule is broken, or (without a rule) the series fell silent. The caller holds the lock of the series."""
    now = timezone.now()
    alert = Alert(
        series=series,
        rule=rule,
        level=level,
        message=message[:MESSAGE_LENGTH],
        value=value,
        limit=limit,
        point_time=point_time,
        opened_at=now,
        last_seen_at=now,
        act_since=now if level == ACT else None,
    )
    start_clock(alert)
    alert.save(force_insert=True)
    record(uow, alert, "alert.opened", after=state(alert, FIELDS))
    _tell(alert, "alert.opened", _("Act") if level == ACT else _("Warn"))
    return alert


def raise_alert(
    uow: UnitOfWork,
    alert: Alert,
    *,
    message: str,
    value: float | None = None,
    limit: float | None = None,
    point_time: datetime | None = None,
) -> Alert:
    """A warning became a breach. Who acknowledged the warning has not acknowledged the breach: it is open again, even
    if it was snoozed."""
    before = state(alert, FIELDS)
    alert.level, alert.act_since = ACT, timezone.now()
    alert.state = Alert.AlertState.OPEN
    alert.acknowledged_at = alert.acknowledged_by = None
    alert.snoozed_until = alert.snoozed_by = None
    alert.snooze_reason = ""
    start_clock(alert)
    alert.message, alert.value, alert.limit = message[:MESSAGE_LENGTH], value, limit
    alert.point_time = point_time
    alert.save()
    record(uow, alert, "alert.raised", before=before, after=state(alert, FIELDS))
    _tell(alert, "alert.raised", _("Act"))
    return alert


def start_clock(alert: Alert) -> None:
    """From now on somebody has the time to answer that its tier, level and unit give; the caller saves."""
    use_case = alert.series.use_case
    target = target_for(use_case.effective_tier, alert.level, use_case.unit)
    now = timezone.now()
    alert.severity = target.severity
    alert.response_by, alert.response_unit = target.set_by, target.unit
    alert.clock_from = now
    alert.acknowledge_by, alert.resolve_by = now + target.acknowledge, now + target.resolve
    alert.acknowledge_told = alert.resolve_told = 0


def resolve_alerts(uow: UnitOfWork, alerts: Iterable[Alert], *, note: str = "") -> list[Alert]:
    """The values are back inside, or the rule is gone."""
    ended = list(alerts)
    for alert in ended:
        before = state(alert, ("state", "resolved_at"))
        alert.state, alert.resolved_at = Alert.AlertState.RESOLVED, timezone.now()
        alert.save(update_fields=["state", "resolved_at"])
        record(uow, alert, "alert.resolved", before=before, after=state(alert, ("state", "resolved_at")), note=note)
    return ended


def record(
    uow: UnitOfWork,
    alert: Alert,
    action: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
) -> None:
    """The event of an alert and its announcements."""
    use_case = alert.series.use_case
    uow.record(action, subject=alert, use_case=use_case, before=before, after=after, note=note)
    announce_alert(uow, use_case_id=use_case.pk, alert_id=alert.pk, level=alert.level, state=alert.state)
    announce_change(uow, use_case.pk, "metrics")


def _tell(alert: Alert, kind: str, level: str) -> None:
    use_case = alert.series.use_case
    people = {person.pk: person for role in TOLD for person in holders(role=role, use_case=use_case)}
    if alert.assigned_to is not None:
        people[alert.assigned_to.pk] = alert.assigned_to
    tell(
        recipients=people.values(),
        kind=kind,
        title=f"{level}: {use_case.key} {use_case.name}"[:MESSAGE_LENGTH],
        body=alert.message,
        url=reverse("monitoring:alert", args=[alert.pk]),
        dedupe_key=f"{kind}:{alert.pk}",
    )
