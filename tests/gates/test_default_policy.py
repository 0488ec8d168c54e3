"""The default policy says what the domain asks for."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from gates.policy import TIERS, PolicyBody
from gates.policy_reading import read_policy_file

SHIPPED = Path("gates/policies")
DOMAIN = Path(os.environ.get("TOLLGATE_SHARED_DOMAIN", "../shared/domain")) / "gate_criteria.yaml"


@pytest.fixture(scope="module")
def policy() -> PolicyBody:
    return read_policy_file(SHIPPED / "default.yaml")


@pytest.fixture(scope="module")
def domain() -> dict[str, Any]:
    if not DOMAIN.exists():
        pytest.skip(f"{DOMAIN} is not here: the domain's own list of criteria is read from where it lies")
    found: dict[str, Any] = yaml.safe_load(DOMAIN.read_text(encoding="utf-8"))
    return found


def criteria(domain: dict[str, Any]) -> dict[str, dict[str, Any]]:
    gates = domain["gates"]
    rows = gates.values() if isinstance(gates, dict) else gates
    return {c["id"]: c for gate in rows for c in gate["criteria"]}


def test_it_has_all_criteria_gates_signers_and_duties(policy: PolicyBody) -> None:
    assert sum(len(gate.criteria) for gate in policy.gates.values()) == 115
    assert len(policy.gates) == 5
    assert {(gate, tier) for gate, rows in policy.matrix.items() for tier in rows} == {
        (gate, tier) for gate in policy.gates for tier in TIERS
    }
    assert [duty.id for duty in policy.duties] == [f"SOD-{n:02}" for n in range(1, 15)]
    assert policy.cadence_days == {"minimal": 365, "limited": 180, "high": 90}
    assert policy.primary
    assert policy.sign_off_validity_days == 30


def test_the_way_through_the_stages_has_no_gap(policy: PolicyBody) -> None:
    stage, gates = "idea", []
    while (gate := policy.next_gate(stage)) and not gate.is_recurring:
        gates.append(gate.key)
        stage = gate.to_stage
    assert gates == ["idea_to_poc", "poc_to_pilot", "pilot_to_production", "production_to_operations"]
    recurring = policy.next_gate("operations")
    assert recurring is not None
    assert recurring.is_recurring


def test_what_is_judged_only_at_the_gate_is_marked(policy: PolicyBody) -> None:
    assert {c.id for gate in policy.gates.values() for c in gate.criteria if c.once} == {"OP-01"}


def test_it_names_the_criteria_of_the_domain(policy: PolicyBody, domain: dict[str, Any]) -> None:
    ours = {c.id: c for gate in policy.gates.values() for c in gate.criteria}
    theirs = criteria(domain)
    assert set(ours) == set(theirs)
    for key, row in theirs.items():
        assert dict(ours[key].applies) == row["applies"], key
        assert dict(ours[key].validity_days) == (row.get("validity_days") or {}), key


def test_its_thresholds_are_those_of_the_domain(policy: PolicyBody, domain: dict[str, Any]) -> None:
    ours = {c.id: c for gate in policy.gates.values() for c in gate.criteria}
    for key, row in criteria(domain).items():
        limit = ours[key].threshold
        stated = row.get("threshold")
        assert (limit is None) == (stated is None), key
        if limit is not None and stated is not None:
            assert limit.op == stated["op"], key
            for tier in TIERS:
                assert limit.by_tier[tier] == Decimal(str(stated[tier])), (key, tier)


def test_its_matrix_and_duties_are_those_of_the_domain(policy: PolicyBody, domain: dict[str, Any]) -> None:
    for gate, tiers in domain["approval_matrix"].items():
        for tier, row in tiers.items():
            ours = policy.matrix[gate][tier]
            assert list(ours.signers) == row["signers"], (gate, tier)
            assert ours.decision_sla_days == row["decision_sla_days"], (gate, tier)
    assert [d.id for d in policy.duties] == [d["id"] for d in domain["separation_of_duties"]]
