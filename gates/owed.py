"""What is owed after conditional decisions: who may read it, and what of it is overdue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Q, QuerySet, When
from django.utils import timezone

from accounts.access import for_user
from accounts.models import User
from gates.models import Condition
from portfolio.models import UseCase

OWED = (Condition.State.OPEN, Condition.State.REPORTED)


def conditions_for(user: User) -> QuerySet[Condition, Condition]:
    """Conditions of the use cases that a person may see, with what lists and pages show of them."""
    return for_user(_shown(), user, "use_case.view")


def conditions_of(use_case: UseCase) -> list[Condition]:
    """Everything ever owed by a use case: what is still owed first, by its day. One query."""
    rows = _shown().filter(use_case=use_case)
    return sorted(rows, key=lambda row: (not row.is_owed, row.due_on, row.position))


def overdue(facts: Iterable[Mapping[str, Any]], at: datetime) -> tuple[str, ...]:
    """In words, what was owed at that moment and past its day. Of the facts about conditions; pure."""
    late = [row for row in facts if row["owed"] and row["due_on"] < at.date()]
    return tuple(_overdue_words(row["text"], row["due_on"], row["review"]) for row in late)


def overdue_now(use_case_ids: Iterable[UUID], now: datetime) -> dict[UUID, tuple[str, ...]]:
    """The same from the rows, for pages that show what was judged before the day came. One query."""
    rows = Condition.objects.filter(use_case__in=list(use_case_ids), state__in=OWED, due_on__lt=now.date())
    found: dict[UUID, tuple[str, ...]] = {}
    columns = ("use_case_id", "text", "due_on", "decision__review__number")
    for use_case, text, due_on, number in rows.order_by("decision__decided_at", "position").values_list(*columns):
        found[use_case] = (*found.get(use_case, ()), _overdue_words(text, due_on, number))
    return found


def _overdue_words(text: str, due_on: date, number: int) -> str:
    short = text.rstrip(".") if len(text) <= 120 else f"{text[:117].rstrip()}…"
    return f"Condition overdue: {short} (of R-{number}, was due {due_on:%-d %b %Y})."


def conditions_by_state(rows: QuerySet[Condition, Condition], state: str) -> QuerySet[Condition, Condition]:
    """Those in a state as lists name it: ``owed`` and ``overdue`` beside the states of a row; all for none."""
    if state == "overdue":
        return rows.filter(state__in=OWED, due_on__lt=timezone.localdate())
    if state == "owed":
        return rows.filter(state__in=OWED)
    return rows.filter(state=state) if state else rows


def searched(rows: QuerySet[Condition, Condition], words: str) -> QuerySet[Condition, Condition]:
    """Those whose text, use case or owner holds the words, or whose review has the number."""
    text = words.strip()
    if not text:
        return rows
    match = Q(text__icontains=text) | Q(use_case__name__icontains=text) | Q(use_case__key__icontains=text)
    match |= Q(owner__full_name__icontains=text)
    number = text.upper().removeprefix("R-")
    return rows.filter(match | Q(decision__review__number=int(number)) if _is_number(number) else match)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 9


def _shown() -> QuerySet[Condition, Condition]:
    rows = Condition.objects.annotate(settled=Case(When(state__in=OWED, then=0), default=1))
    return rows.select_related("use_case__unit", "decision__review", "owner", "reported_by", "closed_by", "evidence")
