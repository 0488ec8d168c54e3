"""Moves between stages that no gate decision caused; those that one caused are marked by the gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from monitoring.marker import Mark, MarkerSource, markers
from monitoring.models import Series
from portfolio.models import StageChange


@markers.register
class Stages(MarkerSource):
    key: ClassVar[str] = "stages"
    title: ClassVar[Any] = gettext_lazy("Stages")
    icon: ClassVar[str] = "gate"
    order: ClassVar[int] = 40

    def marks(self, series: Sequence[Series], start: datetime, end: datetime) -> Iterator[Mark]:
        moves = StageChange.objects.filter(use_case__in={one.use_case_id for one in series}, at__range=(start, end))
        for move in moves.filter(decision_id__isnull=True).exclude(from_stage="").select_related("use_case"):
            stage = str(move.get_to_stage_display())
            yield Mark(
                at=move.at,
                label=stage,
                detail=_("Moved to the stage %(stage)s.") % {"stage": stage},
                url=reverse("portfolio:use_case_panel", args=[move.use_case.key, "history"]),
            )
