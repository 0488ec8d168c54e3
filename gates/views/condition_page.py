"""What the page of one condition shows, and which steps a person may take on it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import actions_on
from accounts.models import User
from accounts.roles import role, roles_allowing
from gates.models import Condition
from gates.services.conditions import CLOSE, why_not_close
from ledger import lookups, wording
from ledger.selectors import events_for

MOST_EVENTS = 40
MOVE = "gate.record_decision"


def condition_context(condition: Condition, user: User) -> dict[str, Any]:
    """Everything the page shows; a constant number of queries."""
    steps = steps_open_to(condition, user)
    return {
        "condition": condition,
        "use_case": condition.use_case,
        "review": condition.decision.review,
        "overdue": condition.is_overdue(),
        "may": {step: not why_not for step, why_not in steps.items()},
        "why_not_close": steps["close"] if condition.state == Condition.State.REPORTED else "",
        "events": _events(condition),
    }


def steps_open_to(condition: Condition, user: User) -> dict[str, str]:
    """Step -> why the person may not take it now; empty when they may."""
    may = actions_on(user, condition.use_case)
    judge = _judge(condition, user, may)
    return {"report": _report(condition, user), "close": judge, "send_back": judge, "move": _move(condition, user, may)}


def _report(condition: Condition, user: User) -> str:
    if condition.state != Condition.State.OPEN:
        return _state(condition)
    if user.pk != condition.owner_id:
        return _("%(owner)s owes this condition, and reports it done.") % {"owner": condition.owner}
    return ""


def _judge(condition: Condition, user: User, may: frozenset[str]) -> str:
    if CLOSE not in may:
        return _("This is for: %(roles)s.") % {"roles": _names(CLOSE)}
    if condition.state != Condition.State.REPORTED:
        return _state(condition)
    return why_not_close(condition, user)


def _move(condition: Condition, user: User, may: frozenset[str]) -> str:
    if MOVE not in may:
        return _("This is for: %(roles)s.") % {"roles": _names(MOVE)}
    if not condition.is_owed:
        return _state(condition)
    return _("You owe this condition, so somebody else moves it.") if user.pk == condition.owner_id else ""


def _state(condition: Condition) -> str:
    state = condition.get_state_display().lower()
    return _("This condition is %(state)s: that cannot be done to it now.") % {"state": state}


def _names(action: str) -> str:
    return ", ".join(role(key).name for key in roles_allowing(action))


def _events(condition: Condition) -> list[dict[str, Any]]:
    """What was done about this condition, newest first."""
    rows = list(events_for(use_case=condition.use_case_id, subject=condition)[:MOST_EVENTS])
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
