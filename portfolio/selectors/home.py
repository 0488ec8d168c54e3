"""What the home page says: what waits for a person, what they answer for, what happened since they were here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Case, IntegerField, Q, Value, When
from django.urls import reverse
from django.utils import timezone

from accounts.models import Preference, User
from ledger import lookups, wording
from ledger.models import Event
from portfolio.lens import Lens, lenses
from portfolio.lifecycle import ENDED
from portfolio.models import Assurance, UseCase
from portfolio.next_step import NextStep, next_steps
from portfolio.panel import panels
from portfolio.selectors.history import events_seen_by, grouped, sentence, tone_of
from portfolio.selectors.listing import LONG_TEXTS, mine, visible
from portfolio.work_item import WorkItem, work_sources

ITEMS_EACH = 50
OWN = 12
NEWS = 12
NEWS_READ = 300
"""Events looked at for the news: grouping more would not be read by anybody."""
FAR = datetime.max.replace(tzinfo=timezone.get_fixed_timezone(0))


@dataclass(frozen=True, slots=True)
class WorkGroup:
    """What waits for a person of one kind, the most urgent first; ``more``: there may be others."""

    key: str
    title: Any
    items: list[WorkItem] = field(default_factory=list)
    more: bool = False


def waiting_for(user: User) -> list[WorkGroup]:
    """Groups with something in them, in the order of their sources."""
    groups = []
    for source in sorted(work_sources, key=lambda each: (each.order, each.key)):
        items = list(islice(source().items(user), ITEMS_EACH + 1))
        if items:
            urgent = sorted(items[:ITEMS_EACH], key=lambda item: item.due_at or FAR)
            groups.append(WorkGroup(source.key, source.title, urgent, more=len(items) > ITEMS_EACH))
    return groups


def own_use_cases(user: User) -> tuple[list[UseCase], int]:
    """Open use cases that ``user`` answers for, trouble first, and how many there are in all."""
    rows = visible(user).filter(mine(user)).exclude(stage__in=ENDED)
    trouble = Case(
        When(assurance=Assurance.REAPPROVAL, then=Value(0)),
        When(assurance=Assurance.AT_RISK, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    ordered = rows.select_related("unit").defer(*LONG_TEXTS).annotate(trouble=trouble)
    found: list[UseCase] = list(ordered.order_by("trouble", "-updated_at", "pk")[: OWN + 1])
    _note_lenses(found, user)
    _note_next_steps(found)
    _note_pages(found)
    return found[:OWN], len(found) if len(found) <= OWN else rows.count()


def _note_lenses(use_cases: Sequence[UseCase], user: User) -> None:
    """Give each use case the ``lenses`` that it is seen through (waiting for a decision, ...), one query a lens."""
    ids = [use_case.pk for use_case in use_cases]
    seen: dict[UUID, list[type[Lens]]] = {pk: [] for pk in ids}
    for lens in sorted(lenses, key=lambda each: (each.order, each.key)) if ids else ():
        for pk in UseCase.objects.filter(lens().condition(user), pk__in=ids).values_list("pk", flat=True):
            seen[pk].append(lens)
    for use_case in use_cases:
        noted: Any = use_case
        noted.lenses = [{"label": lens.label, "tone": lens.tone, "icon": lens.icon} for lens in seen[use_case.pk]]


def _note_next_steps(use_cases: Sequence[UseCase]) -> None:
    """Give each use case its ``next_step``, or None."""
    steps: dict[UUID, NextStep] = {}
    for source in next_steps:
        steps = {**source().steps(use_cases), **steps}
    for use_case in use_cases:
        noted: Any = use_case
        noted.next_step = steps.get(use_case.pk)


def _note_pages(use_cases: Sequence[UseCase]) -> None:
    """Give each use case the ``pages`` that panels ask to be reached by from Home. No query."""
    wanted = sorted((panel for panel in panels if panel.on_home), key=lambda panel: panel.order)
    for use_case in use_cases:
        noted: Any = use_case
        noted.pages = [{"key": panel.key, "title": panel.title} for panel in wanted]


def news_since(user: User, index: int) -> list[dict[str, Any]]:
    """What happened from event ``index`` on to use cases that ``user`` may see, by others than themselves."""
    by_others = events_seen_by(user).filter(index__gte=index).filter(~Q(actor_id=user.pk) | Q(actor_id__isnull=True))
    groups = grouped(by_others[:NEWS_READ], NEWS)
    names = _use_case_names([group["use_case_id"] for group in groups])
    actors = lookups.names("actor", (group["event"].actor_id for group in groups))
    return [_news(group, names, actors) for group in groups]


def next_event_index() -> int:
    """The index that the next event will have."""
    newest = Event.objects.order_by("-index").values_list("index", flat=True).first()
    return 0 if newest is None else newest + 1


def seen_until(user: User) -> int | None:
    """The next index when the person's home page was last opened in another visit; None on the first visit."""
    return Preference.objects.filter(user=user).values_list("seen_event_index", flat=True).first()


def _news(group: dict[str, Any], names: dict[str, tuple[str, str]], actors: Any) -> dict[str, Any]:
    event: Event = group["event"]
    key, name = names.get(event.use_case_id or "", ("", ""))
    several = len(group["actors"]) > 1
    return {
        "text": f"{name}: {sentence(event, group['count'])}" if name else sentence(event, group["count"]),
        "tone": tone_of(event),
        "at": event.at,
        "person": "" if several else actors.get(str(event.actor_id), "") if event.actor_id else "Tollgate",
        "icon": wording.icon(event.action, event.actor_kind),
        "url": reverse("portfolio:use_case_panel", args=[key, "history"]) if key else "",
        "note": event.note,
        "extra": key,
    }


def _use_case_names(ids: Sequence[str | None]) -> dict[str, tuple[str, str]]:
    keys = {UUID(each) for each in ids if each}
    rows = UseCase.objects.filter(pk__in=keys).values_list("pk", "key", "name")
    return {str(pk): (key, name) for pk, key, name in rows}
