"""What a decision is called on the stage track: the number of its review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.urls import reverse

from gates.selectors import decisions_of
from portfolio.panel import DecisionName, DecisionNames, decision_names


@decision_names.register
class GateDecisions(DecisionNames):
    key = "gates"

    def names(self, ids: Iterable[UUID]) -> Mapping[UUID, DecisionName]:
        found = decisions_of(ids)
        return {
            pk: DecisionName(f"R-{d.review.number}", reverse("gates:review", kwargs={"number": d.review.number}))
            for pk, d in found.items()
        }
