"""Answering alerts: seen by somebody. What is done after a breach is decided in the gates."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Conflict
from ledger import state, unit_of_work
from monitoring.alerting import record
from monitoring.models import Alert
from portfolio.services.checks import locked
from portfolio.services.rights import Actor, demand, person

ACKNOWLEDGED = ("state", "acknowledged_by", "acknowledged_at")


def acknowledge_alert(*, alert: Alert, by: Actor) -> Alert:
    """Say that it was seen and is being looked into. ``Conflict`` unless it is open."""
    demand(by, "alert.acknowledge", alert)
    with unit_of_work(by=by) as uow:
        alert = locked(Alert, alert.pk, "series__use_case__unit")
        if alert.state != Alert.AlertState.OPEN:
            raise Conflict(_("Only an open alert can be acknowledged; this one is %(state)s.") % _state(alert))
        before = state(alert, ACKNOWLEDGED)
        _acknowledge(alert, by)
        alert.save(update_fields=ACKNOWLEDGED)
        record(uow, alert, "alert.acknowledged", before=before, after=state(alert, ACKNOWLEDGED))
    return alert


def _acknowledge(alert: Alert, by: Actor) -> None:
    alert.state = Alert.AlertState.ACKNOWLEDGED
    alert.acknowledged_by, alert.acknowledged_at = person(by), timezone.now()


def _state(alert: Alert) -> dict[str, str]:
    return {"state": str(alert.get_state_display()).lower()}
