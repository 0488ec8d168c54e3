"""The first mandatory criterion of the next gate that is not met, from the stored findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from django.urls import reverse

from gates.criterion import Outcome, criterion_types
from gates.in_force import rules_in_force
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
        rules = rules_in_force()
        asked = {use_case.pk: use_case for use_case in use_cases if use_case.next_gate}
        if not any(body.primary for _version, body in rules.policies) or not asked:
            return {}
        paths = rules.paths_of(list(asked))
        blocking = [str(outcome) for outcome in Outcome if not outcome.passes]
        rows = CriterionFinding.objects.filter(use_case__in=list(asked), mandatory=True, outcome__in=blocking)
        found: dict[UUID, tuple[int, str, str]] = {}
        columns = ("use_case_id", "policy_id", "gate", "criterion", "outcome")
        for pk, policy_id, gate, criterion, outcome in rows.values_list(*columns):
            version, policy = rules.primary_at(paths.get(pk, ""))
            decides = version.policy_id == policy_id and gate == asked[pk].next_gate
            title = _title(policy, gate, criterion) if decides else ""
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
