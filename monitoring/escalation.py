"""Alerts that nobody answers: at the time given some are told, at twice that time others.

Each happens once an alert and clock: who is told is claimed by a conditional UPDATE whose row count is checked, so two
workers can never both tell. A snoozed alert waits until it wakes, and then its time begins again. Being late changes
nothing of an alert but who knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.people import holders
from kernel.database import lock_rows
from ledger import SYSTEM, UnitOfWork, state, unit_of_work
from monitoring.alerting import CLOCK, record, start_clock
from monitoring.models import Alert
from monitoring.responses import target_for
from monitoring.wording import span
from notify.services import tell

OPEN, ACKNOWLEDGED, SNOOZED = Alert.AlertState.OPEN, Alert.AlertState.ACKNOWLEDGED, Alert.AlertState.SNOOZED
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is owed for an alert: by which column, and in which states it is still owed."""

    due: str
    told: str
    states: Sequence[str]


DUTIES = (
    Duty("acknowledge_by", "acknowledge_told", (OPEN,)),
    Duty("resolve_by", "resolve_told", (OPEN, ACKNOWLEDGED)),
)


def wake_snoozed(*, at: datetime | None = None) -> int:
    """End the rest of alerts whose time has come; returns how many woke up."""
    moment = at or timezone.now()
    due = Alert.objects.filter(state=SNOOZED, snoozed_until__lte=moment).order_by("snoozed_until")
    return sum(_wake(pk, moment) for pk in due.values_list("pk", flat=True)[:AT_ONCE])


def start_missing_clocks() -> int:
    """Give alerts from before there were response times theirs, counted from now; returns how many.

    What was opened under an earlier version is not late for what nobody asked for then. A snoozed one gets its time
    when it wakes up.
    """
    without = Alert.objects.filter(state__in=(OPEN, ACKNOWLEDGED), clock_from__isnull=True)
    return sum(_start(pk) for pk in without.order_by("opened_at").values_list("pk", flat=True)[:AT_ONCE])


def _start(pk: UUID) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        rows = Alert.objects.filter(pk=pk, state__in=(OPEN, ACKNOWLEDGED), clock_from__isnull=True)
        alert = lock_rows(rows.select_related("series__use_case__unit")).first()
        if alert is None:
            return False
        before = state(alert, CLOCK)
        start_clock(alert)
        alert.save(update_fields=CLOCK)
        record(uow, alert, "alert.clock_started", before=before, after=state(alert, CLOCK))
    return True


def chase_late(*, at: datetime | None = None) -> int:
    """Tell of what is late; returns how many times somebody was told."""
    moment = at or timezone.now()
    return sum(_claim(pk, duty, step, moment) for duty in DUTIES for pk, step in _late(duty, moment))


def _late(duty: Duty, moment: datetime) -> Iterator[tuple[UUID, int]]:
    """Alerts of which somebody has to be told, and whether for the first or the second time."""
    rows = Alert.objects.filter(state__in=duty.states, **{f"{duty.due}__lte": moment})
    for pk in rows.filter(**{duty.told: 0}).order_by(duty.due).values_list("pk", flat=True)[:AT_ONCE]:
        yield pk, 1
    known = rows.filter(**{duty.told: 1}).values_list("pk", duty.due, "clock_from")
    for pk, due, began in known.iterator(chunk_size=1000):
        if moment >= due + (due - (began or due)):
            yield pk, 2


def _claim(pk: UUID, duty: Duty, step: int, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        still = {duty.told: step - 1, f"{duty.due}__lte": moment, "state__in": duty.states}
        if Alert.objects.filter(pk=pk, **still).update(**{duty.told: step}) != 1:
            return False  # somebody else told, or it was answered meanwhile
        related = ("series__use_case__unit", "assigned_to")
        _tell(uow, Alert.objects.select_related(*related).get(pk=pk), duty, step, moment)
    return True


def _tell(uow: UnitOfWork, alert: Alert, duty: Duty, step: int, moment: datetime) -> None:
    use_case = alert.series.use_case
    target = target_for(use_case.effective_tier, alert.level, use_case.unit)
    roles = target.told_first if step == 1 else target.told_next
    people: dict[object, User] = {p.pk: p for role in roles for p in holders(role=role, use_case=use_case)}
    if alert.assigned_to is not None:
        people[alert.assigned_to.pk] = alert.assigned_to
    due = getattr(alert, duty.due)
    late = span(max((moment - due).total_seconds(), 0))
    if duty.due == "acknowledge_by":
        said = _("Nobody has acknowledged it; that was due %(late)s ago.")
    else:
        said = _("It is not over; that was due %(late)s ago.")
    action = "alert.late" if step == 1 else "alert.escalated"
    record(uow, alert, action, after={"owed": duty.due.removesuffix("_by"), "due_at": due, "roles": list(roles)})
    tell(
        recipients=people.values(),
        kind=action,
        title=f"{alert.get_severity_display()}: {use_case.key} {use_case.name}"[:300],
        body=f"{alert.message} {said % {'late': late}}",
        url=reverse("monitoring:alert", args=[alert.pk]),
        dedupe_key=f"{duty.due}:{step}:{alert.pk}:{alert.clock_from}",
    )


def _wake(pk: UUID, moment: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        asleep = Alert.objects.filter(pk=pk, state=SNOOZED, snoozed_until__lte=moment)
        if asleep.update(state=OPEN) != 1:
            return False
        alert = Alert.objects.select_related("series__use_case__unit", "assigned_to", "snoozed_by").get(pk=pk)
        woken = wake(uow, alert)
        people = {p.pk: p for p in (alert.assigned_to, alert.snoozed_by) if p is not None}
        tell(
            recipients=people.values(),
            kind="alert.woke",
            title=_("Still there: %(message)s") % {"message": woken.message},
            body=alert.snooze_reason[:300],
            url=reverse("monitoring:alert", args=[alert.pk]),
            dedupe_key=f"woke:{alert.pk}:{alert.snoozed_until}",
        )
    return True


def wake(uow: UnitOfWork, alert: Alert) -> Alert:
    """It is open again, seen by nobody, and its time to be answered begins anew."""
    alert.state = OPEN
    alert.acknowledged_at = alert.acknowledged_by = None
    start_clock(alert)
    alert.save(update_fields=["state", "acknowledged_at", "acknowledged_by", *CLOCK])
    record(uow, alert, "alert.woke", before={"state": SNOOZED}, after={"state": OPEN})
    return alert


def overdue(due: datetime | None, now: datetime) -> timedelta | None:
    """How late something is, or None while there is time."""
    return now - due if due is not None and due < now else None
