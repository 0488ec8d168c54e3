"""Who may read the ledger is not for the ledger to know: a higher app says so, once, at start.

    ledger.access.set_guard(lambda request: EventScope(unit_paths=("/retail/",)))

Until a guard is set nobody may read anything. The guard is asked for signed-in people and machines only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from ledger.models import Event, EventQuerySet
from ledger.selectors import under


@dataclass(frozen=True, slots=True)
class EventScope:
    """Which events somebody may read: all, or those of some units (with all below) and of some use cases."""

    everything: bool = False
    unit_paths: tuple[str, ...] = ()
    use_case_ids: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.everything or self.unit_paths or self.use_case_ids)

    def restrict(self, events: EventQuerySet) -> EventQuerySet:
        if self.everything:
            return events
        condition = under(self.unit_paths)
        if self.use_case_ids:
            condition |= Q(use_case_id__in=self.use_case_ids)
        return events.filter(condition)


Guard = Callable[[HttpRequest], EventScope]


@dataclass(slots=True)
class _Hooks:
    """What a higher app has told this one."""

    guard: Guard | None = None


_hooks = _Hooks()


def set_guard(guard: Guard) -> None:
    """Say who may read what. Called by the app that knows permissions, in ``ready()``."""
    _hooks.guard = guard


def scope_of(request: HttpRequest) -> EventScope:
    """What the person or machine behind this request may read."""
    user: Any = getattr(request, "user", None)
    if _hooks.guard is None or user is None or not user.is_authenticated:
        return EventScope()
    return _hooks.guard(request)


def visible_events(request: HttpRequest) -> EventQuerySet:
    return scope_of(request).restrict(Event.objects.all())
