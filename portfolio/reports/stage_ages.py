"""How long use cases stay in a stage: those that are there now, and those that went on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kernel.tables import Column
from portfolio.lifecycle import TRACK
from portfolio.models import StageChange, UseCase
from portfolio.report import Report, reports


@reports.register
class StageAges(Report):
    """One row a stage; days are whole and counted from the moves in the history."""

    key: ClassVar[str] = "stage-ages"
    title: ClassVar[Any] = _("Days in each stage")
    description: ClassVar[Any] = _("Where use cases get stuck: how long they are in a stage, and how long others took.")
    order: ClassVar[int] = 20
    icon: ClassVar[str] = "hourglass"

    def columns(self) -> Sequence[Column]:
        return (
            Column("stage", _("Stage")),
            Column("now", _("There now"), numeric=True),
            Column("median_now", _("Median days so far"), numeric=True),
            Column("longest_now", _("Longest, days"), numeric=True),
            Column("longest_key", _("Longest, use case")),
            Column("left", _("Went on"), numeric=True),
            Column("median_left", _("Median days it took"), numeric=True),
        )

    def rows(self, request: HttpRequest, use_cases: QuerySet[UseCase]) -> Iterator[dict[str, Any]]:
        now = timezone.now()
        here: dict[str, list[tuple[int, str]]] = {}
        for key, stage, since in use_cases.order_by().values_list("key", "stage", "stage_since"):
            here.setdefault(stage, []).append((_days(since, now), key))
        gone = _durations(use_cases)
        for stage in TRACK:
            waiting, took = sorted(here.get(stage, [])), gone.get(stage, [])
            yield {
                "stage": str(stage.label),
                "now": len(waiting),
                "median_now": round(median(days for days, _key in waiting)) if waiting else None,
                "longest_now": waiting[-1][0] if waiting else None,
                "longest_key": waiting[-1][1] if waiting else "",
                "left": len(took),
                "median_left": round(median(took)) if took else None,
            }


def _durations(use_cases: QuerySet[UseCase]) -> dict[str, list[int]]:
    """Stage -> days between entering it and leaving it, over every move that was recorded."""
    found: dict[str, list[int]] = {}
    entered: dict[UUID, datetime] = {}
    moves = StageChange.objects.filter(use_case__in=use_cases.order_by()).order_by("at", "pk")
    for use_case, stage, at in moves.values_list("use_case_id", "from_stage", "at").iterator():
        if stage and use_case in entered:
            found.setdefault(stage, []).append(_days(entered[use_case], at))
        entered[use_case] = at
    return found


def _days(start: datetime, end: datetime) -> int:
    return max((end - start) // timedelta(days=1), 0)
