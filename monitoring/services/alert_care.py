"""Seeing to an alert: who does, who rests it until when, what was found, and its end by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import can
from accounts.models import User
from governance.models import Incident
from governance.services import report_incident
from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from monitoring.alerting import record
from monitoring.escalation import wake
from monitoring.models import Alert, AlertComment
from monitoring.quiet import why_not_quiet
from notify.services import tell
from portfolio.services.checks import locked
from portfolio.services.rights import Actor, demand, person

RIGHT = "alert.acknowledge"
LONGEST_SNOOZE = timedelta(days=90)
LONGEST_TEXT = 4000
SNOOZE = ("state", "snoozed_until", "snoozed_by", "snooze_reason")
RESOLVED = ("state", "resolved_at", "resolved_by", "resolution")
SEVERITIES = {"critical": "sev2", "high": "sev3", "medium": "sev3", "low": "sev4"}
"""Severity of an alert -> of the incident it suggests. Severity 1, harm done to people, is for people to say."""


def snooze_alert(*, alert: Alert, until: datetime, reason: str, by: Actor) -> Alert:
    """Let it rest until then. It wakes up by itself, and at once when it becomes a breach.

    It stays unresolved: what gates make of it does not change. ``Conflict`` for one that is over.
    """
    demand(by, RIGHT, alert)
    now = timezone.now()
    errors = _reason_errors(reason)
    if until <= now:
        errors["until"] = [_("Give a time in the future.")]
    elif until > now + LONGEST_SNOOZE:
        errors["until"] = [_("At most %(days)d days; switch the rule off if nobody wants it.") % {"days": 90}]
    _refuse(errors)
    with unit_of_work(by=by) as uow:
        alert = _unresolved(alert)
        before = state(alert, SNOOZE)
        alert.state, alert.snoozed_until = Alert.AlertState.SNOOZED, until
        alert.snoozed_by, alert.snooze_reason = person(by), reason.strip()
        alert.save(update_fields=SNOOZE)
        record(uow, alert, "alert.snoozed", before=before, after=state(alert, SNOOZE), note=alert.snooze_reason)
    return alert


def wake_alert(*, alert: Alert, by: Actor) -> Alert:
    """End its rest before the time. ``Conflict`` unless it is snoozed."""
    demand(by, RIGHT, alert)
    with unit_of_work(by=by) as uow:
        alert = locked(Alert, alert.pk, "series__use_case__unit")
        if alert.state != Alert.AlertState.SNOOZED:
            raise Conflict(_("Only a snoozed alert can be woken up."))
        return wake(uow, alert)


def assign_alert(*, alert: Alert, to: User | None, by: Actor) -> Alert:
    """Say who sees to it, or that nobody does. That person must be able to acknowledge it, and is told."""
    demand(by, RIGHT, alert)
    if to is not None and not (to.is_person and can(to, RIGHT, alert)):
        said = _("%(person)s cannot see to alerts of this use case.") % {"person": to}
        raise Invalid(said, errors={"to": [said]})
    with unit_of_work(by=by) as uow:
        alert = _unresolved(alert)
        if alert.assigned_to_id == (to.pk if to else None):
            return alert
        before = state(alert, ("assigned_to",))
        alert.assigned_to = to
        alert.save(update_fields=["assigned_to"])
        record(uow, alert, "alert.assigned", before=before, after=state(alert, ("assigned_to",)))
        if to is not None and to != by:
            tell(
                recipients=[to],
                kind="alert.assigned",
                title=_("You see to: %(message)s") % {"message": alert.message},
                body=str(alert.series.use_case),
                url=reverse("monitoring:alert", args=[alert.pk]),
            )
    return alert


def resolve_alert(*, alert: Alert, reason: str, by: Actor) -> Alert:
    """End it by hand. ``Conflict`` while its rule is broken: only values, or a change of the rule, end that."""
    demand(by, RIGHT, alert)
    _refuse(_reason_errors(reason))
    with unit_of_work(by=by) as uow:
        alert = _unresolved(alert)
        if loud := why_not_quiet(alert):
            raise Conflict(loud)
        before = state(alert, RESOLVED)
        alert.state, alert.resolved_at = Alert.AlertState.RESOLVED, timezone.now()
        alert.resolved_by, alert.resolution = person(by), reason.strip()
        alert.save(update_fields=RESOLVED)
        record(uow, alert, "alert.resolved", before=before, after=state(alert, RESOLVED), note=alert.resolution)
    return alert


def comment_on_alert(*, alert: Alert, text: str, by: User) -> AlertComment:
    """Say what was found, or ask. Who sees to it, who acknowledged it and who commented before are told."""
    demand(by, RIGHT, alert)
    text = text.strip()
    if not text or len(text) > LONGEST_TEXT:
        _refuse({"text": [_("Write 1 to %(most)d characters.") % {"most": LONGEST_TEXT}]})
    with unit_of_work(by=by) as uow:
        comment = AlertComment.objects.create(alert=alert, text=text, author=by)
        uow.record("alert.commented", subject=alert, use_case=alert.series.use_case, after={"text": text})
        others = {p.pk: p for p in (alert.assigned_to, alert.acknowledged_by) if p is not None}
        others |= {said.author_id: said.author for said in alert.comments.select_related("author")}
        others.pop(by.pk, None)
        tell(
            recipients=others.values(),
            kind="alert.commented",
            title=_("%(person)s commented: %(message)s") % {"person": by, "message": alert.message},
            body=text[:300],
            url=reverse("monitoring:alert", args=[alert.pk]),
        )
    return comment


def report_alert(*, alert: Alert, by: Actor, severity: str = "", title: str = "", description: str = "") -> Incident:
    """Report an incident because of an alert, with what is known of it. ``Conflict`` if that was done already.

    It happened when the value was measured and was noticed when the alert opened.
    """
    with unit_of_work(by=by) as uow:
        alert = locked(Alert, alert.pk, "series__use_case__unit", "rule")
        if alert.incident_id:
            raise Conflict(_("An incident was reported because of this alert already."))
        incident = report_incident(
            use_case=alert.series.use_case,
            severity=severity or SEVERITIES[alert.severity],
            title=title.strip() or alert.message,
            description=description.strip() or alert_account(alert),
            occurred_at=min(alert.point_time or alert.opened_at, alert.opened_at),
            detected_at=alert.opened_at,
            by=by,
        )
        alert.incident = incident
        alert.save(update_fields=["incident"])
        record(uow, alert, "alert.reported", before={"incident": None}, after={"incident": incident.pk})
    return incident


def alert_account(alert: Alert) -> str:
    """What is known of an alert, as the beginning of an incident's description."""
    lines = [
        alert.message,
        _("Metric: %(metric)s, rule: %(rule)s.")
        % {"metric": alert.series.metric, "rule": alert.rule.name if alert.rule else _("silence")},
        _("Alert opened at %(at)s UTC.") % {"at": f"{alert.opened_at:%Y-%m-%d %H:%M}"},
    ]
    if alert.rule and alert.rule.reaction:
        lines.append(_("What is to be done: %(reaction)s") % {"reaction": alert.rule.reaction})
    return "\n\n".join(lines)


def _unresolved(alert: Alert) -> Alert:
    found = locked(Alert, alert.pk, "series__use_case__unit", "rule")
    if found.state == Alert.AlertState.RESOLVED:
        raise Conflict(_("This alert is over."))
    return found


def _reason_errors(reason: str) -> dict[str, list[str]]:
    if reason.strip() and len(reason) <= LONGEST_TEXT:
        return {}
    return {"reason": [_("Give the reason, in at most %(most)d characters.") % {"most": LONGEST_TEXT}]}


def _refuse(errors: dict[str, list[str]]) -> None:
    if errors:
        raise Invalid(next(iter(errors.values()))[0], errors=errors)
