"""The latest admissible measurement satisfies its limit, and so do the metrics listed beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _

from gates.criterion import (
    Ask,
    Bound,
    CriterionType,
    Facts,
    Finding,
    aged,
    criterion_types,
    error,
    met,
    missing,
    not_met,
    plain,
    with_unit,
)
from gates.measures import MEASURE_NEEDS, measured_metric
from monitoring.catalogue import metrics as catalogue_metrics

PRIMARY = "use_case.primary_metric"


@dataclass(frozen=True, slots=True)
class Also:
    """Another metric that has to hold: its own limit, or without one the act limit of its alert rule."""

    metric: str
    op: Literal[">=", "<=", "==", "between"] | None = None
    value: Decimal | None = None
    high: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.op is None) != (self.value is None):
            raise ValueError(f"{self.metric}: 'op' and 'value' go together")
        if self.op == "between" and (self.high is None or self.value is None or self.high <= self.value):
            raise ValueError(f"{self.metric}: 'between' needs 'high' above 'value'")

    def bound(self, facts: Facts) -> Bound | None:
        if self.op == "between":
            assert self.high is not None
            return Bound(self.metric, "<=", self.high, low=self.value)
        if self.op is not None and self.value is not None:
            return Bound(self.metric, self.op, self.value)
        return alert_limit(self.metric, facts)


@dataclass(frozen=True, slots=True)
class Params:
    """
    metric: Key of the metric, or `use_case.primary_metric`.
    default: With the primary metric: the one meant where a use case names none.
    also: Metrics that have to hold beside it: `metric` with `op` and `value` (and `high` for `between`), or alone,
        where the act limit of its alert rule counts.
    min_sample: Least number of observations behind the value.
    low: Lower end, where the threshold is the upper one.
    """

    metric: str
    default: str = ""
    also: tuple[Also, ...] = ()
    min_sample: int = 0
    low: Decimal | None = None


@criterion_types.register
class MetricThreshold(CriterionType[Params]):
    key = "metric_threshold"
    label = _("Metric against a limit")
    passes_when = _("The latest admissible measurement satisfies the limit, and the metrics beside it theirs.")
    accepts = Params
    place = "monitoring"
    needs = (*MEASURE_NEEDS, "monitors")
    needs_bound = True

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        name, bound = self._main(ask, facts)
        if bound is None:
            return error(ask, reason=f"No limit is agreed for the primary metric {name}; set an alert rule on it.")
        checks = [
            (name, _spoken(name, bound)),
            *((a.metric, _spoken(a.metric, a.bound(facts))) for a in ask.params.also),
        ]
        required = "; ".join(f"{_name(n)} {b.text()}" if b else f"{_name(n)}: a limit" for n, b in checks)
        seen = []
        for metric, limit in checks:
            measured = measured_metric(metric, facts, at)
            if measured is None:
                return missing(ask, required=required, reason=f"No admissible measurement of {_name(metric)}.")
            if limit is None:
                return missing(ask, required=required, reason=f"No limit is set for {_name(metric)}.")
            seen.append((metric, limit, measured))
        return self._verdict(ask, facts, at, seen, required)

    def remedy(self, ask: Ask[Params]) -> str:
        names = [
            ask.params.metric if ask.params.metric != PRIMARY else ask.params.default,
            *(a.metric for a in ask.params.also),
        ]
        return f"Measure {', '.join(_name(n) for n in names)}: record a validation run or send points of the series."

    def _main(self, ask: Ask[Params], facts: Facts) -> tuple[str, Bound | None]:
        bound = ask.bound
        assert bound is not None  # the loader refuses this type without a threshold
        if ask.params.low is not None:
            bound = Bound(bound.measure, bound.op, bound.value, bound.unit, ask.params.low)
        if ask.params.metric != PRIMARY:
            return ask.params.metric, bound
        chosen = facts["profile"]["primary_metric"] or ask.params.default
        return chosen, bound if chosen == ask.params.default else alert_limit(chosen, facts)

    def _verdict(self, ask: Ask[Params], facts: Facts, at: datetime, seen: list[Any], required: str) -> Finding:
        observed = "; ".join(f"{_name(m)} {with_unit(plain(x.value), b.unit)}" for m, b, x in seen)
        refs = tuple(x.ref for _m, _b, x in seen if x.ref)
        failing = [(m, b, x) for m, b, x in seen if not b.holds(x.value)]
        if failing:
            metric, limit, measured = failing[0]
            reason = (
                f"{_name(metric)} is {with_unit(plain(measured.value), limit.unit)}, which has to be {limit.text()}."
            )
            return not_met(ask, observed=observed, required=required, reason=reason, evidence=refs)
        sample = seen[0][2].sample_size
        if ask.params.min_sample and (sample is None or sample < ask.params.min_sample):
            reason = (
                f"Measured on {sample or 'an unknown number of'} items; at least {ask.params.min_sample} are needed."
            )
            return not_met(ask, observed=observed, required=required, reason=reason, evidence=refs)
        finding = met(ask, observed=observed, required=required, reason="Within the limit.", evidence=refs)
        dated = [x.at for _m, _b, x in seen if x.at is not None]
        return aged(ask, finding, facts, min(dated), at, what="The measurement") if dated else finding


def alert_limit(metric: str, facts: Facts) -> Bound | None:
    """The act limit in force: of a rule on the series, else the catalogue's."""
    for monitor in facts.get("monitors") or ():
        if monitor["metric"] == metric:
            rule = monitor["rules"]
            if rule["act"] is not None and rule["op"] in (">=", "<="):
                return Bound(metric, rule["op"], rule["act"])
    known = catalogue_metrics().get(metric)
    if known is None or known.act is None or known.act.number is None or known.direction not in ("higher", "lower"):
        return None
    return Bound(metric, ">=" if known.direction == "higher" else "<=", Decimal(str(known.act.number)), known.unit)


def _spoken(metric: str, bound: Bound | None) -> Bound | None:
    """The limit with the unit of the catalogue where the policy names none."""
    known = catalogue_metrics().get(metric)
    return replace(bound, unit=known.unit) if bound is not None and known is not None and not bound.unit else bound


def _name(metric: str) -> str:
    known = catalogue_metrics().get(metric)
    return known.name if known else metric.replace("_", " ")
