"""What happened to an alert, from the ledger; and where it says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import role_name
from governance.models import Document
from ledger import lookups
from ledger.models import Event
from ledger.selectors import events_for
from monitoring.models import Alert

MOST = 100
RUNBOOK = "runbook"
# Action -> how it looks. What it says is written below, because it depends on what changed.
LOOKS = {
    "alert.opened": ("alert", "attention"),
    "alert.raised": ("error", "blocked"),
    "alert.acknowledged": ("eye", "info"),
    "alert.assigned": ("person", "info"),
    "alert.snoozed": ("pause", "info"),
    "alert.woke": ("bell", "attention"),
    "alert.late": ("hourglass", "attention"),
    "alert.escalated": ("arrow-up", "blocked"),
    "alert.reported": ("warning", "blocked"),
    "alert.commented": ("comment", ""),
    "alert.decided": ("sign", "info"),
    "alert.undecided": ("return", "attention"),
    "alert.resolved": ("check-circle", "met"),
}


@dataclass(frozen=True, slots=True)
class Runbook:
    """Where the steps are written down. ``is_own`` says that the rule names it."""

    label: str
    url: str
    is_own: bool


def runbook_of(alert: Alert) -> Runbook | None:
    """The rule's own runbook, else the current one among the use case's documents."""
    if alert.rule and alert.rule.runbook_url:
        return Runbook(alert.rule.runbook_url, alert.rule.runbook_url, is_own=True)
    use_case = alert.series.use_case
    found = Document.objects.filter(use_case=use_case, doc_type=RUNBOOK, is_current=True).first()
    return Runbook(found.title, reverse("governance:document", args=[found.pk]), is_own=False) if found else None


def told(alert: Alert) -> list[dict[str, Any]]:
    """The events of an alert as the timeline component shows them, newest first."""
    events = list(events_for(subject=alert)[:MOST])
    people = {str(person.pk): person for person in _named(events)}
    actors = lookups.names("actor", (event.actor_id for event in events))
    found = []
    for event in events:
        if event.action == "alert.commented":
            continue  # shown in full beside it
        after = _after(event)
        icon, tone = LOOKS.get(event.action, ("dot", ""))
        if event.action == "alert.opened" and after.get("level") == Alert.Level.ACT:
            tone = "blocked"
        found.append(
            {
                "text": _words(event.action, after, people),
                "at": event.at,
                "icon": icon,
                "tone": tone,
                "person": actors.get(str(event.actor_id), _("Tollgate")),
                "machine": event.actor_kind != "person",
                "note": event.note,
                "url": reverse("ledger:event", args=[event.index]),
            }
        )
    return found


def _words(action: str, after: dict[str, Any], people: dict[str, User]) -> str:
    if action == "alert.opened":
        return _("Opened as a breach") if after.get("level") == Alert.Level.ACT else _("Opened")
    if action == "alert.assigned":
        who = people.get(str(after.get("assigned_to")))
        return _("%(who)s sees to it") % {"who": who} if who else _("Nobody sees to it any more")
    if action == "alert.snoozed":
        return _("Snoozed until %(until)s UTC") % {"until": str(after.get("snoozed_until", ""))[:16].replace("T", " ")}
    if action == "alert.decided":
        outcome = after.get("outcome", "")
        return _("Decided: %(outcome)s") % {"outcome": dict(Alert.Outcome.choices).get(outcome, outcome)}
    if action in {"alert.late", "alert.escalated"}:
        roles = ", ".join(role_name(key) for key in after.get("roles", ()))
        said = _("Late; told: %(roles)s") if action == "alert.late" else _("Later still; told: %(roles)s")
        return said % {"roles": roles}
    if action == "alert.resolved":
        return _("Ended by hand") if after.get("resolved_by") else _("Over")
    return {
        "alert.raised": _("Became a breach"),
        "alert.acknowledged": _("Acknowledged"),
        "alert.woke": _("Open again"),
        "alert.undecided": _("To be decided anew"),
        "alert.reported": _("Reported as an incident"),
    }.get(action, action)


def _after(event: Event) -> dict[str, Any]:
    return {name: pair["after"] for name, pair in event.changes.items()}


def _named(events: list[Event]) -> models.QuerySet[User]:
    keys = {str(key) for event in events if (key := _after(event).get("assigned_to"))}
    return User.objects.filter(pk__in=keys) if keys else User.objects.none()
