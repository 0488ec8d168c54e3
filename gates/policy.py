"""The policy format: a YAML text becomes a typed, immutable policy with a digest, or errors that name file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kernel.canonical import digest

TIERS = ("minimal", "limited", "high")
MODES = ("mandatory", "advisory", "not_applicable")
CONDITIONS = ("third_party", "personal_data", "affects_people", "generative_or_agentic")
CHANGES = ("purpose", "data", "model", "prompt", "integration", "oversight", "owner", "vendor", "incident", "evidence")
OPERATORS = (">=", "<=", "==")
DAYS_TO_DECIDE: Mapping[str, int] = {"minimal": 14, "limited": 7, "high": 3}
"""Days to decide what is done after a breach, where a policy does not say."""
RECURRING = "operations"
"""The stage whose gate leads back to itself: the recurring review."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit per tier."""

    measure: str
    op: str
    by_tier: Mapping[str, Decimal]
    unit: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """One rule of a gate."""

    id: str
    slug: str
    title: str
    question: str
    type: str
    params: Any
    raw_params: Mapping[str, Any]
    applies: Mapping[str, str]
    owner: str
    applies_if: str = ""
    threshold: Threshold | None = None
    evidence: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    standards: tuple[str, ...] = ()
    validity_days: Mapping[str, int] = field(default_factory=dict)
    invalidated_by: tuple[str, ...] = ()
    waivable: bool = True
    once: bool = False
    """Judged only when the gate is passed: it says nothing about the time after."""

    def mode(self, tier: str) -> str:
        return self.applies[judged_tier(tier)]


@dataclass(frozen=True, slots=True)
class Slots:
    """Who signs at one gate and tier, and by when."""

    signers: tuple[str, ...]
    decision_sla_days: int
    board_quorum: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    key: str
    title: str
    from_stages: tuple[str, ...]
    to_stage: str
    criteria: tuple[Criterion, ...]

    def criterion(self, criterion_id: str) -> Criterion:
        return next(c for c in self.criteria if c.id == criterion_id)

    @property
    def is_recurring(self) -> bool:
        return self.to_stage in self.from_stages


@dataclass(frozen=True, slots=True)
class Duty:
    """One separation-of-duties rule."""

    id: str
    name: str
    rule: str
    tiers: tuple[str, ...]
    effect: str


@dataclass(frozen=True, slots=True)
class PolicyBody:
    """A whole policy at one version. ``data`` is the plain form that the digest is over."""

    key: str
    title: str
    version: str
    primary: bool
    stages: tuple[str, ...]
    gates: Mapping[str, Gate]
    matrix: Mapping[str, Mapping[str, Slots]]
    duties: tuple[Duty, ...]
    cadence_days: Mapping[str, int]
    sign_off_validity_days: int
    judges: Mapping[str, tuple[str, ...]]
    data: Mapping[str, Any]
    digest: str
    waiver_days: Mapping[str, int] = field(default_factory=dict)
    """The longest a waiver may run, by tier."""
    breach_days: Mapping[str, int] = field(default_factory=lambda: DAYS_TO_DECIDE)
    """Days to decide what is done after a breach, by tier."""

    def next_gate(self, stage: str) -> Gate | None:
        """The gate that leads on from a stage, if this policy has one."""
        return next((gate for gate in self.gates.values() if stage in gate.from_stages), None)

    def gate_before(self, stage: str) -> list[Gate]:
        """Gates a use case in ``stage`` has behind it, in order."""
        order = list(self.stages)
        if stage not in order:
            return []
        reached = order.index(stage)
        return [g for g in self.gates.values() if not g.is_recurring and order.index(g.to_stage) <= reached]

    def slots(self, gate: str, tier: str) -> Slots | None:
        return self.matrix.get(gate, {}).get(judged_tier(tier))

    def needs(self) -> frozenset[str]:
        """Every fact loader that some criterion asks for, and what concerns them all: waivers and conditions."""
        from gates.criterion import criterion_types

        used = {c.type for g in self.gates.values() for c in g.criteria}
        return frozenset(
            {"profile", "waivers", "conditions"} | {need for key in used for need in criterion_types.get(key).needs}
        )

    def judges_facts(self, profile: Mapping[str, Any]) -> bool:
        """Whether this policy is about a use case at all; to be classified is asked of it elsewhere."""
        tiers = self.judges.get("tiers")
        if tiers and profile["tier"] not in tiers:
            return False
        places = self.judges.get("jurisdictions")
        return not places or bool(set(places) & set(profile["jurisdictions"] or ()))


def judged_tier(tier: str) -> str:
    """The column of a policy for a tier: unclassified and prohibited are judged like high, the strictest there is."""
    return tier if tier in TIERS else "high"


def policy_digest(data: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical form; numbers with a point are written as text first, the form knows no floats."""
    return digest(_without_floats(data))


def _without_floats(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(k): _without_floats(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_floats(v) for v in value]
    return value
