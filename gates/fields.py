"""The fields that criteria can ask for, by the name a policy uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gates.criterion import Facts

FieldValue = Any


def _profile(name: str) -> Callable[[Facts], FieldValue]:
    return lambda facts: facts["profile"].get(name)


def _plan(name: str) -> Callable[[Facts], FieldValue]:
    return lambda facts: facts["profile"]["plan"].get(name)


def _kpi(name: str) -> Callable[[Facts], FieldValue]:
    """The primary measure's field; without a primary one, any measure that has it."""

    def read(facts: Facts) -> FieldValue:
        kpis = facts.get("kpis") or []
        chosen = [k for k in kpis if k["is_primary"]] or kpis
        return next((k[name] for k in chosen if k[name] not in (None, "")), None)

    return read


def _candidate(name: str) -> Callable[[Facts], FieldValue]:
    def read(facts: Facts) -> FieldValue:
        candidate = (facts.get("models") or {}).get("candidate")
        return candidate[name] if candidate else None

    return read


def _held(role: str) -> Callable[[Facts], FieldValue]:
    return lambda facts: facts["people"]["holders"].get(role)


def _oversight(name: str) -> Callable[[Facts], FieldValue]:
    return lambda facts: facts["controls"]["oversight"].get(name)


def _decision_tiers(facts: Facts) -> FieldValue:
    types = facts["controls"]["decision_types"]
    return [t["name"] for t in types] if types and all(t["oversight_tier"] for t in types) else None


FIELDS: dict[str, Callable[[Facts], FieldValue]] = {
    **{
        name: _profile(name)
        for name in (
            "problem_statement",
            "target_users",
            "non_ai_alternative",
            "objective",
            "strategic_goal",
            "decision_name",
            "jurisdictions",
            "regulations",
            "eu_role",
            "oversight_tier",
            "primary_metric",
        )
    },
    **{
        name: _plan(name)
        for name in (
            "budget_poc",
            "budget_build",
            "budget_run_year1",
            "budget_run",
            "budget_monitoring",
            "budget_people",
            "budget_end_date",
            "production_cost_range",
            "planned_end",
            "team",
            "priority_rank",
        )
    },
    "support.hours": _plan("support_hours"),
    "support.targets": _plan("support_targets"),
    "support.levels": _plan("support_levels"),
    "support.review_calendar": _plan("support_review_calendar"),
    "retrain.cadence": _plan("retrain_cadence_days"),
    "retrain.trigger": _plan("retrain_trigger"),
    "retrain.data_window": _plan("retrain_data_window"),
    "retrain.next_date": _plan("retrain_next_date"),
    "kpi.formula": _kpi("formula"),
    "kpi.baseline": _kpi("baseline"),
    "kpi.baseline_date": _kpi("baseline_date"),
    "kpi.baseline_source": _kpi("baseline_source"),
    "kpi.target": _kpi("target"),
    "kpi.window": _kpi("window_days"),
    "kpi.locked_by": _kpi("locked_by_id"),
    "model.owner": _candidate("model_owner"),
    "version.bundle": _candidate("bundle"),
    "version.datasets": _candidate("datasets"),
    "version.metrics": _candidate("metrics"),
    "card.draft": _candidate("card"),
    "transition_owner": _held("transition_owner"),
    "business_owner": _held("business_owner"),
    "business_sponsor": _held("business_sponsor"),
    "decision_types.oversight_tier": _decision_tiers,
    "oversight.reviewers": _oversight("reviewers"),
    "oversight.override_path": _oversight("override_path"),
    "oversight.stop_control": _oversight("stop_control"),
}
FIELD_NAMES = frozenset(FIELDS)


def field_value(name: str, facts: Facts) -> FieldValue:
    """The value of a field, or None (or something empty) when it is not on record."""
    return FIELDS[name](facts)
