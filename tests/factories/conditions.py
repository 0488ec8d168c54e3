"""Conditions by the services, on a use case that has just passed its first gate with them; and terms for a form."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from gates.models import Condition, Decision, PolicyVersion, Review
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.gates import Case, ready_case
from tests.factories.portfolio import organisation


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def term(owner: User, **fields: Any) -> dict[str, Any]:
    """One condition as ``decide`` takes it."""
    return {
        "text": "Measure again with real letters.",
        "scope": "The first unit only",
        "owner": owner,
        "due_on": in_days(30),
        "evidence_wanted": "A validation run",
        **fields,
    }


def go_with(case: Case, *terms: dict[str, Any], gate: str = "idea_to_poc") -> list[Condition]:
    """Submitted, signed by everybody, decided go with these conditions (or one that the technical lead owes)."""
    review = case.submit(gate)
    case.sign_all(review)
    given = list(terms) or [term(case.signers["technical_lead"])]
    decision = case.decide(review, "go_with_conditions", conditions=given)
    case.use_case.refresh_from_db()
    return list(decision.conditions.order_by("position"))


def owing(**fields: Any) -> tuple[Case, Condition, User]:
    """A case, the condition that its technical lead owes, and somebody of risk who may close it."""
    case = ready_case()
    person_with("business_sponsor", case.use_case)
    row = go_with(case, term(case.signers["technical_lead"], **fields))[0]
    return case, row, person_with("risk_compliance", organisation())


def let_pass(condition: Condition, *, days: int = 1) -> None:
    """As if its day had gone by ``days`` ago."""
    Condition.objects.filter(pk=condition.pk).update(due_on=in_days(-days))
    condition.refresh_from_db()


def owed_by(use_case: UseCase) -> Condition:
    """A condition as a row, of a decision that nobody made: for tests that only need one to be there."""
    person = PersonFactory.create()
    review = Review.objects.create(
        number=9001,
        use_case=use_case,
        gate="idea_to_poc",
        policy_version=PolicyVersion.objects.all()[0],
        state="decided",
        tier="limited",
        digest="0" * 64,
        submitted_by=person,
        due_at=timezone.now(),
    )
    decision = Decision.objects.create(
        review=review, outcome="go_with_conditions", digest="0" * 64, body="{}", body_digest="0" * 64, decided_by=person
    )
    row: Condition = Condition.objects.create(decision=decision, use_case=use_case, position=1, **term(person))
    return row
