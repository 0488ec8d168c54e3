"""Answering alerts: seen by somebody, and, after a breach, decided."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from monitoring.alerting import record
from monitoring.models import Alert
from portfolio.services.checks import locked
from portfolio.services.rights import Actor, demand, person

ACKNOWLEDGED = ("state", "acknowledged_by", "acknowledged_at")
DECIDED = ("outcome", "outcome_reason", "decided_by", "decided_at", "state", "acknowledged_by", "acknowledged_at")
REASON_LENGTH = 4000


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


def decide_breach(*, alert: Alert, outcome: str, reason: str, by: Actor) -> Alert:
    """Record what is done after a breach: retrain, recalibrate, roll back, accept or decommission, and why.

    Once, for it is part of the record. An alert that is over may still be decided. ``Conflict`` for a warning.
    """
    demand(by, "breach.decide", alert)
    reason = reason.strip()
    errors: dict[str, list[str]] = {}
    if outcome not in Alert.Outcome.values:
        errors["outcome"] = [_("Choose what is to be done.")]
    if not reason or len(reason) > REASON_LENGTH:
        errors["reason"] = [_("Give the reason, in at most %(most)d characters.") % {"most": REASON_LENGTH}]
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)
    with unit_of_work(by=by) as uow:
        alert = locked(Alert, alert.pk, "series__use_case__unit")
        if alert.level != Alert.Level.ACT:
            raise Conflict(_("This is a warning: only a breach asks for a decision."))
        if alert.outcome:
            raise Conflict(
                _("This breach was decided already: %(outcome)s.") % {"outcome": alert.get_outcome_display()}
            )
        before = state(alert, DECIDED)
        alert.outcome, alert.outcome_reason = outcome, reason
        alert.decided_by, alert.decided_at = person(by), timezone.now()
        if alert.state == Alert.AlertState.OPEN:
            _acknowledge(alert, by)
        alert.save(update_fields=DECIDED)
        record(uow, alert, "breach.decided", before=before, after=state(alert, DECIDED), note=reason)
    return alert


def _acknowledge(alert: Alert, by: Actor) -> None:
    alert.state = Alert.AlertState.ACKNOWLEDGED
    alert.acknowledged_by, alert.acknowledged_at = person(by), timezone.now()


def _state(alert: Alert) -> dict[str, str]:
    return {"state": str(alert.get_state_display()).lower()}
