"""What is missing for the next gate as things to do: who settles each, by when, and what would make it pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.people import people_on
from gates.engine import GateResult
from gates.models import Assignment
from gates.presenting import Row, finding_rows
from gates.settling import MayUse, nobody
from portfolio.models import OperatingPlan, Phase, UseCase


@dataclass(frozen=True, slots=True)
class ToDo:
    """One open criterion with the people it waits for."""

    row: Row
    people: tuple[User, ...]
    """Whom it is assigned to, else who holds the role that answers for it."""
    assigned: Assignment | None
    due_on: date | None
    due_from_plan: bool
    """Whether the day is the plan's, for nobody has set one."""
    late: bool

    @property
    def who(self) -> str:
        """The heading it stands under when the list is read by owner."""
        if self.assigned and self.assigned.person:
            return str(self.assigned.person)
        return self.row.owner

    def is_for(self, person: User) -> bool:
        return any(p.pk == person.pk for p in self.people)


@dataclass(frozen=True, slots=True)
class Group:
    heading: str
    items: tuple[ToDo, ...]


def todo_of(use_case: UseCase, result: GateResult, *, may_use: MayUse = nobody) -> list[ToDo]:
    """Open criteria, mandatory ones that block first within a day, then advisory ones. Seven queries at most."""
    signing = {j.criterion.id for j in result.judged if j.signs}
    owners = {j.criterion.id: j.criterion.owner for j in result.judged}
    rows = [r for r in finding_rows(result, use_case.key, may_use=may_use) if r.todo and r.key not in signing]
    assigned = {
        a.criterion: a
        for a in Assignment.objects.filter(use_case=use_case, gate=result.gate.key).select_related("person")
    }
    by_role = _holders(use_case.pk)
    planned = planned_day(use_case)
    today = timezone.localdate()
    found = [_todo(row, assigned.get(row.key), by_role.get(owners[row.key], ()), planned, today) for row in rows]
    return sorted(found, key=lambda t: (not t.row.blocks, t.due_on or date.max, t.row.key))


def by_owner(items: Iterable[ToDo]) -> list[Group]:
    return _grouped(items, lambda item: item.who)


def by_day(items: Iterable[ToDo]) -> list[Group]:
    def day(item: ToDo) -> str:
        return item.due_on.isoformat() if item.due_on else ""

    return sorted(_grouped(items, day), key=lambda group: group.heading or "9999")


def planned_day(use_case: UseCase) -> date | None:
    """The last day of the roadmap's phase that is under way, else the planned end of the whole."""
    running = Phase.objects.filter(use_case=use_case, state__in=("in_progress", "blocked"), ends_on__isnull=False)
    day = running.order_by("ends_on").values_list("ends_on", flat=True).first()
    if day is not None:
        return day
    return OperatingPlan.objects.filter(use_case=use_case).values_list("planned_end", flat=True).first()


def _todo(row: Row, assigned: Assignment | None, holders: tuple[User, ...], planned: date | None, today: date) -> ToDo:
    own_day = assigned.due_on if assigned else None
    due = own_day or planned
    people = (assigned.person,) if assigned and assigned.person else holders
    return ToDo(row, people, assigned, due, own_day is None and due is not None, due is not None and due < today)


def _holders(use_case_id: UUID) -> dict[str, tuple[User, ...]]:
    found: dict[str, dict[UUID, User]] = {}
    for held in people_on([use_case_id])[use_case_id]:
        found.setdefault(held.role, {})[held.user.pk] = held.user
    return {role: tuple(people.values()) for role, people in found.items()}


def _grouped(items: Iterable[ToDo], key: Any) -> list[Group]:
    found: dict[str, list[ToDo]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return [Group(heading, tuple(rows)) for heading, rows in found.items()]
