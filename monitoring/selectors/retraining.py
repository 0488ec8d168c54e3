"""Reading requests for retraining, and the calendar: what is planned, asked for, due and done by day."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import for_user
from accounts.models import User
from monitoring.models import RetrainingRequest
from monitoring.models.retraining import OPEN
from portfolio.models import OperatingPlan, Stage, Status

STATES = ("open", "overdue", *RetrainingRequest.State.values)
PLANNED_STAGES = (Stage.PILOT, Stage.PRODUCTION, Stage.OPERATIONS)
MOST_REPEATS = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing on a day of the calendar."""

    day: date
    what: str
    """planned, due, done, late"""
    text: str
    use_case: str
    name: str
    url: str


def requests_for(user: User) -> QuerySet[RetrainingRequest, RetrainingRequest]:
    """Requests of the use cases that a person may see, with what lists and pages show of them."""
    return for_user(_shown(), user, "use_case.view")


def answerable_by(user: User) -> QuerySet[RetrainingRequest, RetrainingRequest]:
    """What an account may see or answer: a machine answers what it cannot look at otherwise."""
    rows = _shown()
    found = for_user(rows, user, "use_case.view")
    for right in ("version.register", "deployment.record"):
        found = found | for_user(rows, user, right)
    return found.distinct()


def by_state(
    rows: QuerySet[RetrainingRequest, RetrainingRequest], state: str
) -> QuerySet[RetrainingRequest, RetrainingRequest]:
    if state == "open":
        return rows.filter(state__in=OPEN)
    if state == "overdue":
        now = timezone.now()
        late = Q(due_at__lte=now) | Q(accepted_at__isnull=True, accept_by__lte=now)
        return rows.filter(late, state__in=OPEN)
    return rows.filter(state=state) if state else rows


def searched(
    rows: QuerySet[RetrainingRequest, RetrainingRequest], words: str
) -> QuerySet[RetrainingRequest, RetrainingRequest]:
    text = words.strip()
    if not text:
        return rows
    match = Q(use_case__name__icontains=text) | Q(use_case__key__icontains=text) | Q(reason__icontains=text)
    match |= Q(message__icontains=text) | Q(decision__iexact=text)
    number = text.upper().removeprefix("T-")
    if number.isascii() and number.isdecimal() and len(number) < 9:
        match |= Q(pk=int(number))
    return rows.filter(match)


def month_of(text: str | None) -> date:
    """The first day of "2026-11"; of this month for anything else."""
    try:
        return datetime.strptime(text or "", "%Y-%m").date().replace(day=1)  # noqa: DTZ007  # a month has no zone
    except ValueError:
        return timezone.localdate().replace(day=1)


def entries(user: User, start: date, end: date) -> list[Entry]:
    """Everything from ``start`` to before ``end`` of the use cases a person may see. Two queries and their rights."""
    found = [*_planned(user, start, end), *_asked(user, start, end)]
    return sorted(found, key=lambda entry: (entry.day, entry.use_case, entry.what))


def weeks(first: date, rows: Iterable[Entry]) -> list[list[dict[str, Any]]]:
    """The month as weeks of days from Monday on, each with its entries."""
    by_day: dict[date, list[Entry]] = {}
    for row in rows:
        by_day.setdefault(row.day, []).append(row)
    today = timezone.localdate()
    return [
        [
            {"day": day, "outside": day.month != first.month, "today": day == today, "entries": by_day.get(day, [])}
            for day in week
        ]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]


def _planned(user: User, start: date, end: date) -> Iterable[Entry]:
    """The day that the operating plan names, and from there on every cadence."""
    plans = OperatingPlan.objects.select_related("use_case").filter(
        retrain_next_date__lt=end, use_case__status=Status.ACTIVE, use_case__stage__in=PLANNED_STAGES
    )
    for plan in for_user(plans, user, "use_case.view"):
        assert plan.retrain_next_date is not None
        every = plan.retrain_cadence_days
        for count in range(MOST_REPEATS if every else 1):
            day = plan.retrain_next_date + timedelta(days=count * (every or 0))
            if day >= end:
                break
            if day >= start:
                yield _entry(plan.use_case, day, *_plan_words(day, count, every))


def _plan_words(day: date, count: int, every: int | None) -> tuple[str, str]:
    if day < timezone.localdate():
        return "late", _("Retraining was planned")
    if count == 0:
        return "planned", _("Retraining planned")
    return "planned", _("Retraining, every %(days)s days") % {"days": every}


def _asked(user: User, start: date, end: date) -> Iterable[Entry]:
    span = Q(due_at__date__gte=start, due_at__date__lt=end, state__in=OPEN)
    ended = Q(finished_at__date__gte=start, finished_at__date__lt=end)
    for row in requests_for(user).filter(span | ended):
        url = reverse("monitoring:retraining_request", args=[row.pk])
        kind = str(row.get_kind_display())
        if row.finished_at is not None:
            text = f"{row} {kind}: {str(row.get_state_display()).lower()}"
            yield _entry(row.use_case, row.finished_at.date(), "done" if row.state == "done" else "late", text, url)
        else:
            text = _("%(request)s %(kind)s is due") % {"request": row, "kind": kind}
            yield _entry(row.use_case, row.due_at.date(), "late" if row.is_overdue() else "due", text, url)


def _entry(use_case: Any, day: date, what: str, text: str, url: str = "") -> Entry:
    page = url or reverse("monitoring:retraining_setup", args=[use_case.key])
    return Entry(day, what, text, use_case.key, use_case.name, page)


def _shown() -> QuerySet[RetrainingRequest, RetrainingRequest]:
    related = ("use_case__unit", "requested_by", "answered_by", "version__model", "new_version__model", "evidence")
    return RetrainingRequest.objects.select_related(*related, "alert")
