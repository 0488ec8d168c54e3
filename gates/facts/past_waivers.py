"""Waivers that have ended: what was excused once and is not any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from gates.fact import FactLoader, fact_loaders, within
from gates.facts.waivers import GRANTED
from gates.models import Waiver


@fact_loaders.register
class PastWaivers(FactLoader):
    """``{gate: {criterion: {"label", "how", "ended"}}}``, the one that ended last of each criterion."""

    key = "past_waivers"

    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        granted = Waiver.objects.filter(state__in=GRANTED, settled_at__lte=at)
        rows = within(granted.filter(Q(expires_at__lte=at) | Q(ended_at__lte=at)), use_case_ids)
        found: dict[UUID, Any] = {}
        names = ("use_case_id", "gate", "criterion", "number", "expires_at", "ended_at")
        for use_case, gate, criterion, number, expires, ended in rows.order_by("pk").values_list(*names):
            early = ended is not None and ended < expires
            entry = {"label": f"W-{number}", "how": "was revoked" if early else "ended"}
            entry["ended"] = ended if early else expires
            known = found.setdefault(use_case, {}).setdefault(gate, {})
            if criterion not in known or known[criterion]["ended"] < entry["ended"]:
                known[criterion] = entry
        return found
