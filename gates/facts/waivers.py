"""Waivers in force: which criterion of which gate is excused, until when, by whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from gates.fact import FactLoader, fact_loaders, within
from gates.models import Waiver, WaiverVote
from kernel.prepared import Question

GRANTED = (Waiver.State.APPROVED, Waiver.State.REVOKED)
"""States of what was granted once; a revoked one held until the moment it was revoked."""


_HELD = Question(
    lambda ids, at: (
        within(
            Waiver.objects.filter(state__in=GRANTED, settled_at__lte=at, expires_at__gt=at).filter(
                Q(ended_at__isnull=True) | Q(ended_at__gt=at)
            ),
            ids,
        )
        .order_by("expires_at", "pk")
        .values(
            "use_case_id", "gate", "criterion", "id", "number", "tier", "reason", "compensating_control", "expires_at"
        )
    )
)


@fact_loaders.register
class Waivers(FactLoader):
    """``{gate: {criterion: {...}}}``; of two in force, the one granted at the higher tier, then the later one."""

    key = "waivers"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        by_id: dict[UUID, Any] = {}
        for row in _HELD.of(use_case_ids, at):
            entry: dict[str, Any] = {**row, "label": f"W-{row['number']}", "approved_by": []}
            gate = found.setdefault(entry.pop("use_case_id"), {}).setdefault(entry.pop("gate"), {})
            criterion = entry.pop("criterion")
            by_id[entry["id"]] = entry
            if criterion not in gate or _rank(entry) >= _rank(gate[criterion]):
                gate[criterion] = entry
        if by_id:
            _name(by_id)
        return found


def _rank(entry: dict[str, Any]) -> int:
    return ("minimal", "limited", "high").index(entry["tier"])


def _name(by_id: dict[UUID, Any]) -> None:
    """Who approved each; one query, and none when no waiver is in force."""
    votes = WaiverVote.objects.filter(waiver__in=list(by_id), verdict=WaiverVote.Verdict.APPROVE)
    for waiver, name in votes.order_by("given_at", "pk").values_list("waiver_id", "person__full_name"):
        by_id[waiver]["approved_by"].append(name)
