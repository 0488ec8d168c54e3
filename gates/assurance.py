"""Whether gates already passed would still be passed: the continuous state of an approval.

The newest passed gate is what a use case lives under: every mandatory criterion of it that no longer passes, every
alert nobody has decided about and every breach that lasts in spite of what was decided puts it at risk. Of earlier
gates only what is positively not met counts: their evidence may age, for a later gate has asked anew. A machine may
reopen a gate; it never approves one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from accounts.people import holders
from gates.assurance_reasons import AT_RISK, NEEDED, REAPPROVAL, Passed, Reason, reasons_for, state_for
from gates.engine import FactBase, judge_gate
from gates.fact import within
from gates.in_force import rules_in_force
from gates.models import GateAssurance, Snapshot
from kernel.database import lock_rows
from ledger import SYSTEM, unit_of_work
from notify.services import tell
from portfolio.models import UseCase
from portfolio.services import set_standing

DAYS_TO_ACT = {AT_RISK: 14, REAPPROVAL: 30}


def reassess(use_case_ids: Sequence[UUID] | None = None, *, at: datetime | None = None) -> int:
    """Judge the assurance of the use cases (None: all) and write down what turned. Returns how many gates turned."""
    moment = at or timezone.now()
    rows = GateAssurance.objects.select_related("decision__review").order_by("decision__decided_at", "pk")
    if use_case_ids is not None:
        rows = rows.filter(use_case__in=use_case_ids)
    by_use_case: dict[UUID, list[GateAssurance]] = {}
    for row in rows:
        by_use_case.setdefault(row.use_case_id, []).append(row)
    if not by_use_case:
        return 0
    rules = rules_in_force()
    base = FactBase(list(by_use_case), rules.needs() | NEEDED, moment)
    paths = rules.paths_of(list(by_use_case))
    shown = dict(within(UseCase.objects.all(), base.ids, "pk").values_list("pk", "assurance"))
    approved = _approved_versions(by_use_case)
    turned = 0
    for pk in base.ids:
        facts = base.of(pk)
        _version, policy = rules.primary_at(paths.get(pk, ""))
        found = {
            row.pk: reasons_for(
                Passed(
                    row,
                    facts,
                    judge_gate(pk, facts, policy.gates[row.gate], policy, moment),
                    moment,
                    newest=row is by_use_case[pk][-1],
                    approved=approved.get(row.pk),
                )
            )
            for row in by_use_case[pk]
            if row.gate in policy.gates
        }
        turned += _write(pk, by_use_case[pk], found, moment, shown[pk])
    return turned


def _approved_versions(by_use_case: Mapping[UUID, list[GateAssurance]]) -> dict[int, str]:
    """Assurance row -> id of the model version that was on the decided snapshot. One query."""
    reviews = {row.decision.review_id: row.pk for rows in by_use_case.values() for row in rows[-1:] if row.decision}
    found: dict[int, str] = {}
    signed = Snapshot.objects.filter(review__in=reviews, digest=F("review__digest"))
    for review, body in signed.values_list("review_id", "body").iterator(chunk_size=100):
        version = json.loads(body)["version"]
        if version:
            found[reviews[review]] = str(version["id"])
    return found


def _write(pk: UUID, rows: list[GateAssurance], found: Mapping[int, list[Reason]], at: datetime, shown: str) -> int:
    changed = [row for row in rows if row.pk in found and _differs(row, found[row.pk])]
    if not changed and shown == _worst(rows).state:
        return 0
    with unit_of_work(by=SYSTEM) as uow:
        use_case = lock_rows(UseCase.objects.select_related("unit").filter(pk=pk)).get()
        turned = 0
        for row in changed:
            reasons = found[row.pk]
            state = state_for(reasons)
            before = {"state": row.state}
            turn = state != row.state
            row.reasons = [r.plain() for r in reasons]
            if turn:
                row.state, row.since = state, at
                row.due_at = at + timedelta(days=DAYS_TO_ACT[state]) if state in DAYS_TO_ACT else None
                row.escalated_at = None
            row.save(update_fields=["state", "reasons", "since", "due_at", "escalated_at"])
            if turn:
                turned += 1
                after = {"state": state, "reasons": [r.text for r in reasons][:20]}
                uow.record("assurance.changed", subject=row, use_case=use_case, before=before, after=after)
                _tell(use_case, row, reasons)
        worst = _worst(rows)
        text = worst.reasons[0]["text"] if worst.reasons else ""
        set_standing(use_case=use_case, by=SYSTEM, assurance=worst.state, assurance_reason=text)
    return turned


def _worst(rows: list[GateAssurance]) -> GateAssurance:
    return max(rows, key=lambda row: row.severity)


def _differs(row: GateAssurance, reasons: list[Reason]) -> bool:
    return row.state != state_for(reasons) or row.reasons != [r.plain() for r in reasons]


def _tell(use_case: UseCase, row: GateAssurance, reasons: list[Reason]) -> None:
    people = {p.pk: p for role in ("business_owner", "technical_lead") for p in holders(role=role, use_case=use_case)}
    words = GateAssurance.State(row.state).label
    tell(
        recipients=list(people.values()),
        kind="assurance.changed",
        title=f"{use_case.key} {use_case.name}: {str(words).lower()}",
        body=reasons[0].text if reasons else "Everything that was open is settled.",
        url=f"/use-cases/{use_case.key}/gate/",
    )
