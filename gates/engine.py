"""The only evaluator: load facts for the whole set, then judge in pure functions.

The number of queries depends on which facts a policy asks for, never on how many use cases are judged.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.criterion import Ask, Bound, CriterionType, Facts, Finding, Outcome, criterion_types
from gates.fact import FactLoader, fact_loaders
from gates.owed import overdue
from gates.policy import Criterion, Gate, PolicyBody, judged_tier
from gates.waiving import excuse, of_gate

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Judged:
    """One criterion with what was found."""

    criterion: Criterion
    mandatory: bool
    finding: Finding

    @property
    def blocks(self) -> bool:
        return self.mandatory and not self.finding.outcome.passes

    @property
    def signs(self) -> bool:
        """Whether it reads the sign-offs of the gate itself."""
        return self.criterion.type == "approval" and bool(self.criterion.raw_params.get("matrix"))


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the engine says of one gate for one use case."""

    use_case_id: UUID
    policy: PolicyBody
    gate: Gate
    tier: str
    judged: tuple[Judged, ...]
    blockers: tuple[str, ...]
    """Reasons that close every gate, whatever the criteria say."""

    @property
    def ready(self) -> bool:
        """Whether a review may pass: nothing mandatory is open except the signatures themselves."""
        return not self.blockers and not any(j.blocks for j in self.judged if not j.signs)

    @property
    def required(self) -> int:
        return sum(1 for j in self.judged if j.mandatory and not j.signs and _counts(j))

    @property
    def met(self) -> int:
        return sum(1 for j in self.judged if j.mandatory and not j.signs and _counts(j) and not j.blocks)

    def open(self) -> list[Judged]:
        """Mandatory criteria that block, the signatures left out."""
        return [j for j in self.judged if j.blocks and not j.signs]

    def outcomes(self) -> dict[str, str]:
        """Criterion -> outcome, without the signatures: what a snapshot is compared by."""
        return {j.criterion.id: str(j.finding.outcome) for j in self.judged if not j.signs}


def _counts(judged: Judged) -> bool:
    return judged.finding.outcome is not Outcome.NOT_APPLICABLE


class FactBase:
    """Facts of a set of use cases, loaded once."""

    def __init__(self, use_case_ids: Sequence[UUID] | None, needs: Iterable[str], at: datetime) -> None:
        self.at = at
        self._loaders: dict[str, FactLoader] = {key: fact_loaders.get(key)() for key in sorted(set(needs))}
        self._loaded = {key: loader.load(use_case_ids, at) for key, loader in self._loaders.items()}
        asked = self._loaded.get("profile", {})
        self.ids: list[UUID] = list(asked) if use_case_ids is None else [i for i in use_case_ids if i in asked]

    def of(self, use_case_id: UUID) -> Facts:
        """Loader key -> facts of one use case; empty where nothing is on record."""
        found: dict[str, Any] = {}
        for key, loader in self._loaders.items():
            value = self._loaded[key].get(use_case_id)
            found[key] = loader.empty() if value is None else value
        return found


def evaluate(
    use_case_ids: Sequence[UUID] | None, gate: str | None, policy: PolicyBody, at: datetime
) -> list[GateResult]:
    """Judge ``gate`` (or each use case's next gate, when None) for every use case asked for (None: all)."""
    base = FactBase(use_case_ids, policy.needs(), at)
    return evaluate_facts(base, gate, policy)


def evaluate_facts(
    base: FactBase, gate: str | None, policy: PolicyBody, ids: Iterable[UUID] | None = None
) -> list[GateResult]:
    """The same over facts that are already loaded, so that several policies share one load; of some ``ids`` or all."""
    results = []
    for pk in base.ids if ids is None else ids:
        facts = base.of(pk)
        if not policy.judges_facts(facts["profile"]):
            continue
        found = policy.gates[gate] if gate else policy.next_gate(facts["profile"]["stage"])
        if found is not None:
            results.append(judge_gate(pk, facts, found, policy, base.at))
    return results


def judge_gate(use_case_id: UUID, facts: Facts, gate: Gate, policy: PolicyBody, at: datetime) -> GateResult:
    """Judge one gate from loaded facts. Pure."""
    profile = facts["profile"]
    tier = judged_tier(profile["tier"])
    judged = tuple(
        Judged(c, c.applies[tier] == "mandatory", judge(c, facts, gate.key, tier, at)) for c in gate.criteria
    )
    return GateResult(use_case_id, policy, gate, tier, judged, (*blockers(profile), *overdue(facts["conditions"], at)))


def blockers(profile: Mapping[str, Any]) -> list[str]:
    """What closes every gate, and ends the assurance of those passed."""
    found = []
    if profile["tier"] == "prohibited":
        found.append("The risk tier is prohibited: this use case must not go on.")
    if profile["legal_hold"]:
        found.append("Legal hold: an unsure prohibited answer waits for legal.")
    return found


def judge(criterion: Criterion, facts: Facts, gate: str, tier: str, at: datetime) -> Finding:
    """One criterion, as a waiver in force leaves it."""
    found = judge_unexcused(criterion, facts, gate, tier, at)
    return excuse(criterion, found, of_gate(facts["waivers"], gate).get(criterion.id), tier)


def judge_unexcused(criterion: Criterion, facts: Facts, gate: str, tier: str, at: datetime) -> Finding:
    """The same as if nobody had waived it.

    Whatever goes wrong inside a type is a finding, never an exception: errors block.
    """
    if criterion.applies[tier] == "not_applicable":
        return Finding(Outcome.NOT_APPLICABLE, reason=f"Does not apply to the {tier} tier.")
    if criterion.applies_if and facts["profile"].get(criterion.applies_if) is False:
        words = criterion.applies_if.replace("_", " ")
        return Finding(Outcome.NOT_APPLICABLE, reason=f"Does not apply: the profile says no to “{words}”.")
    try:
        return criterion_type(criterion).judge(ask(criterion, gate, tier), facts, at)
    except Exception as wrong:
        logger.exception("criterion_failed", extra={"criterion": criterion.id})
        return Finding(
            Outcome.ERROR, reason=f"This could not be judged ({type(wrong).__name__}). Tell an administrator."
        )


def ask(criterion: Criterion, gate: str, tier: str) -> Ask[Any]:
    """What the criterion asks at a tier."""
    limit = criterion.threshold
    bound = Bound(limit.measure, limit.op, limit.by_tier[tier], limit.unit) if limit else None
    return Ask(criterion.id, criterion.params, bound, criterion.validity_days.get(tier), criterion.invalidated_by, gate)


def criterion_type(criterion: Criterion) -> CriterionType[Any]:
    return criterion_types.get(criterion.type)()


def remedy(criterion: Criterion, gate: str, tier: str) -> str:
    """What a person can do to make it pass."""
    return criterion_type(criterion).remedy(ask(criterion, gate, tier))


def count_outcomes(results: Iterable[GateResult]) -> dict[str, Counter[str]]:
    """Criterion -> outcome -> number of use cases."""
    counted: dict[str, Counter[str]] = {}
    for result in results:
        for j in result.judged:
            counted.setdefault(j.criterion.id, Counter())[str(j.finding.outcome)] += 1
    return counted
