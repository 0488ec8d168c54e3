"""The first mandatory criterion of the next gate that is not met, from the stored findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from django.urls import reverse

from gates.criterion import Outcome, criterion_types
from gates.in_force import all_published
from gates.models import CriterionFinding
from gates.policy import PolicyBody
from gates.presenting import ORDER
from portfolio.models import UseCase
from portfolio.next_step import NextStep, NextSteps, next_steps


@next_steps.register
class MissingFirst(NextSteps):
    """In the order of the gate's own page: broken before not met before stale before missing. Two queries."""

    key: ClassVar[str] = "findings"

    def steps(self, use_cases: Sequence[UseCase]) -> Mapping[UUID, NextStep]:
        policy = next((body for version, body in all_published() if version.policy.is_primary), None)
        asked = {use_case.pk: use_case for use_case in use_cases if use_case.next_gate}
        if policy is None or not asked:
            return {}
        blocking = [str(outcome) for outcome in Outcome if not outcome.passes]
        rows = CriterionFinding.objects.filter(
            use_case__in=list(asked), policy__is_primary=True, mandatory=True, outcome__in=blocking
        )
        found: dict[UUID, tuple[int, str, str]] = {}
        for pk, gate, criterion, outcome in rows.values_list("use_case_id", "gate", "criterion", "outcome"):
            title = _title(policy, gate, criterion) if gate == asked[pk].next_gate else ""
            if title:
                place = (ORDER[Outcome(outcome)], criterion, title)
                found[pk] = min(place, found.get(pk, place))
        return {pk: NextStep(title, _url(asked[pk])) for pk, (_order, _criterion, title) in found.items()}


def _title(policy: PolicyBody, gate: str, criterion: str) -> str:
    """What a criterion asks for; empty for a signature, which a review collects, and for one no longer in force."""
    rules = policy.gates[gate].criteria if gate in policy.gates else ()
    rule = next((each for each in rules if each.id == criterion), None)
    return "" if rule is None or criterion_types.get(rule.type).signs else rule.title


def _url(use_case: UseCase) -> str:
    return reverse("portfolio:use_case_panel", args=[use_case.key, "gate"])
