"""Success measures with what was measured, and what that means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from portfolio.lifecycle import ENDED
from portfolio.models import Direction, Kpi, KpiMeasurement, Stage, UseCase


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the last measurement says: ``state`` is a word of the interface's hues."""

    state: str
    label: Any


REACHED = Verdict("met", _("Target reached"))
BETTER = Verdict("attention", _("Better than the baseline, target not reached"))
WORSE = Verdict("blocked", _("Not better than the baseline"))
UNMEASURED = Verdict("neutral", _("Not measured yet"))
MEASURED = Verdict("info", _("Measured; no target set"))
NOT_REACHED = Verdict("attention", _("Target not reached"))


VERDICTS = {
    "reached": REACHED,
    "better": BETTER,
    "not_reached": NOT_REACHED,
    "worse": WORSE,
    "unmeasured": UNMEASURED,
}
"""What can be said of a KPI with a target, by its name in an address."""


def promised(kpis: QuerySet[Kpi, Kpi]) -> QuerySet[Kpi, Kpi]:
    """What use cases stand for: their primary KPI with a target, from the proof of concept until they end."""
    ideas = (Stage.IDEA, *ENDED)
    return kpis.filter(is_current=True, is_primary=True, target__isnull=False).exclude(use_case__stage__in=ideas)


def verdict(kpi: Kpi, value: Decimal | None) -> Verdict:
    """Compare a value with target and baseline in the direction that is better."""
    if value is None:
        return UNMEASURED
    if kpi.target is None:
        return MEASURED
    if _reaches(value, kpi.target, kpi.direction):
        return REACHED
    if kpi.baseline is None:
        return NOT_REACHED
    return BETTER if value != kpi.baseline and _reaches(value, kpi.baseline, kpi.direction) else WORSE


@dataclass(frozen=True, slots=True)
class KpiStory:
    """A current KPI, its measurements over all versions (oldest first) and its earlier versions (newest first)."""

    kpi: Kpi
    measurements: Sequence[KpiMeasurement]
    earlier: Sequence[Kpi] = field(default_factory=list)

    @property
    def last(self) -> KpiMeasurement | None:
        return self.measurements[-1] if self.measurements else None

    @property
    def verdict(self) -> Verdict:
        return verdict(self.kpi, self.last.value if self.last else None)

    @property
    def newest_first(self) -> list[KpiMeasurement]:
        return list(reversed(self.measurements))


def stories(use_case: UseCase) -> list[KpiStory]:
    """Every current KPI of a use case, primary first. Two queries."""
    measured = KpiMeasurement.objects.select_related("recorded_by").order_by("window_end", "pk")
    rows = use_case.kpis.select_related("locked_by").prefetch_related(Prefetch("measurements", queryset=measured))
    versions: dict[str, list[Kpi]] = {}
    for kpi in rows.order_by("-version"):
        versions.setdefault(kpi.key, []).append(kpi)
    found = [_story(each) for each in versions.values()]
    return sorted(found, key=lambda story: (not story.kpi.is_primary, story.kpi.name))


def chart_of(kpi: Kpi, measurements: Sequence[KpiMeasurement]) -> dict[str, Any]:
    """The JSON of a chart: measured values over time, with baseline and target as lines."""
    thresholds: list[dict[str, Any]] = []
    if kpi.baseline is not None:
        thresholds.append({"value": float(kpi.baseline), "label": str(_("Baseline")), "tone": "neutral"})
    if kpi.target is not None:
        thresholds.append({"value": float(kpi.target), "label": str(_("Target")), "tone": "met"})
    return {
        "kind": "line",
        "unit": kpi.unit,
        "x": {"type": "time"},
        "y": {"label": kpi.unit},
        "series": [
            {"name": kpi.name, "points": [[each.window_end.isoformat(), float(each.value)] for each in measurements]}
        ],
        "thresholds": thresholds,
    }


def _story(versions: list[Kpi]) -> KpiStory:
    current, *earlier = sorted(versions, key=lambda kpi: kpi.version, reverse=True)
    measurements = [each for kpi in versions for each in kpi.measurements.all()]
    return KpiStory(current, sorted(measurements, key=lambda each: (each.window_end, each.pk)), earlier)


def _reaches(value: Decimal, mark: Decimal, direction: str) -> bool:
    return value >= mark if direction == Direction.HIGHER else value <= mark
