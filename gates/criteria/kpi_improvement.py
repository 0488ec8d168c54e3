"""Share of the gap between baseline and target that was closed, over a long enough window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from django.utils.translation import gettext_lazy as _

from gates.criterion import Ask, CriterionType, Facts, Finding, Ref, aged, criterion_types, met, missing, not_met, plain
from gates.measures import HUNDRED


@dataclass(frozen=True, slots=True)
class Params:
    """
    kpi: Which KPI.
    measure: What is measured: the share of the gap between baseline and target that was closed, in %.
    min_window_days: Shortest window of a measurement that counts.
    """

    kpi: Literal["primary"] = "primary"
    measure: Literal["pct_of_target_gap"] = "pct_of_target_gap"
    min_window_days: int = 28


@criterion_types.register
class KpiImprovement(CriterionType[Params]):
    """``100 * (value - baseline) / (target - baseline)`` in %, of the newest measurement with a long enough window.

    The sign takes care of direction: a measure that should fall has a target below its baseline.
    """

    key = "kpi_improvement"
    label = _("KPI improvement")
    passes_when = _("Enough of the gap between baseline and target was closed over a window that is long enough.")
    accepts = Params
    place = "kpis"
    needs = ("kpis", "changes")
    needs_bound = True

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        assert ask.bound is not None
        kpi = next((k for k in facts["kpis"] if k["is_primary"]), None)
        if kpi is None or kpi["baseline"] is None or kpi["target"] is None:
            return missing(ask, reason="There is no primary KPI with a baseline and a target.")
        gap = kpi["target"] - kpi["baseline"]
        if gap == 0:
            return not_met(ask, observed="no gap", reason="Target and baseline are equal, so nothing can improve.")
        days = ask.params.min_window_days
        windows = [m for m in kpi["measurements"] if (m["window_end"] - m["window_start"]).days + 1 >= days]
        if not windows:
            return missing(ask, reason=f"No measurement of {kpi['name']} over {days} days or more.")
        newest = windows[-1]
        closed = (HUNDRED * (newest["value"] - kpi["baseline"]) / gap).quantize(Decimal("0.1"))
        observed = f"{plain(closed)} % of the gap ({plain(newest['value'])} {kpi['unit']})"
        ref = (Ref("kpi", str(kpi["id"]), kpi["name"]),)
        if not ask.bound.holds(closed):
            reason = (
                f"{kpi['name']} moved from {plain(kpi['baseline'])} to {plain(newest['value'])} {kpi['unit']}; "
                f"the target is {plain(kpi['target'])}, so {plain(closed)} % of the gap is closed."
            )
            return not_met(ask, observed=observed, reason=reason, evidence=ref)
        finding = met(ask, observed=observed, reason="Enough of the gap is closed.", evidence=ref)
        end = datetime(
            newest["window_end"].year, newest["window_end"].month, newest["window_end"].day, tzinfo=at.tzinfo
        )
        return aged(ask, finding, facts, end, at, what="The measurement")

    def remedy(self, ask: Ask[Params]) -> str:
        return f"Record a measurement of the primary KPI over at least {ask.params.min_window_days} days."
