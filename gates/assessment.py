"""Keep what the engine finds: findings that changed, the standing shown in lists. Run by the system itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from gates.engine import FactBase, GateResult, Judged, evaluate_facts, judge_gate
from gates.fact import asked
from gates.in_force import rules_in_force
from gates.models import Assessment, CriterionFinding, GateAssurance
from gates.policy import PolicyBody
from portfolio.models import UseCase

AT_ONCE = 250
"""Use cases whose findings are written in one transaction."""
CHANGING = ("outcome", "observed", "required", "reason", "evidence", "valid_until", "mandatory", "policy_version_id")


def assess(use_case_ids: Sequence[UUID] | None = None, *, at: datetime | None = None) -> int:
    """Judge the next gate (and the gates under assurance) of the use cases, and keep what changed.

    Returns how many use cases were judged. Facts are loaded at once, in a constant number of queries; what changed is
    written in one transaction a few hundred use cases, so that nobody who writes has to wait for thousands.
    """
    moment = at or timezone.now()
    rules = rules_in_force()
    if not rules.policies:
        return 0
    base = FactBase(use_case_ids, rules.needs(), moment)
    paths = rules.paths_of(use_case_ids)
    passed = _under_assurance(use_case_ids)
    for start in range(0, len(base.ids), AT_ONCE):
        ids = base.ids[start : start + AT_ONCE]
        kept: list[tuple[UUID, Any, GateResult]] = []
        primary: list[GateResult] = []
        for version, body, theirs in rules.judging(ids, paths):
            results = evaluate_facts(base, None, body, theirs)
            kept += [(version.policy_id, version.pk, r) for r in results]
            if body.primary:
                primary += results
                again = _passed_results(base, body, passed, theirs, results)
                kept += [(version.policy_id, version.pk, r) for r in again]
        with transaction.atomic():
            _store(kept, ids, moment)
            _stand(primary, ids)
            _mark_done(ids, moment)
    return len(base.ids)


def ask_again(use_case_ids: Iterable[UUID], *, at: datetime | None = None) -> None:
    """Note that facts of these use cases changed, so that they are judged again even if every message is lost."""
    moment = at or timezone.now()
    rows = [Assessment(use_case_id=pk, asked_at=moment) for pk in use_case_ids]
    Assessment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["use_case"], update_fields=["asked_at"], batch_size=500
    )


def _mark_done(use_case_ids: Iterable[UUID], moment: datetime) -> None:
    """Judged with the facts as of ``moment``: what changed since stays due."""
    rows = [Assessment(use_case_id=pk, asked_at=moment, done_at=moment) for pk in use_case_ids]
    Assessment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["use_case"], update_fields=["done_at"], batch_size=500
    )


def _under_assurance(use_case_ids: Sequence[UUID] | None) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    rows = GateAssurance.objects.all()
    ids = asked(use_case_ids)
    if ids is not None:
        rows = rows.filter(use_case__in=ids)
    for use_case, gate in rows.values_list("use_case_id", "gate"):
        found.setdefault(use_case, []).append(gate)
    return found


def _passed_results(
    base: FactBase,
    body: PolicyBody,
    passed: dict[UUID, list[str]],
    ids: Iterable[UUID],
    done: Iterable[GateResult],
) -> list[GateResult]:
    judged = {(r.use_case_id, r.gate.key) for r in done}
    return [
        judge_gate(pk, base.of(pk), body.gates[gate], body, base.at)
        for pk in ids
        for gate in passed.get(pk, ())
        if gate in body.gates and (pk, gate) not in judged
    ]


def _store(kept: list[tuple[UUID, Any, GateResult]], use_case_ids: Sequence[UUID], at: datetime) -> None:
    """Write findings that are new or changed, and drop those that nothing judges any more."""
    known = _known(use_case_ids)
    written: list[CriterionFinding] = []
    for policy_id, version_id, result in kept:
        for judged in result.judged:
            old = known.pop((result.use_case_id, policy_id, result.gate.key, judged.criterion.id), None)
            values = _values(version_id, judged)
            if old is None or tuple(values[name] for name in CHANGING) != old[2:]:
                same = old is not None and old[2] == values["outcome"]
                written.append(_row(policy_id, result, judged, values, old[1] if old and same else at))
    CriterionFinding.objects.bulk_create(
        written,
        update_conflicts=True,
        unique_fields=["use_case", "policy", "gate", "criterion"],
        update_fields=[*(name.removesuffix("_id") for name in CHANGING), "found_at"],
        batch_size=500,
    )
    CriterionFinding.objects.filter(pk__in=[row[0] for row in known.values()]).delete()


def _known(use_case_ids: Sequence[UUID]) -> dict[tuple[UUID, UUID, str, str], tuple[Any, ...]]:
    """What is stored: (pk, found_at, then the columns of ``CHANGING``) by use case, policy, gate and criterion."""
    names = ("use_case_id", "policy_id", "gate", "criterion", "pk", "found_at", *CHANGING)
    rows = CriterionFinding.objects.filter(use_case__in=use_case_ids).order_by().values_list(*names)
    return {(row[0], row[1], row[2], row[3]): row[4:] for row in rows.iterator(chunk_size=5000)}


def _values(version_id: Any, judged: Judged) -> dict[str, Any]:
    finding = judged.finding
    return {
        "policy_version_id": version_id,
        "mandatory": judged.mandatory,
        "outcome": str(finding.outcome),
        "observed": finding.observed[:300],
        "required": finding.required[:300],
        "reason": finding.reason,
        "evidence": [ref.plain() for ref in finding.evidence],
        "valid_until": finding.valid_until,
    }


def _row(
    policy_id: UUID, result: GateResult, judged: Judged, values: dict[str, Any], found_at: datetime
) -> CriterionFinding:
    return CriterionFinding(
        use_case_id=result.use_case_id,
        policy_id=policy_id,
        gate=result.gate.key,
        criterion=judged.criterion.id,
        found_at=found_at,
        **values,
    )


def _stand(results: Iterable[GateResult], ids: Sequence[UUID]) -> None:
    """The standing that lists show. A read model: it repeats what findings say and is no event."""
    by_id = {r.use_case_id: r for r in results}
    changed = []
    for use_case in UseCase.objects.only("pk", "next_gate", "gate_met", "gate_required").filter(pk__in=ids):
        result = by_id.get(use_case.pk)
        now = (result.gate.key, result.met, result.required) if result else ("", 0, 0)
        if (use_case.next_gate, use_case.gate_met, use_case.gate_required) != now:
            use_case.next_gate, use_case.gate_met, use_case.gate_required = now
            changed.append(use_case)
    UseCase.objects.bulk_update(changed, ["next_gate", "gate_met", "gate_required"])
