"""Figures that the record itself yields: named measures computed from facts.

A measure gives a ``Measured`` value, or ``None`` when what it needs is not on record: unknown is never fine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from gates.criterion import Facts, Ref
from governance.catalogue import card_sections

HUNDRED = Decimal(100)
BUNDLE_PARTS = ("code", "data", "environment")


@dataclass(frozen=True, slots=True)
class Measured:
    """A value, when it came to be, and the row it rests on."""

    value: Decimal
    at: datetime | None = None
    ref: Ref | None = None
    sample_size: int | None = None


Measure = Callable[[Facts, datetime], Measured | None]


def measured_metric(key: str, facts: Facts, at: datetime) -> Measured | None:
    """The latest admissible value of a metric.

    Newest of: what the record yields by itself, the monitoring series without a version or of the candidate
    or live version, and validation runs on such a version. A run on an older version is not admissible.
    """
    found = [m for m in (_from_series(key, facts), _from_runs(key, facts)) if m is not None]
    if found:
        return max(found, key=lambda m: m.at or datetime.min.replace(tzinfo=at.tzinfo))
    derived = MEASURES.get(key)
    return derived(facts, at) if derived else None


def days_between(earlier: datetime | date, later: datetime) -> Decimal:
    """Whole days from ``earlier`` to ``later``, never rounded up."""
    if isinstance(earlier, datetime):
        return Decimal((later - earlier).days)
    return Decimal((later.date() - earlier).days)


def percent(part: int, whole: int) -> Decimal:
    return (Decimal(part) * HUNDRED / Decimal(whole)).quantize(Decimal("0.1")) if whole else Decimal(0)


def _from_series(key: str, facts: Facts) -> Measured | None:
    row = (facts.get("metrics") or {}).get(key)
    if not row:
        return None
    return Measured(row["value"], row["at"], Ref("series", str(row["series_id"]), key), row.get("n"))


def _from_runs(key: str, facts: Facts) -> Measured | None:
    admissible = _versions(facts)
    for run in facts.get("validation") or ():
        if key in run["metrics"] and (run["version_id"] is None or run["version_id"] in admissible):
            value = Decimal(str(run["metrics"][key]))
            ref = Ref("validation_run", str(run["id"]), run["kind"].replace("_", " "))
            return Measured(value, run["performed_at"], ref, run["sample_size"])
    return None


def _versions(facts: Facts) -> set[Any]:
    models = facts.get("models") or {}
    return {v["id"] for v in (models.get("candidate"), models.get("live")) if v}


def _kpis_defined(facts: Facts, at: datetime) -> Measured | None:
    return Measured(Decimal(sum(1 for k in facts.get("kpis") or () if k["target"] is not None)))


def _decision_types_tiered(facts: Facts, at: datetime) -> Measured | None:
    types = facts["controls"]["decision_types"]
    return Measured(percent(sum(1 for t in types if t["oversight_tier"]), len(types))) if types else None


def _card_completeness(facts: Facts, at: datetime) -> Measured | None:
    candidate = (facts.get("models") or {}).get("candidate")
    if not candidate:
        return None
    wanted = [section.key for section in card_sections() if section.required]
    filled = sum(1 for key in wanted if key in candidate["card"])
    return Measured(percent(filled, len(wanted)), candidate["registered_at"])


def _retrain_interval(facts: Facts, at: datetime) -> Measured | None:
    cadence = facts["profile"]["plan"].get("retrain_cadence_days")
    return Measured(Decimal(cadence)) if cadence is not None else None


def _funded_months(facts: Facts, at: datetime) -> Measured | None:
    end = facts["profile"]["plan"].get("budget_end_date")
    if end is None:
        return None
    months = (end.year - at.year) * 12 + end.month - at.month - (1 if end.day < at.day else 0)
    return Measured(Decimal(max(months, 0)))


def _stop_drill_age(facts: Facts, at: datetime) -> Measured | None:
    for run in facts.get("validation") or ():
        if run["kind"] in ("stop_drill", "fallback_drill", "rollback_drill") and run["verdict"] == "pass":
            ref = Ref("validation_run", str(run["id"]), run["kind"].replace("_", " "))
            return Measured(days_between(run["performed_at"], at), run["performed_at"], ref)
    return None


def _retrain_overdue(facts: Facts, at: datetime) -> Measured | None:
    due = facts["profile"]["plan"].get("retrain_next_date")
    return Measured(max(days_between(due, at), Decimal(0))) if due is not None else None


def _uncertified_datasets(facts: Facts, at: datetime) -> Measured | None:
    candidate = (facts.get("models") or {}).get("candidate")
    if not candidate or not candidate["datasets"]:
        return None
    return Measured(Decimal(sum(1 for d in candidate["datasets"] if not certified(d, at))), candidate["registered_at"])


def certified(dataset: Mapping[str, Any], at: datetime) -> bool:
    since, until = dataset["certified_at"], dataset["certified_until"]
    return since is not None and since <= at and (until is None or until > at)


def training_done(facts: Facts, courses: tuple[str, ...], at: datetime) -> Measured | None:
    """Share of owed completions that are done and still valid, in %; None when nobody owes one of the courses."""
    owed = [t for t in facts["controls"]["training"] if not courses or t["course"] in courses]
    if not owed or (courses and {t["course"] for t in owed} != set(courses)):
        return None
    done = [t for t in owed if t["completed_at"] and t["completed_at"] <= at and not _ended(t["valid_until"], at)]
    newest = max((t["completed_at"] for t in done), default=None)
    return Measured(percent(len(done), len(owed)), newest, sample_size=len(owed))


def _ended(until: datetime | None, at: datetime) -> bool:
    return until is not None and until <= at


def _feasible_points(facts: Facts, at: datetime) -> Measured | None:
    points = facts["controls"]["integrations"]
    return Measured(percent(sum(1 for p in points if p["feasible"]), len(points))) if points else None


MEASURES: dict[str, Measure] = {
    "kpis_defined": _kpis_defined,
    "decision_types_tiered": _decision_types_tiered,
    "card_completeness": _card_completeness,
    "retrain_interval": _retrain_interval,
    "funded_months": _funded_months,
    "stop_drill_age": _stop_drill_age,
    "retrain_overdue": _retrain_overdue,
    "uncertified_datasets": _uncertified_datasets,
    "training_done": lambda facts, at: training_done(facts, (), at),
    "feasible_points": _feasible_points,
}
MEASURE_NEEDS = ("profile", "kpis", "models", "validation", "controls", "metrics", "changes")
