"""Reading events: newest first, page by page from an index, never by counting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Q

from ledger.models import Event, EventQuerySet

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page, newest first. ``newer`` and ``older`` are the indexes to page from; None where there is no more."""

    events: list[Event]
    newer: int | None
    older: int | None


def events_for(
    *,
    use_case: object | None = None,
    subject: models.Model | None = None,
    units: Iterable[object] | None = None,
    actor: object | None = None,
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    search: str = "",
    among: EventQuerySet | None = None,
) -> EventQuerySet:
    """Events that meet every given condition, newest first.

    ``use_case``, ``actor`` and ``units`` are objects or their keys (of a unit its path; units below it are included).
    ``action`` is an action or the beginning of some ("gate" finds "gate.submitted" and "gate.decided"). ``since`` is
    inclusive, ``until`` exclusive. ``search`` finds words in a subject's label, and whole ids and request ids.
    ``among`` is what to choose from; without it, everything.
    """
    events = Event.objects.all() if among is None else among
    if use_case is not None:
        events = events.filter(use_case_id=str(getattr(use_case, "pk", use_case)))
    if subject is not None:
        events = events.filter(subject_type=subject._meta.label_lower, subject_id=str(subject.pk))
    if units is not None:
        events = events.filter(under(units))
    if actor is not None:
        events = events.filter(actor_id=getattr(actor, "pk", actor))
    if action:
        events = events.filter(acting(action))
    if since is not None:
        events = events.filter(at__gte=since)
    if until is not None:
        events = events.filter(at__lt=until)
    if search:
        events = events.filter(matching(search))
    return events.order_by("-index")


def under(units: Iterable[object]) -> Q:
    """The condition that an event belongs to one of these units or to one below; to none, if there are no units."""
    condition = Q(pk__in=[])
    for unit in units:
        condition |= Q(unit_path__startswith=str(getattr(unit, "path", unit)))
    return condition


def acting(action: str) -> Q:
    """The condition that an event has this action, or one that begins with these words ("gate", "gate.sign_off")."""
    return Q(action=action) | Q(action__startswith=f"{action.rstrip('.')}.")


def matching(search: str) -> Q:
    """The condition that a word occurs in the subject's label, or is its key, the request's id or the action."""
    text = search.strip()
    return Q(subject_label__icontains=text) | Q(subject_id=text[:64]) | Q(request_id=text[:64]) | Q(action=text[:80])


def page(
    events: EventQuerySet, *, before: int | None = None, after: int | None = None, size: int = PAGE_SIZE
) -> EventPage:
    """The page of events with indexes below ``before``, or the one just above ``after``; without either, the newest."""
    if after is not None:
        found = list(events.filter(index__gt=after).order_by("index")[: size + 1])
        more_newer, more_older = len(found) > size, True
        shown = found[:size][::-1]
    else:
        ordered = events.order_by("-index")
        found = list((ordered if before is None else ordered.filter(index__lt=before))[: size + 1])
        more_newer, more_older = before is not None, len(found) > size
        shown = found[:size]
    return EventPage(
        events=shown,
        newer=shown[0].index if shown and more_newer else None,
        older=shown[-1].index if shown and more_older else None,
    )


def personal_values(event: Event) -> dict[str, str | None]:
    """The personal values of an event by their path in its body: canonical JSON, or None where it was erased."""
    return {
        value.path: None if value.erased_at else value.value for value in event.personal_values.all().order_by("path")
    }
