"""Stages over time as plain numbers for an SVG: one line a use case, one bar for each stay in a stage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import ngettext

from portfolio.lifecycle import ENDED, TRACK
from portfolio.models import Stage, StageChange, UseCase

WIDTH = 1000
"""Width of the drawing in its own units; it is stretched to the page."""
SHORTEST = timedelta(days=90)
LONGEST = timedelta(days=3 * 365)
TICKS = 6


def bars(use_cases: Sequence[UseCase]) -> dict[str, Any]:
    """Rows with their bars, and the marks of the time axis. One query."""
    now = timezone.now()
    stays = {use_case.pk: _stays(use_case, moves, now) for use_case, moves in _moves(use_cases)}
    starts = [stay["start"] for each in stays.values() for stay in each]
    start = min(max(min(starts, default=now), now - LONGEST), now - SHORTEST)

    def x(moment: datetime) -> float:
        share = (moment - start) / (now - start)
        return round(min(max(share, 0.0), 1.0) * WIDTH, 1)

    rows = [
        {
            "label": use_case.name,
            "url": reverse("portfolio:use_case", args=[use_case.key]),
            "bars": [
                {
                    "stage": stay["stage"],
                    "label": _said(stay),
                    "x": x(stay["start"]),
                    "width": max(round(x(stay["end"]) - x(stay["start"]), 1), 2.0),
                }
                for stay in stays[use_case.pk]
                if stay["end"] > start
            ],
        }
        for use_case in use_cases
    ]
    step = (now - start) / TICKS
    moments = [start + step * place for place in range(TICKS)]
    return {
        "rows": rows,
        "width": WIDTH,
        "legend": TRACK,
        "ticks": [{"x": x(moment), "label": date_format(moment, "M Y")} for moment in moments],
    }


def _moves(use_cases: Sequence[UseCase]) -> list[tuple[UseCase, list[StageChange]]]:
    found: dict[UUID, list[StageChange]] = {use_case.pk: [] for use_case in use_cases}
    for change in StageChange.objects.filter(use_case__in=list(found)).order_by("at", "pk"):
        found[change.use_case_id].append(change)
    return [(use_case, found[use_case.pk]) for use_case in use_cases]


def _stays(use_case: UseCase, moves: Sequence[StageChange], now: datetime) -> list[dict[str, Any]]:
    """From each move until the next one; what has ended is not drawn on."""
    stays: list[dict[str, Any]] = []
    for move, following in zip(moves, [*moves[1:], None], strict=True):
        if move.to_stage in ENDED:
            continue
        stays.append({"stage": move.to_stage, "start": move.at, "end": following.at if following else now})
    if not moves and use_case.is_open:
        stays.append({"stage": use_case.stage, "start": use_case.stage_since, "end": now})
    return stays


def _said(stay: dict[str, Any]) -> str:
    days = max((stay["end"] - stay["start"]) // timedelta(days=1), 0)
    return ngettext("%(stage)s, %(days)d day", "%(stage)s, %(days)d days", days) % {
        "stage": Stage(stay["stage"]).label,
        "days": days,
    }
