"""What two versions come to beside each other: the figures of a comparison, and what its rule makes of them.

Means of points differ by Welch's interval, shares of reviews by Newcombe's, for independent or for paired proportions
(see ``intervals``); all at 95 %. A gain is the difference turned so that more is better. The rule: not enough while the
sample or the time is short of what was agreed; keep when a guardrail has certainly grown worse or the gain that was
agreed is ruled out; promote when the gain is certainly more than agreed; else inconclusive. People decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from governance.models import ModelVersion
from monitoring.catalogue import HIGHER, LOWER, metric, metric_name
from monitoring.intervals import Interval, newcombe, newcombe_paired, welch
from monitoring.models import Answer, Comparison, ReviewItem, Series
from monitoring.reviewing import DONE
from monitoring.selectors.points import points_of

NOT_ENOUGH, PROMOTE, KEEP, INCONCLUSIVE = "not_enough", "promote", "keep", "inconclusive"
MOST_POINTS = 100_000
BASIS = Comparison.Basis


@dataclass(frozen=True, slots=True)
class Side:
    """One version: how much of it was seen, and what it comes to."""

    n: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A metric that must not grow worse. ``state``: ok, worse or unknown."""

    metric: str
    name: str
    unit: str
    champion: Side
    challenger: Side
    difference: Interval | None
    state: str


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of a comparison at ``at``. ``difference`` is challenger minus champion, None without a sample."""

    at: datetime
    champion: Side
    challenger: Side
    difference: Interval | None
    gain: Interval | None
    guardrails: Sequence[Guardrail]
    days: float
    finding: str
    missing: Sequence[str] = field(default_factory=tuple)


def compare(comparison: Comparison, at: datetime | None = None) -> Result:
    """Count what is stored between the start and ``at`` (or the end, if that is earlier)."""
    now = at or timezone.now()
    end = min(now, comparison.ends_at) if comparison.ends_at else now
    champion, challenger, difference = _PRIMARY[BASIS(comparison.basis)](comparison, end)
    guardrails = [_guardrail(comparison, key, end) for key in comparison.guardrails]
    gain = _turned(difference, comparison.direction)
    days = max((end - comparison.starts_at).total_seconds() / 86400, 0.0)
    missing = _missing(comparison, champion, challenger, days)
    return Result(
        at=end,
        champion=champion,
        challenger=challenger,
        difference=difference,
        gain=gain,
        guardrails=guardrails,
        days=days,
        finding=_finding(comparison, gain, guardrails, missing),
        missing=missing,
    )


def unsealed(comparison: Comparison) -> Result:
    """The figures that the verdict was given on, whatever has been stored since."""
    kept = comparison.result
    guardrails = [
        Guardrail(
            each["metric"],
            each["name"],
            each["unit"],
            _kept_side(each["champion"]),
            _kept_side(each["challenger"]),
            _kept_interval(each["difference"]),
            each["state"],
        )
        for each in kept["guardrails"]
    ]
    return Result(
        at=comparison.decided_at or comparison.created_at,
        champion=_kept_side(kept["champion"]),
        challenger=_kept_side(kept["challenger"]),
        difference=_kept_interval(kept["difference"]),
        gain=_kept_interval(kept["gain"]),
        guardrails=guardrails,
        days=float(kept["days"]),
        finding=kept["finding"],
        missing=kept["missing"],
    )


def reviews_of(comparison: Comparison, version_id: Any, end: datetime) -> QuerySet[ReviewItem]:
    """First reviews of outputs of a version that were made since the start."""
    rows = ReviewItem.objects.filter(state=DONE, slot=1, output__use_case=comparison.use_case_id)
    rows = rows.filter(output__version=version_id, output__at__gte=comparison.starts_at, output__at__lte=end)
    if comparison.basis == BASIS.REVIEWS:
        rows = rows.filter(why=ReviewItem.Why.RANDOM)
    return rows.order_by()


def series_of(comparison: Comparison, key: str, version_id: Any) -> Series | None:
    """The series of a metric of one version over all segments."""
    return Series.objects.filter(use_case=comparison.use_case_id, metric=key, version=version_id, segment="").first()


def direction_of(use_case_id: Any, key: str) -> tuple[str, str]:
    """Which way is better, and the unit: as the series of the use case say, else the catalogue; "" if neither does."""
    row = Series.objects.filter(use_case=use_case_id, metric=key).order_by("pk").first()
    if row is not None and row.direction in {HIGHER, LOWER}:
        return row.direction, row.unit
    known = metric(key)
    return (known.direction, known.unit) if known and known.direction in {HIGHER, LOWER} else ("", "")


def _points(comparison: Comparison, end: datetime) -> tuple[Side, Side, Interval | None]:
    return _means(comparison, comparison.metric, end)


def _means(comparison: Comparison, key: str, end: datetime) -> tuple[Side, Side, Interval | None]:
    first = _values(comparison, key, comparison.champion_id, end)
    second = _values(comparison, key, comparison.challenger_id, end)
    difference = welch(first, second) if len(first) > 1 and len(second) > 1 else None
    return _side(first), _side(second), difference


def _reviews(comparison: Comparison, end: datetime) -> tuple[Side, Side, Interval | None]:
    counts = []
    for version in (comparison.champion_id, comparison.challenger_id):
        rows = reviews_of(comparison, version, end)
        counts.append((rows.exclude(answer=Answer.AGREE).count(), rows.count()))
    first, second = counts
    difference = _in_percent(newcombe(first, second)) if first[1] and second[1] else None
    return _share(*first), _share(*second), difference


def _pairs(comparison: Comparison, end: datetime) -> tuple[Side, Side, Interval | None]:
    wrong: list[dict[str, bool]] = []
    for version in (comparison.champion_id, comparison.challenger_id):
        rows = reviews_of(comparison, version, end).exclude(output__case_id="").order_by("answered_at")
        wrong.append({case: a != Answer.AGREE for case, a in rows.values_list("output__case_id", "answer")})
    first, second = wrong
    pairs = [(first[case], second[case]) for case in first.keys() & second.keys()]
    if not pairs:
        return Side(0, None), Side(0, None), None
    table = [pairs.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False))]
    n = len(pairs)
    return _share(table[0] + table[1], n), _share(table[0] + table[2], n), _in_percent(newcombe_paired(*table))


_PRIMARY = {BASIS.POINTS: _points, BASIS.REVIEWS: _reviews, BASIS.PAIRS: _pairs}


def _values(comparison: Comparison, key: str, version_id: Any, end: datetime) -> list[float]:
    series = series_of(comparison, key, version_id)
    if series is None:
        return []
    return [point.value for point in points_of(series, start=comparison.starts_at, end=end, limit=MOST_POINTS)]


def _guardrail(comparison: Comparison, key: str, end: datetime) -> Guardrail:
    champion, challenger, difference = _means(comparison, key, end)
    direction, unit = direction_of(comparison.use_case_id, key)
    gain = _turned(difference, direction) if direction else None
    state = "unknown" if gain is None else "worse" if gain.high < 0 else "ok"
    return Guardrail(key, metric_name(key), unit, champion, challenger, difference, state)


def _missing(comparison: Comparison, champion: Side, challenger: Side, days: float) -> list[str]:
    found = []
    for version, side in ((comparison.champion, champion), (comparison.challenger, challenger)):
        if side.n < comparison.min_sample:
            said = _("%(label)s: %(n)d of %(least)d %(what)s.")
            what = _WHAT[BASIS(comparison.basis)](comparison.min_sample)
            found.append(said % {"label": version.label, "n": side.n, "least": comparison.min_sample, "what": what})
    if days < comparison.min_days:
        said = _("%(days).1f of %(least)d days.")
        found.append(said % {"days": days, "least": comparison.min_days})
    return found


_WHAT = {
    BASIS.POINTS: lambda n: ngettext("point", "points", n),
    BASIS.REVIEWS: lambda n: ngettext("review", "reviews", n),
    BASIS.PAIRS: lambda n: ngettext("case", "cases", n),
}


def _finding(
    comparison: Comparison, gain: Interval | None, guardrails: Sequence[Guardrail], missing: Sequence[str]
) -> str:
    if gain is None or missing:
        return NOT_ENOUGH
    if any(each.state == "worse" for each in guardrails) or gain.high < comparison.margin:
        return KEEP
    return PROMOTE if gain.low > comparison.margin else INCONCLUSIVE


def _turned(difference: Interval | None, direction: str) -> Interval | None:
    if difference is None or direction == HIGHER:
        return difference
    return Interval(-difference.value, -difference.high, -difference.low)


def _side(values: Sequence[float]) -> Side:
    return Side(len(values), fmean(values) if values else None)


def _share(hits: int, n: int) -> Side:
    return Side(n, 100 * hits / n if n else None)


def _in_percent(share: Interval) -> Interval:
    return Interval(100 * share.value, 100 * share.low, 100 * share.high)


def _kept_side(kept: Mapping[str, Any]) -> Side:
    return Side(kept["n"], None if kept["value"] is None else float(kept["value"]))


def _kept_interval(kept: Mapping[str, Any] | None) -> Interval | None:
    return Interval(*(float(kept[name]) for name in ("value", "low", "high"))) if kept else None


def versions_of(use_case_id: Any) -> QuerySet[ModelVersion]:
    """The versions of a use case, the newest first."""
    rows = ModelVersion.objects.filter(model__use_case=use_case_id).select_related("model")
    return rows.order_by("-registered_at", "-number")
