"""The numbers above the list: how many in each stage, how many at risk, how long they have been where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet
from django.utils import timezone

from portfolio.lifecycle import TRACK
from portfolio.models import UseCase
from portfolio.selectors.listing import AT_RISK, days_between


@dataclass(frozen=True, slots=True)
class Numbers:
    """Counts of one set of use cases; ``median_days`` by stage counts from the last change of stage until now."""

    total: int
    by_stage: dict[str, int]
    by_assurance: dict[str, int]
    by_tier: dict[str, int]
    median_days: dict[str, int] = field(default_factory=dict)

    @property
    def at_risk(self) -> int:
        return sum(self.by_assurance.get(state, 0) for state in AT_RISK)


def numbers(queryset: QuerySet[UseCase], *, medians: bool = True) -> Numbers:
    """Count a set of use cases: one query, and with ``medians`` one more for each stage."""
    rows = queryset.order_by().values_list("stage", "assurance", "tier").annotate(count=Count("pk"))
    stages: Counter[str] = Counter()
    assurances: Counter[str] = Counter()
    tiers: Counter[str] = Counter()
    for stage, assurance, tier, count in rows:
        stages[stage] += count
        assurances[assurance] += count
        tiers[tier] += count
    middle = median_days(queryset, stages) if medians else {}
    return Numbers(sum(stages.values()), dict(stages), dict(assurances), dict(tiers), middle)


def numbers_in_one_pass(queryset: QuerySet[UseCase]) -> Numbers:
    """The same from one query that reads every row: for sets that are dear to find and mostly small, as by search."""
    rows = list(queryset.order_by().values_list("stage", "assurance", "tier", "stage_since"))
    since: dict[str, list[datetime]] = {}
    for stage, _assurance, _tier, moment in rows:
        since.setdefault(stage, []).append(moment)
    now = timezone.now()
    return Numbers(
        total=len(rows),
        by_stage={stage: len(moments) for stage, moments in since.items()},
        by_assurance=dict(Counter(row[1] for row in rows)),
        by_tier=dict(Counter(row[2] for row in rows)),
        median_days={stage: days_between(_middle(sorted(moments)), now) for stage, moments in since.items()},
    )


def median_days(queryset: QuerySet[UseCase], counts: Mapping[str, int]) -> dict[str, int]:
    """Stage -> median of the days that use cases have been in it, for the stages of the way forward.

    ``counts`` says how many there are in each, so that an index finds the one or two in the middle: one short query
    for each stage, which is a tenth of what ranking all of them takes.
    """
    now = timezone.now()
    found = {}
    for stage in TRACK:
        count = counts.get(stage, 0)
        if count:
            since = queryset.filter(stage=stage).order_by("stage_since").values_list("stage_since", flat=True)
            found[str(stage)] = days_between(_between(list(since[(count - 1) // 2 : count // 2 + 1])), now)
    return found


def _middle(moments: list[datetime]) -> datetime:
    return _between(moments[(len(moments) - 1) // 2 : len(moments) // 2 + 1])


def _between(moments: list[datetime]) -> datetime:
    first = min(moments, default=timezone.now())  # somebody may have moved the last one since it was counted
    return first + sum((moment - first for moment in moments), timedelta()) / max(len(moments), 1)
