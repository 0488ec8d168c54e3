"""The critical integration points are covered by tests, and enough of them pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

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
from gates.measures import percent


@dataclass(frozen=True, slots=True)
class Params:
    """
    critical_only: Only critical points count.
    min_coverage: Least share of points with a test, in %.
    """

    critical_only: bool = True
    min_coverage: Decimal = Decimal(100)


@criterion_types.register
class IntegrationTest(CriterionType[Params]):
    key = "integration_test"
    label = _("Integration test")
    passes_when = _(
        "The critical integration points are covered by tests, and the share that passed reaches the limit."
    )
    accepts = Params
    place = "controls"
    needs = ("controls", "changes")
    needs_bound = True

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        assert ask.bound is not None
        points = [p for p in facts["controls"]["integrations"] if p["critical"] or not ask.params.critical_only]
        if not points:
            return missing(ask, reason="No critical integration point is registered.")
        refs = tuple(Ref("integration_point", str(p["id"]), p["name"]) for p in points[:10])
        tested = [p for p in points if p.get("test") and p["test"]["cases_run"]]
        coverage = percent(len(tested), len(points))
        if coverage < ask.params.min_coverage:
            untested = listed(p["name"] for p in points if p not in tested)
            observed = f"{plain(coverage)} % covered"
            return missing(ask, observed=observed, reason=f"Not tested yet: {untested}.", evidence=refs)
        run = sum(p["test"]["cases_run"] for p in tested)
        share = percent(sum(p["test"]["cases_passed"] for p in tested), run)
        observed = f"{plain(share)} % of {run} cases passed"
        if not ask.bound.holds(share):
            return not_met(
                ask,
                observed=observed,
                reason=f"{plain(share)} % passed, which has to be {ask.bound.text()}.",
                evidence=refs,
            )
        finding = met(ask, observed=observed, reason="All critical points work.", evidence=refs)
        oldest = min(p["test"]["performed_at"] for p in tested)
        return aged(ask, finding, facts, oldest, at, what="The oldest test")

    def remedy(self, ask: Ask[Params]) -> str:
        return "Register the critical integration points and log a test of each."
