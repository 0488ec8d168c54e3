"""Incidents: anybody who works with a use case reports one; risk and compliance closes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.people import holders
from governance.models import Incident
from governance.services.permission import Actor, account_or_none, allow, another
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid, NotReady
from ledger import UnitOfWork, state, unit_of_work
from notify.services import tell
from portfolio.models import UseCase
from portfolio.signals import announce_change

SHOWN = ("severity", "title", "description", "occurred_at", "detected_at", "restored_at", "cause", "closed_at")
EDITABLE = ("severity", "title", "description", "occurred_at", "detected_at", "restored_at", "cause")
SERIOUS = (Incident.Severity.SEV1, Incident.Severity.SEV2)
CLOCK_SKEW = timedelta(minutes=5)


def report_incident(
    *,
    use_case: UseCase,
    severity: str,
    title: str,
    by: Actor,
    description: str = "",
    occurred_at: datetime | None = None,
    detected_at: datetime | None = None,
) -> Incident:
    """Say that something went wrong in use. A serious incident is told to risk and compliance at once."""
    allow(by, "incident.report", use_case)
    now = timezone.now()
    incident = Incident(
        use_case=use_case,
        severity=severity,
        title=title.strip()[:300],
        description=description.strip(),
        occurred_at=occurred_at or detected_at or now,
        detected_at=detected_at or now,
        reported_by=account_or_none(by),
    )
    _check(incident)
    with unit_of_work(by=by) as uow:
        incident.save(force_insert=True)
        uow.record("incident.reported", subject=incident, use_case=use_case, after=state(incident, SHOWN))
        announce_change(uow, use_case.pk, "incident")
        if incident.severity in SERIOUS:
            _tell_about(incident, uow)
    return incident


def edit_incident(*, incident: Incident, changes: Mapping[str, Any], by: Actor) -> Incident:
    """Handle an incident: its severity, its cause, when service was restored."""
    allow(by, "incident.manage", incident.use_case)
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise Invalid(_("These fields cannot be changed: %(fields)s.") % {"fields": ", ".join(unknown)})
    with unit_of_work(by=by) as uow:
        incident = _open(incident)
        before = state(incident, SHOWN)
        for name, value in changes.items():
            setattr(incident, name, value)
        incident.managed_by = account_or_none(by) or incident.managed_by
        _check(incident)
        incident.save(update_fields=[*changes, "managed_by"])
        after = state(incident, SHOWN)
        uow.record("incident.edited", subject=incident, use_case=incident.use_case, before=before, after=after)
        announce_change(uow, incident.use_case_id, "incident")
    return incident


def close_incident(*, incident: Incident, by: Actor, cause: str = "") -> Incident:
    """Close an incident whose cause is known. A serious one is not closed by whoever handled it."""
    allow(by, "incident.close", incident.use_case)
    if incident.severity in SERIOUS:
        another(by, incident.managed_by_id, _("You cannot close this incident: you handled it."))
    with unit_of_work(by=by) as uow:
        incident = _open(incident)
        before = state(incident, SHOWN)
        incident.cause = cause.strip() or incident.cause
        if not incident.cause:
            message = _("Say what caused it.")
            raise NotReady(message, errors={"cause": [message]})
        incident.restored_at = incident.restored_at or timezone.now()
        incident.closed_by, incident.closed_at = account_or_none(by), timezone.now()
        incident.save(update_fields=["cause", "restored_at", "closed_by", "closed_at"])
        after = state(incident, SHOWN)
        uow.record("incident.closed", subject=incident, use_case=incident.use_case, before=before, after=after)
        announce_change(uow, incident.use_case_id, "incident")
    return incident


def _tell_about(incident: Incident, uow: UnitOfWork) -> None:
    use_case = incident.use_case
    people = [*holders(role="risk_compliance", use_case=use_case), *holders(role="business_owner", use_case=use_case)]
    recipients = {person.pk: person for person in people if person.pk != incident.reported_by_id}
    if recipients:
        title = _("%(severity)s incident: %(title)s") % {
            "severity": incident.get_severity_display(),
            "title": incident.title,
        }
        tell(
            recipients=recipients.values(),
            kind="incident.reported",
            title=title,
            body=str(use_case),
            url=f"/governance/incidents/{incident.pk}/",
            dedupe_key=f"incident:{incident.pk}",
        )


def _open(incident: Incident) -> Incident:
    found = lock_rows(Incident.objects.select_related("use_case__unit")).get(pk=incident.pk)
    if found.closed_at:
        raise Conflict(_("This incident is closed."))
    return found


def _check(incident: Incident) -> None:
    errors: dict[str, list[str]] = {}
    latest = timezone.now() + CLOCK_SKEW
    if incident.severity not in Incident.Severity.values:
        errors["severity"] = [_("Choose one of %(levels)s.") % {"levels": ", ".join(Incident.Severity.values)}]
    if not incident.title.strip():
        errors["title"] = [_("Say what happened.")]
    for name in ("occurred_at", "detected_at", "restored_at"):
        value = getattr(incident, name)
        if value is not None and value > latest:
            errors[name] = [_("This cannot be in the future.")]
        elif value is not None and name != "occurred_at" and value < incident.occurred_at:
            errors[name] = [_("This cannot be before it happened.")]
    if errors:
        raise Invalid(_("The incident cannot be kept like this."), errors=errors)
