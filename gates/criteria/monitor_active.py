"""Each kind of monitor is switched on and reported within the silence limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from gates.criterion import (
    Ask,
    CriterionType,
    Facts,
    Finding,
    Ref,
    aged,
    criterion_types,
    listed,
    met,
    missing,
    not_met,
    plain,
)
from gates.measures import days_between, percent
from gates.params import require_some

SECONDS = Decimal(3600)
KINDS = (
    "input",
    "output",
    "drift",
    "data_drift",
    "prediction_drift",
    "performance",
    "operations",
    "latency",
    "errors",
    "confidence",
    "cost",
    "logs",
)


@dataclass(frozen=True, slots=True)
class Params:
    """
    kinds: Kinds of monitor; each has to report.
    baseline_required: A baseline is recorded for each kind.
    rules_required: The threshold is the share of kinds with a warn and an act limit, in %, instead of hours of silence.
    max_gap_days: The newest report of each kind is younger than this.
    """

    kinds: tuple[str, ...]
    baseline_required: bool = False
    rules_required: bool = False
    max_gap_days: int = 0

    def __post_init__(self) -> None:
        require_some(kinds=self.kinds)
        for kind in self.kinds:
            if kind not in KINDS:
                raise ValueError(f"unknown kind of monitor {kind!r} (known: {', '.join(KINDS)})")


@criterion_types.register
class MonitorActive(CriterionType[Params]):
    key = "monitor_active"
    label = _("Monitors reporting")
    passes_when = _("Each kind of monitor is switched on and has reported within the silence limit.")
    accepts = Params
    place = "monitoring"
    needs = ("monitors", "changes")
    needs_bound = True

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        assert ask.bound is not None
        live = {kind: self._of_kind(kind, facts) for kind in ask.params.kinds}
        absent = [kind for kind, found in live.items() if not found]
        required = f"{listed(ask.params.kinds)}; {ask.bound.measure.replace('_', ' ')} {ask.bound.text()}"
        observed = f"{len(live) - len(absent)} of {len(live)} kinds reporting"
        if absent:
            return missing(ask, observed=observed, required=required, reason=f"No monitor of {listed(absent)}.")
        monitors = [m for found in live.values() for m in found]
        refs = tuple(Ref("series", str(m["series_id"]), m["metric"]) for m in monitors[:10])
        wrong = self._shortfall(ask, live, at)
        if wrong:
            return not_met(ask, observed=observed, required=required, reason=wrong, evidence=refs)
        finding = met(ask, observed=observed, required=required, reason="All monitors report.", evidence=refs)
        return aged(ask, finding, facts, min(self._newest(found) for found in live.values()), at, what="A report")

    def remedy(self, ask: Ask[Params]) -> str:
        extra = " with a recorded baseline" if ask.params.baseline_required else ""
        extra += " with warn and act limits" if ask.params.rules_required else ""
        return f"Connect a source or push points for {listed(ask.params.kinds)}{extra}."

    def _of_kind(self, kind: str, facts: Facts) -> list[dict[str, Any]]:
        return [m for m in facts["monitors"] if kind in m["kinds"] and m["enabled"] and m["last_time"] is not None]

    def _newest(self, found: list[dict[str, Any]]) -> datetime:
        newest: datetime = max(m["last_time"] for m in found)
        return newest

    def _shortfall(self, ask: Ask[Params], live: dict[str, list[dict[str, Any]]], at: datetime) -> str:
        bound = ask.bound
        assert bound is not None
        if ask.params.baseline_required:
            bare = [kind for kind, found in live.items() if all(m["baseline"] is None for m in found)]
            if bare:
                return f"No baseline is recorded for {listed(bare)}."
        gap = ask.params.max_gap_days
        late = [
            m["metric"] for found in live.values() for m in found if gap and days_between(m["last_time"], at) >= gap
        ]
        if late:
            return f"Silent for {gap} days or more: {listed(dict.fromkeys(late))}."
        if ask.params.rules_required:
            ruled = [k for k, found in live.items() if any(_complete(m["rules"]) for m in found)]
            share = percent(len(ruled), len(live))
            if not bound.holds(share):
                bare = [kind for kind in live if kind not in ruled]
                return f"Warn and act limits are set for {plain(share)} %; missing for {listed(bare)}."
            return ""
        for kind, found in live.items():
            hours = Decimal(int((at - self._newest(found)).total_seconds())) / SECONDS
            if not bound.holds(hours):
                shown = plain(hours.quantize(Decimal("0.1"), ROUND_UP))
                return f"{kind.replace('_', ' ').capitalize()} has been silent for {shown} hours."
        return ""


def _complete(rule: dict[str, Any]) -> bool:
    return rule["warn"] is not None and rule["act"] is not None
