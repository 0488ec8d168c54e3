"""Turn what the engine found into what pages and API show, in one order: what blocks first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from accounts.roles import role_name
from gates.criterion import Finding, Outcome
from gates.engine import GateResult, Judged, remedy
from gates.settling import MayUse, nobody, reverse_or_empty, way_to_settle
from gates.waiving import why_never

ORDER = {
    Outcome.ERROR: 0,
    Outcome.NOT_MET: 1,
    Outcome.STALE: 2,
    Outcome.MISSING: 3,
    Outcome.MET: 4,
    Outcome.WAIVED: 5,
    Outcome.NOT_APPLICABLE: 6,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One finding as people read it."""

    key: str
    title: str
    question: str
    state: str
    mandatory: bool
    blocks: bool
    reason: str
    observed: str
    required: str
    todo: str
    owner: str
    source: str
    valid_until: Any
    evidence: tuple[dict[str, str], ...]
    action_url: str
    action_label: str
    waive_url: str = ""
    """Where the reader asks that it be waived; empty for who may not, and for what cannot be."""


def finding_rows(
    result: GateResult, use_case_key: str, *, may_use: MayUse = nobody, settle: bool = True, may_waive: bool = False
) -> list[Row]:
    """Rows of one gate: mandatory before advisory, what blocks first; signatures of the gate itself last.

    ``may_use`` says which forms are open to the reader: they decide where the button leads. ``may_waive``: the reader
    may ask for waivers here.
    """
    rows = [_row(j, result, use_case_key, may_use, settle) for j in in_order(result)]
    if not may_waive or not result.policy.primary or result.blockers:
        return rows
    waivable = {j.criterion.id for j in result.judged if j.blocks and not j.signs and not why_never(j.criterion)}
    return [
        replace(row, waive_url=_waive_url(row, result, use_case_key)) if row.key in waivable else row for row in rows
    ]


def _waive_url(row: Row, result: GateResult, use_case_key: str) -> str:
    return reverse_or_empty("gates:waiver_ask", key=use_case_key, gate=result.gate.key, criterion=row.key)


def in_order(result: GateResult) -> list[Judged]:
    """What was judged, in the order people read it."""
    return sorted(result.judged, key=lambda j: (j.signs, not j.blocks, not j.mandatory, ORDER[j.finding.outcome]))


def stored_rows(findings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Findings of a snapshot, in the same order."""

    def place(row: dict[str, Any]) -> tuple[bool, bool, int]:
        outcome = Outcome(row["outcome"])
        return (not (row["mandatory"] and not outcome.passes), not row["mandatory"], ORDER[outcome])

    return sorted(findings, key=place)


def _row(judged: Judged, result: GateResult, use_case_key: str, may_use: MayUse, settle: bool) -> Row:
    criterion, finding = judged.criterion, judged.finding
    open_now = not finding.outcome.passes
    offered = settle and open_now and not judged.signs
    url, label = way_to_settle(criterion, use_case_key, may_use) if offered else ("", "")
    return Row(
        key=criterion.id,
        title=f"{criterion.id} {criterion.title}",
        question=criterion.question,
        state=str(finding.outcome),
        mandatory=judged.mandatory,
        blocks=judged.blocks,
        reason=_line(finding),
        observed=finding.observed,
        required=finding.required,
        todo=remedy(criterion, result.gate.key, result.tier) if open_now else "",
        owner=role_name(criterion.owner),
        source=", ".join(criterion.standards[:6]),
        valid_until=finding.valid_until if finding.outcome in (Outcome.MET, Outcome.WAIVED) else None,
        evidence=tuple(
            {"label": ref.label, "url": evidence_url(ref.kind, ref.id, use_case_key)} for ref in finding.evidence
        ),
        action_url=url,
        action_label=label,
    )


def _line(finding: Finding) -> str:
    """The reason in one line; of what is met also what was seen, so that nobody has to open it to know."""
    if finding.outcome is Outcome.MET and finding.observed:
        return f"{finding.reason.rstrip('.')}: {finding.observed}"
    return finding.reason


def evidence_url(kind: str, pk: str, use_case_key: str) -> str:
    """The page of the row a finding rests on, as near as there is one."""
    pages = {"evidence": "governance:evidence", "document": "governance:document", "alert": "monitoring:alert"}
    if kind in pages and (found := reverse_or_empty(pages[kind], pk=pk)):
        return found
    if kind == "condition" and (found := reverse_or_empty("gates:condition", pk=pk)):
        return found
    if kind == "waiver" and (found := reverse_or_empty("gates:waiver", number=int(pk))):
        return found
    if kind == "series" and (found := reverse_or_empty("monitoring:series", pk=int(pk))):
        return found
    panels = {
        "validation_run": "validation",
        "questionnaire": "readiness",
        "risk": "risk",
        "risk_classification": "risk",
        "kpi": "kpis",
    }
    return reverse_or_empty("portfolio:use_case_panel", key=use_case_key, panel=panels.get(kind, "controls"))
