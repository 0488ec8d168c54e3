"""Freeze facts and findings into the canonical text that people sign, and tell whether it still holds.

The body's SHA-256 is the digest that sign-offs bind to. ``state`` inside it is the digest of what must not change
while people sign: the policy, the tier, every fact that only people change, and every outcome. Metrics, monitors
and alerts change by themselves all the time; of them the snapshot keeps the values, and only a turned outcome counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gates.criterion import Outcome, criterion_types
from gates.engine import FactBase, GateResult, Judged, judge_gate
from gates.fact import fact_loaders
from gates.policy import Gate, PolicyBody
from gates.waiving import of_gate
from kernel.canonical import MAX_SAFE_INTEGER, canonical_bytes, digest

FORMAT = 1
SIGNATURES, WAIVERS, CONDITIONS = "signatures", "waivers", "conditions"
_EVERY_GATE = frozenset({WAIVERS, CONDITIONS, "models"})
"""Facts of every snapshot, whatever its gate asks: what is excused, what is owed, and the version it is about."""
BY_OUTCOME = frozenset({"people"})
"""Facts that reach beyond the use case (a new auditor of the whole organisation): compared by outcome as well."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A snapshot before it is stored."""

    body: str
    digest: str
    state: str
    result: GateResult


def freeze(use_case_id: UUID, gate: Gate, policy: PolicyBody, at: datetime) -> Frozen:
    """Load, judge and freeze one gate of one use case as of now."""
    needed = _needed(gate)
    base = FactBase([use_case_id], needed | (_EVERY_GATE & policy.needs()), at)
    # Signatures are given on the snapshot, so they are none of its facts; the criterion that asks for them is left out.
    facts = {**base.of(use_case_id), SIGNATURES: fact_loaders.get(SIGNATURES)().empty()}
    result = judge_gate(use_case_id, facts, gate, policy, at)
    kept = {key: value for key, value in facts.items() if key in needed}
    if waived := of_gate(facts[WAIVERS], gate):
        kept[WAIVERS] = waived
    if facts[CONDITIONS]:
        kept[CONDITIONS] = facts[CONDITIONS]
    state = _state(kept, result, policy)
    body = {
        "v": FORMAT,
        "use_case": {"id": str(use_case_id), "key": facts["profile"]["key"], "name": facts["profile"]["name"]},
        "gate": gate.key,
        "policy": {"key": policy.key, "version": policy.version, "digest": policy.digest},
        "tier": result.tier,
        "version": _version(facts),
        "taken_at": at,
        "facts": kept,
        "findings": [_finding(j) for j in result.judged if not j.signs],
        "blockers": result.blockers,
        "state": state,
    }
    text = canonical_bytes(plain_form(body))
    return Frozen(text.decode(), hashlib.sha256(text).hexdigest(), state, result)


def state_of(body: str) -> str:
    """The state digest that a stored snapshot was taken at."""
    return str(json.loads(body)["state"])


def open_in(body: Mapping[str, Any]) -> list[str]:
    """What stands against passing in a snapshot: what closes every gate, and mandatory criteria that do not pass."""
    rows = [f for f in body["findings"] if f["mandatory"] and not Outcome(f["outcome"]).passes]
    return [*body["blockers"], *(f"{f['criterion']} {f['title']}: {f['reason']}" for f in rows)]


def plain_form(value: Any) -> Any:
    """What the canonical form can write: keys as text, floats and very large numbers as text, sets sorted."""
    if isinstance(value, Mapping):
        return {str(k): plain_form(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_form(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain_form(v) for v in value)
    if isinstance(value, float):
        return repr(value)
    large = isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER
    return str(value) if large else value


def changed_facts(old_body: str, new_body: str) -> list[str]:
    """Names of the kinds of fact and of the criteria that differ between two snapshots, for people to read."""
    old, new = json.loads(old_body), json.loads(new_body)
    kinds = list(dict.fromkeys([*new["facts"], *old["facts"]]))
    found = [key for key in kinds if old["facts"].get(key) != new["facts"].get(key) and _is_stable(key)]
    before = {f["criterion"]: f["outcome"] for f in old["findings"]}
    after = {f["criterion"]: f["outcome"] for f in new["findings"]}
    found += [key for key in after if before.get(key) != after[key]]
    if old["tier"] != new["tier"]:
        found.append("tier")
    return found


def _needed(gate: Gate) -> set[str]:
    needs = {"profile"}
    for criterion in gate.criteria:
        needs |= set(criterion_types.get(criterion.type).needs)
    return needs - {SIGNATURES}


def _is_stable(key: str) -> bool:
    return not fact_loaders.get(key).volatile and key not in BY_OUTCOME


def _state(facts: Mapping[str, Any], result: GateResult, policy: PolicyBody) -> str:
    stable = {key: value for key, value in facts.items() if _is_stable(key)}
    return digest(
        plain_form(
            {
                "policy": policy.digest,
                "tier": result.tier,
                "facts": stable,
                "outcomes": result.outcomes(),
                "blockers": result.blockers,
            }
        )
    )


def _version(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    candidate = (facts.get("models") or {}).get("candidate")
    return {"id": str(candidate["id"]), "model": candidate["model"], "label": candidate["label"]} if candidate else None


def _finding(judged: Judged) -> dict[str, Any]:
    found = judged.finding
    return {
        "criterion": judged.criterion.id,
        "title": judged.criterion.title,
        "mandatory": judged.mandatory,
        "owner": judged.criterion.owner,
        "outcome": str(found.outcome),
        "observed": found.observed,
        "required": found.required,
        "reason": found.reason,
        "evidence": [ref.plain() for ref in found.evidence],
        "valid_until": found.valid_until,
    }
