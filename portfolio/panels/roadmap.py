"""Roadmap: the blocks of work, their dates and how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy

from accounts.access import actions_on
from portfolio.models import Phase, UseCase
from portfolio.panel import Panel, panels
from portfolio.views.common import person_of

WIDTH = 1000
MOST_MONTHS = 5
TONES = {"completed": "met", "in_progress": "info", "blocked": "blocked", "not_started": "neutral"}


@panels.register
class Roadmap(Panel):
    key: ClassVar[str] = "roadmap"
    title: ClassVar[Any] = gettext_lazy("Roadmap")
    order: ClassVar[int] = 90
    template: ClassVar[str] = "portfolio/panels/roadmap.html"

    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        phases = list(use_case.phases.select_related("owner"))
        allowed = actions_on(person_of(request), use_case)
        return {
            "phases": phases,
            "chart": gantt(phases, timezone.localdate()),
            "states": Phase.State.choices,
            "tones": TONES,
            "may_plan": "roadmap.edit" in allowed,
            "may_update": bool(allowed & {"roadmap.edit", "activity.update"}),
        }

    def rows(self, use_case: UseCase) -> QuerySet[Any]:
        return use_case.phases.all()


def gantt(phases: Sequence[Phase], today: date) -> dict[str, Any] | None:
    """Bars of the phases that have both dates, the months, and today, in units of the drawing; None without any."""
    dated = [(phase, *_span(phase)) for phase in phases if phase.starts_on and phase.ends_on]
    if not dated:
        return None
    start = min([begin for _phase, begin, _end in dated] + [today]) - timedelta(days=3)
    end = max([finish for _phase, _begin, finish in dated] + [today]) + timedelta(days=3)
    days = (end - start).days

    def x(day: date) -> float:
        return round((day - start).days / days * WIDTH, 1)

    return {
        "rows": [
            {
                "label": phase.name,
                "bars": [
                    {
                        "x": x(begin),
                        "width": max(round(x(finish + timedelta(days=1)) - x(begin), 1), 3.0),
                        "tone": TONES.get(phase.state, "neutral"),
                        "late": phase.state != Phase.State.COMPLETED and finish < today,
                        "label": f"{phase.get_state_display()}: {date_format(begin)} – {date_format(finish)}",
                    }
                ],
            }
            for phase, begin, finish in dated
        ],
        "today": x(today),
        "width": WIDTH,
        "ticks": [{"x": x(month), "label": date_format(month, "M Y")} for month in _months(start, end)],
    }


def _span(phase: Phase) -> tuple[date, date]:
    assert phase.starts_on is not None
    assert phase.ends_on is not None
    return phase.starts_on, phase.ends_on


def _months(start: date, end: date) -> list[date]:
    """Firsts of months between two days, thinned so that their names do not touch."""
    months = []
    year, month = start.year, start.month
    while (first := date(year, month, 1)) <= end:
        if first >= start:
            months.append(first)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return months[:: -(-len(months) // MOST_MONTHS) or 1]
