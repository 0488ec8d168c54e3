"""Reading decisions after breaches: what a person may see, and what of it concerns one use case."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.access import for_user
from accounts.models import User
from gates.breaching import OPEN
from gates.models import BreachDecision
from portfolio.models import UseCase

STATES = ("owed", "late", "proposed", "decided", "accepted", "lapsed")
"""States as lists name them: ``late`` and ``accepted`` (acceptances that still hold) beside those of a row."""


def breaches_for(user: User) -> QuerySet[BreachDecision, BreachDecision]:
    """Decisions after breaches of the use cases that a person may see, with what lists and pages show of them."""
    return for_user(_shown(), user, "use_case.view")


def breaches_of(use_case: UseCase) -> list[BreachDecision]:
    """Those of one use case: what is owed first, then the newest; read once for a page."""
    kept: list[BreachDecision] | None = getattr(use_case, "_breach_decisions", None)
    if kept is None:
        rows = list(_shown().filter(use_case=use_case).order_by("-opened_at")[:50])
        kept = sorted(rows, key=lambda row: not row.is_open)
        use_case._breach_decisions = kept  # type: ignore[attr-defined]  # the tab and the card ask in one request
    return kept


def by_state(rows: QuerySet[BreachDecision, BreachDecision], state: str) -> QuerySet[BreachDecision, BreachDecision]:
    if state == "owed":
        return rows.filter(state__in=OPEN)
    if state == "late":
        return rows.filter(state__in=OPEN, due_at__lte=timezone.now())
    if state == "accepted":
        return rows.filter(state="decided", outcome="accept", accepted_until__gte=timezone.localdate())
    return rows.filter(state=state) if state else rows


def searched(rows: QuerySet[BreachDecision, BreachDecision], words: str) -> QuerySet[BreachDecision, BreachDecision]:
    """Those whose breach, use case, reason or person holds the words, or which have the number."""
    text = words.strip()
    if not text:
        return rows
    match = Q(alert__message__icontains=text) | Q(use_case__name__icontains=text) | Q(use_case__key__icontains=text)
    match |= Q(reason__icontains=text) | Q(owed_by__full_name__icontains=text)
    number = text.upper().removeprefix("B-")
    if number.isascii() and number.isdecimal() and len(number) < 9:
        match |= Q(number=int(number))
    return rows.filter(match)


def _shown() -> QuerySet[BreachDecision, BreachDecision]:
    people = ("owed_by", "proposed_by", "decided_by")
    return BreachDecision.objects.select_related("use_case__unit", "alert__series", "covered_by", *people)
