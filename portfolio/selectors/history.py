"""What happened to use cases, for people who see them: lines of a timeline made from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from accounts.access import reach
from accounts.models import User
from ledger import lookups, wording
from ledger.models import Event, EventQuerySet
from ledger.selectors import events_for, under
from portfolio.models import Assurance, Stage, UseCase

VIEW = "use_case.view"
FIELDS_NAMED = 4
_ITSELF = frozenset({"portfolio.usecase", "portfolio.operatingplan"})
"""Subjects whose name would only repeat which page this is."""


def events_of(use_case: UseCase) -> EventQuerySet:
    """Everything that the ledger holds of one use case, newest first."""
    return events_for(use_case=use_case)


def events_seen_by(user: User) -> EventQuerySet:
    """Events of the use cases that ``user`` may see, newest first. Events of units themselves are not among them."""
    events = events_for().filter(use_case_id__isnull=False)
    far = reach(user, VIEW)
    if far.everything:
        return events
    direct = Q(usecasegrant__user=user, usecasegrant__permission__codename__in=far.permissions)
    ids = UseCase.objects.filter(direct | Q(created_by=user.pk)).values_list("pk", flat=True).distinct()
    return events.filter(under(far.unit_paths) | Q(use_case_id__in=[str(pk) for pk in ids]))


def lines(events: Sequence[Event], *, readable: bool = False, changes: bool = False) -> list[dict[str, Any]]:
    """Events as the timeline component shows them. Actors' names take one query.

    ``readable``: the person may open the ledger, so lines link there. ``changes``: each line carries what changed.
    """
    actors = lookups.names("actor", (event.actor_id for event in events))
    return [_line(event, actors, readable=readable, changes=changes) for event in events]


def grouped(events: Iterable[Event], limit: int) -> list[dict[str, Any]]:
    """Events by use case and action, newest first, each with how often it happened: for a page that tells the news."""
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events:
        group = groups.setdefault(
            (event.use_case_id or "", event.action),
            {"event": event, "count": 0, "use_case_id": event.use_case_id, "actors": set()},
        )
        group["count"] += 1
        group["actors"].add(event.actor_id)
    return list(groups.values())[:limit]


def sentence(event: Event, count: int = 1) -> str:
    """What happened, after the name of the use case: "edited", "moved to Pilot", "Evidence added, 3 times"."""
    text = _told(event)
    if not text:
        noun, _dot, verb = event.action.partition(".")
        text = verb.replace("_", " ") if noun == "use_case" else wording.title(event.action)
    return _("%(what)s, %(count)d times") % {"what": text, "count": count} if count > 1 else text


def _told(event: Event) -> str:
    """Events that say more by what they changed than by their name; an empty text for all others."""
    if event.action == "use_case.stage_moved":
        stage = str(event.changes.get("stage", {}).get("after"))
        return _("moved to %(stage)s") % {"stage": dict(Stage.choices).get(stage, stage)}
    if event.action == "use_case.assurance_changed":
        state = str(event.changes.get("assurance", {}).get("after") or "")
        return _("assurance is now: %(state)s") % {"state": dict(Assurance.choices).get(state, state)}
    return ""


def _line(event: Event, actors: Any, *, readable: bool, changes: bool) -> dict[str, Any]:
    label = "" if event.subject_type in _ITSELF else event.subject_label
    told = _told(event)
    title = told[:1].upper() + told[1:] if told else wording.title(event.action)
    line: dict[str, Any] = {
        "text": f"{title}: {label}" if label else title,
        "at": event.at,
        "person": actors.get(str(event.actor_id), _("Somebody")) if event.actor_id else "Tollgate",
        "machine": event.actor_kind != "person",
        "icon": wording.icon(event.action, event.actor_kind),
        "tone": tone_of(event),
        "note": event.note,
        "url": _address(event) if readable else "",
        "extra": f"#{event.index}",
        "index": event.index,
    }
    if changes:
        names = [wording.field_name(name) for name in event.changes]
        line["fields"] = ", ".join(names[:FIELDS_NAMED])
        line["more_fields"] = max(len(names) - FIELDS_NAMED, 0)
        line["changes"] = [
            {
                "name": wording.field_name(name),
                "before": _shown(pair["before"]),
                "after": _shown(pair["after"]),
            }
            for name, pair in event.changes.items()
        ]
    return line


def _shown(value: Any) -> str:
    """Personal values are digests here: a page of one use case does not open the side table that holds them."""
    if isinstance(value, dict) and set(value) == {"sha256"}:
        return _("kept apart (digest %(digest)s…)") % {"digest": str(value["sha256"])[:12]}
    return wording.value(value)


def tone_of(event: Event) -> str:
    """The hue of an event that says how things stand; none for all others."""
    if event.action == "use_case.assurance_changed":
        after = event.changes.get("assurance", {}).get("after")
        return {"at_risk": "attention", "reapproval_required": "blocked", "in_force": "met"}.get(str(after), "")
    return "met" if event.action == "use_case.stage_moved" else ""


def _address(event: Event) -> str:
    try:
        return reverse("ledger:event", args=[event.index])
    except NoReverseMatch:
        return ""
