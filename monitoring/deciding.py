"""What an alert shows of the decision about it. The decision itself is a matter of the gates, which write it here."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from kernel.database import lock_rows
from ledger import UnitOfWork, state
from monitoring.alerting import record
from monitoring.models import Alert

DECIDED = ("outcome", "outcome_reason", "decided_by", "decided_at", "state", "acknowledged_by", "acknowledged_at")


def locked_alert(alert: Alert) -> Alert:
    """The alert under its row lock, as it is now, with what a decision reads of it."""
    related = ("series__use_case__unit", "series__version", "rule")
    return lock_rows(Alert.objects.select_related(*related).filter(pk=alert.pk)).get()


def note_decision(uow: UnitOfWork, alert: Alert, *, outcome: str, reason: str, by: User | None, at: datetime) -> Alert:
    """A decision was made: the alert shows it, and counts as seen. The caller holds its lock."""
    before = state(alert, DECIDED)
    alert.outcome, alert.outcome_reason = outcome, reason
    alert.decided_by, alert.decided_at = by, at
    if alert.state == Alert.AlertState.OPEN and by is not None:
        alert.state, alert.acknowledged_by, alert.acknowledged_at = Alert.AlertState.ACKNOWLEDGED, by, at
    alert.save(update_fields=DECIDED)
    record(uow, alert, "alert.decided", before=before, after=state(alert, DECIDED), note=reason[:300])
    return alert


def ask_anew(uow: UnitOfWork, alert: Alert, *, note: str) -> Alert:
    """What was decided holds no more: the alert is undecided again."""
    before = state(alert, DECIDED)
    alert.outcome = alert.outcome_reason = ""
    alert.decided_by = alert.decided_at = None
    alert.save(update_fields=DECIDED)
    record(uow, alert, "alert.undecided", before=before, after=state(alert, DECIDED), note=note)
    return alert
