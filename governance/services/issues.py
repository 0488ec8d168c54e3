"""Issues: what has to be settled, who owns it, by when; closed with a resolution by whoever may judge it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from governance.models import Incident, Issue
from governance.services.permission import Actor, account_or_none, allow_any
from kernel.database import lock_rows
from kernel.errors import Conflict, Invalid
from ledger import state, unit_of_work
from portfolio.models import UseCase
from portfolio.signals import announce_change

SHOWN = ("kind", "severity", "title", "blocking", "due_gate", "due_on", "state", "owner", "incident", "resolution")
EDITABLE = ("severity", "title", "description", "blocking", "due_gate", "due_on", "owner")
TEAM = ("risk.edit_register", "activity.update")
RAISE: Mapping[str, tuple[str, ...]] = {
    Issue.Kind.ASSUMPTION: TEAM,
    Issue.Kind.SECURITY: ("finding.raise", "risk.edit_register"),
    Issue.Kind.FINDING: ("finding.raise",),
    Issue.Kind.CONDITION: ("gate.record_decision", "gate.sign"),
    Issue.Kind.INCIDENT_ACTION: ("incident.manage",),
    Issue.Kind.BREACH: ("breach.decide", "alert.acknowledge"),
}
# Who repairs a finding does not say that it is repaired.
CLOSE: Mapping[str, tuple[str, ...]] = {
    **RAISE,
    Issue.Kind.SECURITY: ("finding.raise",),
    Issue.Kind.CONDITION: ("condition.close",),
    Issue.Kind.BREACH: ("breach.decide",),
}


def raise_issue(
    *,
    use_case: UseCase,
    kind: str,
    title: str,
    by: Actor,
    severity: str = "medium",
    description: str = "",
    blocking: bool = False,
    due_gate: str = "",
    due_on: date | None = None,
    owner: User | None = None,
    incident: Incident | None = None,
    first_seen: date | None = None,
) -> Issue:
    """Write down something that has to be settled."""
    _check(kind, severity, title)
    allow_any(by, RAISE[kind], use_case)
    if incident is not None and incident.use_case_id != use_case.pk:
        message = _("This incident belongs to another use case.")
        raise Invalid(message, errors={"incident": [message]})
    with unit_of_work(by=by) as uow:
        issue = Issue.objects.create(
            use_case=use_case,
            kind=kind,
            severity=severity,
            title=title.strip()[:300],
            description=description.strip(),
            blocking=blocking,
            due_gate=due_gate,
            due_on=due_on,
            first_seen=first_seen or timezone.localdate(),
            owner=owner,
            incident=incident,
            raised_by=account_or_none(by),
            raised_at=timezone.now(),
        )
        uow.record("issue.raised", subject=issue, use_case=use_case, after=state(issue, SHOWN))
        announce_change(uow, use_case.pk, "issue")
    return issue


def edit_issue(*, issue: Issue, changes: Mapping[str, Any], by: Actor) -> Issue:
    """Change an open issue: its owner, its date, its words."""
    allow_any(by, RAISE[issue.kind], issue.use_case)
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise Invalid(_("These fields cannot be changed: %(fields)s.") % {"fields": ", ".join(unknown)})
    with unit_of_work(by=by) as uow:
        issue = _open(issue)
        before = state(issue, SHOWN)
        for name, value in changes.items():
            setattr(issue, name, value)
        _check(issue.kind, issue.severity, issue.title)
        issue.save(update_fields=list(changes))
        uow.record("issue.edited", subject=issue, use_case=issue.use_case, before=before, after=state(issue, SHOWN))
        announce_change(uow, issue.use_case_id, "issue")
    return issue


def close_issue(*, issue: Issue, resolution: str, by: Actor) -> Issue:
    """The matter is settled; say how."""
    allow_any(by, CLOSE[issue.kind], issue.use_case)
    if not resolution.strip():
        message = _("Say how it was settled.")
        raise Invalid(message, errors={"resolution": [message]})
    with unit_of_work(by=by) as uow:
        issue = _open(issue)
        before = state(issue, SHOWN)
        issue.state, issue.resolution = Issue.IssueState.CLOSED, resolution.strip()
        issue.closed_by, issue.closed_at = account_or_none(by), timezone.now()
        issue.save(update_fields=["state", "resolution", "closed_by", "closed_at"])
        uow.record("issue.closed", subject=issue, use_case=issue.use_case, before=before, after=state(issue, SHOWN))
        announce_change(uow, issue.use_case_id, "issue")
    return issue


def _open(issue: Issue) -> Issue:
    found = lock_rows(Issue.objects.select_related("use_case__unit", "owner")).get(pk=issue.pk)
    if found.state != Issue.IssueState.OPEN:
        raise Conflict(_("This issue is closed."))
    return found


def _check(kind: str, severity: str, title: str) -> None:
    errors: dict[str, list[str]] = {}
    if kind not in Issue.Kind.values:
        errors["kind"] = [_("Choose one of %(kinds)s.") % {"kinds": ", ".join(Issue.Kind.values)}]
    if severity not in Issue.Severity.values:
        errors["severity"] = [_("Choose one of %(levels)s.") % {"levels": ", ".join(Issue.Severity.values)}]
    if not title.strip():
        errors["title"] = [_("Say what it is.")]
    if errors:
        raise Invalid(_("The issue cannot be kept like this."), errors=errors)
