"""Where one use case stands at its next gate, as pages and API show it."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.utils import timezone

from gates.assessment import assess
from gates.criterion import Finding, Outcome, Ref, day
from gates.engine import FactBase, GateResult, Judged, blockers, judge_gate
from gates.in_force import policies_for
from gates.models import Assessment, CriterionFinding
from gates.owed import overdue_now
from gates.policy import judged_tier
from portfolio.models import UseCase


def results_of(use_case: UseCase) -> list[GateResult]:
    """What is kept of the next gate under every policy, brought up to date first when facts have changed since.

    Three queries when nothing changed; a person who has just added something sees the finding turn at once.
    """
    kept = getattr(use_case, "_gate_results", None)
    if kept is None:
        queued = Assessment.objects.filter(pk=use_case.pk).first()
        if queued is None or queued.is_due:
            assess([use_case.pk])
            use_case.refresh_from_db(fields=["next_gate", "gate_met", "gate_required"])
        kept = _kept_results(use_case)
        use_case._gate_results = kept  # type: ignore[attr-defined]  # the tab and the card beside it ask in one request
    return cast("list[GateResult]", kept)


def _kept_results(use_case: UseCase) -> list[GateResult]:
    now = timezone.now()
    rows = {(f.policy_id, f.gate, f.criterion): f for f in CriterionFinding.objects.filter(use_case=use_case)}
    profile = {
        "tier": use_case.tier,
        "jurisdictions": use_case.jurisdictions,
        "legal_hold": use_case.legal_hold,
    }
    closed = (*blockers(profile), *overdue_now([use_case.pk], now).get(use_case.pk, ()))
    found = []
    for version, body in policies_for(use_case):
        gate = body.next_gate(use_case.stage)
        if gate is None or not body.judges_facts(profile):
            continue
        judged = tuple(
            Judged(c, row.mandatory, _kept_finding(row, now))
            for c in gate.criteria
            if (row := rows.get((version.policy_id, gate.key, c.id))) is not None
        )
        found.append(GateResult(use_case.pk, body, gate, judged_tier(use_case.tier), judged, closed))
    return found


def _kept_finding(row: CriterionFinding, now: datetime) -> Finding:
    outcome, reason = Outcome(row.outcome), row.reason
    if outcome is Outcome.MET and row.valid_until is not None and row.valid_until <= now:
        outcome, reason = Outcome.STALE, f"Was valid until {day(row.valid_until)}."
    if outcome is Outcome.WAIVED and row.valid_until is not None and row.valid_until <= now:
        outcome, reason = Outcome.NOT_MET, f"The waiver ended on {day(row.valid_until)}. {reason}"
    refs = tuple(Ref(e["kind"], e["id"], e["label"], e.get("digest", "")) for e in row.evidence)
    return Finding(outcome, row.observed, row.required, reason, refs, row.valid_until)


def judge_now(use_case: UseCase, gate: str | None = None, *, at: datetime | None = None) -> list[GateResult]:
    """Every published policy's view of one use case, live: its next gate, or the one asked for. Primary first."""
    moment = at or timezone.now()
    bodies = [body for _version, body in policies_for(use_case)]
    base = FactBase([use_case.pk], {need for body in bodies for need in body.needs()}, moment)
    if use_case.pk not in base.ids:
        return []
    facts = base.of(use_case.pk)
    found = []
    for body in bodies:
        if not body.judges_facts(facts["profile"]):
            continue
        chosen = body.gates.get(gate) if gate else body.next_gate(use_case.stage)
        if chosen is not None:
            found.append(judge_gate(use_case.pk, facts, chosen, body, moment))
    return found
