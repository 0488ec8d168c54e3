"""Names and functions that expressions of a policy may use. Anything not listed here does not exist for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.roles import catalogue
from gates.criterion import Facts
from gates.expressions import Signature
from gates.measures import BUNDLE_PARTS, MEASURES, days_between, measured_metric

VARIABLES: dict[str, str] = {
    "threshold": "the limit of the criterion at the tier",
    "candidate": "the version under review, as an argument",
    "days_in_stage": "whole days since the current stage began",
    "poc.criteria_met_pct": "share of PoC success criteria met, in %, from the metric poc_criteria_met",
    "log_retention_days": "days that logs are kept, from the operating plan",
    "days_since_access_review": "whole days since rights were last re-certified",
    "card.version": "number of the version that the model card describes",
    "runbook.version": "number of the version that the runbook describes",
    "live.version": "number of the live version",
}
FUNCTIONS: dict[str, tuple[Signature, str]] = {
    "reviews_opened": (
        Signature(1, 10),
        "reviews_opened('privacy', …): how many of these specialist reviews were opened",
    ),
    "uncertified_datasets": (
        Signature(1, 1),
        "uncertified_datasets(candidate): datasets of the version without a current certificate",
    ),
    "bundle_complete": (
        Signature(1, 1),
        "bundle_complete(candidate): whether code, data and environment of the version are recorded",
    ),
    "metric": (Signature(1, 1), "metric('key'): the latest admissible value of a metric"),
    "incidents": (
        Signature(named=frozenset({"severity", "days"})),
        "incidents(severity='sev1', days=14): incidents of that severity in the last days",
    ),
    "log_gap_days": (
        Signature(1, 1),
        "log_gap_days(30): days without logs in the last days, from the metric log_gap_days",
    ),
    "sod_conflicts": (Signature(), "sod_conflicts(): people who hold roles that exclude one another here"),
    "open_waves": (Signature(), "open_waves(): rollout waves that are not completed"),
    "declared": (Signature(1, 1), "declared('practice'): what is declared of a practice"),
}
VARIABLE_NAMES = frozenset(VARIABLES)
SIGNATURES = {name: signature for name, (signature, _words) in FUNCTIONS.items()}
Seen = dict[str, tuple[Any, datetime | None]]


def variables(facts: Facts, at: datetime) -> dict[str, Any]:
    """Every published name; None stands for "not on record"."""
    profile = facts["profile"]
    reviews = facts["controls"]["access_reviews"]
    poc = measured_metric("poc_criteria_met", facts, at)
    live = facts["models"]["live"] or facts["models"]["candidate"]
    return {
        "threshold": None,
        "candidate": "candidate",
        "days_in_stage": days_between(profile["stage_since"], at),
        "poc.criteria_met_pct": poc.value if poc else None,
        "log_retention_days": _number(profile["plan"].get("log_retention_days")),
        "days_since_access_review": days_between(reviews[-1]["reviewed_at"], at) if reviews else None,
        "card.version": _describes(facts, "model_card"),
        "runbook.version": _describes(facts, "runbook"),
        "live.version": _number(live["number"]) if live else None,
    }


def functions(facts: Facts, at: datetime, seen: Seen) -> dict[str, Callable[..., Any]]:  # noqa: C901  # nine short closures
    """The published functions over one use case's facts. What they return is noted in ``seen``."""

    def noted(name: str, value: Any, when: datetime | None = None) -> Any:
        seen[name] = (value, when)
        return value

    def reviews_opened(*areas: str) -> Decimal:
        opened = [r for r in facts["controls"]["specialist_reviews"] if r["area"] in areas]
        when = min((r["opened_at"] for r in opened), default=None)
        return Decimal(noted("reviews opened", Decimal(len({r["area"] for r in opened})), when))

    def uncertified(_version: str) -> Decimal | None:
        found = MEASURES["uncertified_datasets"](facts, at)
        return noted("uncertified datasets", found.value, found.at) if found else None

    def bundle_complete(_version: str) -> bool | None:
        candidate = facts["models"]["candidate"]
        if candidate is None:
            return None
        whole = all(candidate["bundle"].get(part) for part in BUNDLE_PARTS)
        return bool(noted("bundle complete", whole, candidate["registered_at"]))

    def metric(key: str) -> Decimal | None:
        found = measured_metric(key, facts, at)
        return noted(key, found.value, found.at) if found else None

    def incidents(severity: str, days: Decimal) -> Decimal:
        since = at - timedelta(days=int(days))
        count = [i for i in facts["issues"]["incidents"] if i["severity"] == severity and i["occurred_at"] >= since]
        return Decimal(noted(f"{severity} incidents in {int(days)} days", Decimal(len(count))))

    def sod_conflicts() -> Decimal:
        return Decimal(noted("conflicts of duty", Decimal(conflicts_of_duty(facts["people"]["holders"]))))

    def open_waves() -> Decimal:
        still = [w for w in facts["controls"]["waves"] if w["state"] != "completed"]
        return Decimal(noted("open waves", Decimal(len(still))))

    def declared(practice: str) -> str | None:
        row = facts["declarations"].get(practice)
        return str(noted(practice, row["answer"], row["declared_at"])) if row else None

    return {
        "reviews_opened": reviews_opened,
        "uncertified_datasets": uncertified,
        "bundle_complete": bundle_complete,
        "metric": metric,
        "incidents": incidents,
        "log_gap_days": lambda days: metric("log_gap_days"),
        "sod_conflicts": sod_conflicts,
        "open_waves": open_waves,
        "declared": declared,
    }


def conflicts_of_duty(holders: dict[str, list[str]]) -> int:
    """People whose roles here exclude one another: administration with signing, validator with the team."""
    signing = {key for key, found in catalogue().roles.items() if found.signs}
    team = ("technical_lead", "data_scientist", "data_engineer", "use_case_lead")
    admins = set(holders.get("system_admin", ()))
    signers = {person for key in signing for person in holders.get(key, ())}
    validators = set(holders.get("independent_validator", ()))
    builders = {person for key in team for person in holders.get(key, ())}
    return len(admins & signers) + len(validators & builders)


def latest_evidence(seen: Seen, facts: Facts) -> datetime | None:
    """The oldest moment among the values an expression used: as old as that, the whole is."""
    moments = [when for _value, when in seen.values() if when is not None]
    return min(moments) if moments else None


def _describes(facts: Facts, doc_type: str) -> Decimal | None:
    doc = facts["documents"].get(doc_type)
    return _number(doc["describes_number"]) if doc else None


def _number(value: Any) -> Decimal | None:
    return Decimal(value) if value is not None else None
