"""Facts and questions for criterion types, without a database: what a test does not say is simply not on record."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from gates.criterion import Ask, Bound, Finding, criterion_types
from gates.fact import fact_loaders
from gates.params import parse_params

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
PROFILE: dict[str, Any] = {
    "key": "UC-1",
    "name": "Letters",
    "stage": "idea",
    "stage_since": NOW - timedelta(days=40),
    "tier": "limited",
    "legal_hold": False,
    "problem_statement": "",
    "target_users": "",
    "non_ai_alternative": "",
    "primary_metric": "",
    "jurisdictions": [],
    "third_party": None,
    "personal_data": None,
    "affects_people": None,
    "generative_or_agentic": None,
    "plan": {},
}


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def day_ago(days: int) -> date:
    return ago(days).date()


def facts(**known: Any) -> dict[str, Any]:
    """Facts of one use case. ``profile`` and ``controls`` are added to what they have by default."""
    found: dict[str, Any] = {loader.key: loader().empty() for loader in fact_loaders}
    found["profile"] = {**PROFILE, **known.pop("profile", {})}
    found["controls"] = {**found["controls"], **known.pop("controls", {})}
    found["issues"] = {**found["issues"], **known.pop("issues", {})}
    return {**found, **known}


def judge(
    type_key: str,
    params: dict[str, Any],
    known: dict[str, Any] | None = None,
    *,
    bound: tuple[str, str, Any] | None = None,
    days: int | None = None,
    voided_by: tuple[str, ...] = (),
    criterion: str = "X-01",
) -> Finding:
    """Judge one criterion of the type with these parameters, as of ``NOW``."""
    kind = criterion_types.get(type_key)
    limit = Bound(bound[0], bound[1], Decimal(str(bound[2]))) if bound else None
    ask: Ask[Any] = Ask(criterion, parse_params(kind.accepts, params), limit, days, voided_by, "idea_to_poc")
    return kind().judge(ask, facts() if known is None else known, NOW)


def version(**more: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "label": "1.2",
        "number": 2,
        "state": "candidate",
        "bundle": {},
        "metrics": {},
        "card": [],
        "significant": False,
        "author_id": 1,
        "registered_at": ago(20),
        "live_at": None,
        "model": "Scorer",
        "model_owner": None,
        "datasets": [],
        **more,
    }


def run(kind: str, **more: Any) -> dict[str, Any]:
    """A validation run that passed three days ago, on no version in particular."""
    return {
        "id": 3,
        "version_id": None,
        "kind": kind,
        "verdict": "pass",
        "metrics": {},
        "sample_size": None,
        "reviewers": 0,
        "independent": False,
        "open_major_findings": 0,
        "performed_at": ago(3),
        "recorded_by_id": 1,
        "source": "ci",
        **more,
    }
