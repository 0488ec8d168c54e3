"""What the page of one decision after a breach shows, and which steps a person may take on it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.access import actions_on
from accounts.models import User
from accounts.roles import role_name
from gates.breach_days import escalates_at
from gates.models import BreachDecision
from gates.services.breaches import RIGHT, authority_of
from ledger import lookups, wording
from ledger.selectors import events_for
from monitoring.models import RetrainingRequest
from monitoring.wording import series_name, with_unit
from portfolio.views.common import address

MOST_EVENTS = 40


def breach_context(breach: BreachDecision, user: User) -> dict[str, Any]:
    """Everything the page shows; a constant number of queries."""
    may = actions_on(user, breach.use_case)
    proposed = breach.state == BreachDecision.State.PROPOSED
    why_not_confirm = authority_of(breach, user)[1] if proposed else ""
    return {
        "breach": breach,
        "alert": breach.alert,
        "use_case": breach.use_case,
        "late": breach.is_late(),
        "escalates_at": escalates_at(breach),
        "name": series_name(breach.alert.series),
        "data_url": f"{reverse('monitoring:series_data', args=[breach.alert.series_id])}?range=30d",
        "facts": _facts(breach),
        "points": [{**row, "time": parse_datetime(row["time"])} for row in breach.facts.get("points", ())],
        "others": list(BreachDecision.objects.filter(alert=breach.alert).exclude(pk=breach.pk).order_by("occasion")),
        "may_decide": breach.is_open and RIGHT in may and user.is_person,
        "may_confirm": proposed and RIGHT in may and not why_not_confirm,
        "why_not_confirm": why_not_confirm,
        "decided_as": role_name(breach.decided_role) if breach.decided_role else "",
        "end_url": address("gates:end", breach.use_case.key) if breach.outcome == "decommission" else "",
        "requests": list(RetrainingRequest.objects.filter(decision=str(breach)).order_by("requested_at")),
        "events": _events(breach),
    }


def _facts(breach: BreachDecision) -> list[dict[str, Any]]:
    """What it was decided on; before that, how the breach stands now."""
    alert, frozen = breach.alert, breach.facts
    unit = alert.series.unit
    value = _number(frozen.get("value"), alert.value) if frozen else alert.value
    limit = _number(frozen.get("limit"), alert.limit) if frozen else alert.limit
    found: list[dict[str, Any]] = [
        {"label": _("Value"), "value": with_unit(value, unit)},
        {"label": _("Limit"), "value": with_unit(limit, unit)},
        {
            "label": _("Metric"),
            "value": series_name(alert.series),
            "url": reverse("monitoring:series", args=[alert.series_id]),
        },
        {"label": _("Alert"), "value": alert.get_state_display(), "url": reverse("monitoring:alert", args=[alert.pk])},
    ]
    if version := (frozen or {}).get("version"):
        found.append({"label": _("Version"), "value": version})
    if breach.digest:
        found.append({"label": _("Digest of the facts"), "value": f"{breach.digest[:16]}…"})
    return found


def _number(text: str | None, otherwise: float | None) -> float | None:
    return otherwise if text is None else float(Decimal(text))


def _events(breach: BreachDecision) -> list[dict[str, Any]]:
    """What was done about it, newest first."""
    rows = list(events_for(use_case=breach.use_case_id, subject=breach)[:MOST_EVENTS])
    actors = lookups.names("actor", (event.actor_id for event in rows))
    return [
        {
            "text": wording.title(event.action),
            "at": event.at,
            "person": str(actors.get(str(event.actor_id), _("Tollgate"))),
            "machine": event.actor_kind != "person",
            "icon": "clock",
            "url": reverse("ledger:event", args=[event.index]),
            "note": event.note,
            "extra": f"#{event.index}",
        }
        for event in rows
    ]
