"""What the verdicts of people say of a use case's outputs, per version and segment.

Shares are counted over outputs that were drawn at random: only these speak for all outputs. What was looked at for its
low confidence or its segment is counted beside them. Where two people review an output its first review counts, once
neither is owed any more: a figure that moved with the first verdict would tell it to the second reviewer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef, Q

from monitoring.intervals import Interval, kappa, wilson
from monitoring.models import Answer, ReviewItem, SamplingPlan, Verdict
from monitoring.reviewing import DONE, WAITING

AGAINST = (Answer.DISAGREE, Answer.OVERRIDE)
RANDOM = ReviewItem.Why.RANDOM


@dataclass(slots=True)
class Tally:
    """Reviews of one kind: how many, how many of them against the output, how many changed it."""

    n: int = 0
    against: int = 0
    overridden: int = 0
    newest: datetime | None = None

    def add(self, n: int, against: int, overridden: int, newest: datetime | None) -> None:
        self.n += n
        self.against += against
        self.overridden += overridden
        if newest is not None and (self.newest is None or newest > self.newest):
            self.newest = newest

    @property
    def disagreement(self) -> Interval | None:
        return wilson(self.against, self.n) if self.n else None

    @property
    def override_rate(self) -> Interval | None:
        return wilson(self.overridden, self.n) if self.n else None


@dataclass(slots=True)
class Statistics:
    """The reviews of a window that ends at ``at``."""

    since: datetime
    at: datetime
    by_version: dict[UUID | None, Tally]
    by_segment: dict[tuple[UUID | None, str], Tally]
    by_reason: dict[str, Tally]
    reviewers: dict[UUID | None, int]
    owed: int
    """Reviews that fell due in the window, and how many of these were given."""
    given: int
    waiting: int
    overdue: int
    oldest: datetime | None
    seconds: float | None
    """Median time from claim to verdict."""
    pairs: int
    agreement: float | None
    """Cohen's kappa of agree against not agree, over outputs that two people reviewed."""

    @property
    def coverage(self) -> float | None:
        return 100 * self.given / self.owed if self.owed else None

    @property
    def backlog_hours(self) -> float:
        return (self.at - self.oldest).total_seconds() / 3600 if self.oldest else 0.0


def statistics_of(plan: SamplingPlan, at: datetime) -> Statistics:
    """Seven queries, however many reviews there are."""
    since = at - timedelta(days=plan.window_days)
    items = ReviewItem.objects.filter(output__use_case=plan.use_case_id)
    done = items.filter(state=DONE, answered_at__gt=since, answered_at__lte=at)
    by_version: dict[UUID | None, Tally] = {}
    by_segment: dict[tuple[UUID | None, str], Tally] = {}
    by_reason: dict[str, Tally] = {}
    second = ReviewItem.objects.filter(output=OuterRef("output"), slot=2, state=WAITING)
    for version, segment, why, *counts in _counted(done.filter(slot=1).exclude(Exists(second))):
        by_reason.setdefault(why, Tally()).add(*counts)
        if why == RANDOM:
            by_version.setdefault(version, Tally()).add(*counts)
            if segment:
                by_segment.setdefault((version, segment), Tally()).add(*counts)
    people = done.order_by().values_list("output__version_id").annotate(n=Count("reviewer", distinct=True))
    due = items.filter(due_at__gt=since, due_at__lte=at).aggregate(
        owed=Count("pk"), given=Count("pk", filter=Q(state=DONE))
    )
    waits = items.filter(state=WAITING).aggregate(
        waiting=Count("pk"), overdue=Count("pk", filter=Q(due_at__lt=at)), oldest=Min("selected_at")
    )
    times = Verdict.objects.filter(item__in=done, seconds__isnull=False, taken_back_by__isnull=True)
    seconds = [each or 0 for each in times.order_by("-at").values_list("seconds", flat=True)[:5000]]
    pairs = _pairs(done)
    return Statistics(
        since=since,
        at=at,
        by_version=by_version,
        by_segment=by_segment,
        by_reason=by_reason,
        reviewers=dict(people),
        seconds=median(seconds) if seconds else None,
        pairs=len(pairs),
        agreement=kappa(pairs),
        **due,
        **waits,
    )


def _counted(rows: Any) -> Iterable[tuple[Any, ...]]:
    found: Iterable[tuple[Any, ...]] = (
        rows.order_by()
        .values_list("output__version_id", "output__segment", "why")
        .annotate(
            n=Count("pk"),
            against=Count("pk", filter=Q(answer__in=AGAINST)),
            overridden=Count("pk", filter=Q(answer=Answer.OVERRIDE)),
            newest=Max("answered_at"),
        )
    )
    return found


def _pairs(done: Any) -> list[tuple[bool, bool]]:
    """Outputs with two verdicts: whether the first and the second person agreed with the output."""
    twice = done.filter(output__items__slot=2, output__items__state=DONE)
    answers: dict[Any, dict[int, bool]] = {}
    for output, slot, answer in twice.order_by().values_list("output_id", "slot", "answer"):
        answers.setdefault(output, {})[slot] = answer == Answer.AGREE
    return [(each[1], each[2]) for each in answers.values() if len(each) == 2]
