"""A review that is owed until a day: how one call is opened, which gate it asks for, who has to see to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.people import people_on
from gates.criterion import day
from gates.models import GateAssurance, ReviewCall
from gates.policy import PolicyBody
from ledger import UnitOfWork
from notify.services import tell
from portfolio.models import UseCase
from portfolio.signals import announce_change

DAYS_TO_REVIEW = 30
DAYS_AFTER_INCIDENT = 5
DAYS_AFTER_EMERGENCY = 5
SUBMITS = ("use_case_lead", "business_owner", "technical_lead")
"""Roles that have to see to it that the review is held."""
Cause = ReviewCall.Cause
TRIGGERS: Mapping[str, str] = {
    "severity-1 incident": Cause.INCIDENT,
    "act-level threshold breach": Cause.BREACH,
    "significant model, prompt or supplier-model change": Cause.CHANGE,
    "change of purpose, users, data category or oversight tier": Cause.SCOPE,
    "change of applicable law": Cause.LAW,
    "owner or sponsor leaves": Cause.OWNER,
}
"""What a policy may write under ``out_of_cycle_triggers``, and the cause that it becomes."""


def causes_of(policy: PolicyBody) -> frozenset[str]:
    """The out-of-cycle causes that a policy names. The cadence and an emergency release need no naming."""
    named = policy.data.get("out_of_cycle_triggers") or ()
    return frozenset(str(TRIGGERS[text]) for words in named if (text := str(words).strip().lower()) in TRIGGERS)


def gate_to_review(policy: PolicyBody, stage: str, passed: Iterable[str]) -> str:
    """The gate that a review of a use case in this stage passes: the recurring one, or the one that led here.

    Empty when no gate was passed: nothing was approved that could be looked at again.
    """
    behind = set(passed)
    if not behind:
        return ""
    ahead = policy.next_gate(stage)
    if ahead is not None and ahead.is_recurring:
        return ahead.key
    return next((g.key for g in policy.gates.values() if g.to_stage == stage and g.key in behind), "")


def passed_gates_of(use_case: UseCase) -> list[str]:
    return list(GateAssurance.objects.filter(use_case=use_case).values_list("gate", flat=True))


def open_call(
    uow: UnitOfWork,
    *,
    use_case: UseCase,
    gate: str,
    cause: str,
    text: str,
    reference: str,
    due_at: datetime,
    at: datetime | None = None,
) -> ReviewCall | None:
    """Write one call and tell who has to see to it. None when this cause has called before: it calls once.

    The caller holds the lock of the use case's row, so that two workers do not both write it.
    """
    if ReviewCall.objects.filter(use_case=use_case, reference=reference).exists():
        return None
    moment = at or timezone.now()
    call = ReviewCall.objects.create(
        use_case=use_case, gate=gate, cause=cause, text=text[:300], reference=reference, called_at=moment, due_at=due_at
    )
    after = {"gate": gate, "cause": cause, "text": call.text, "reference": reference, "due_at": due_at}
    uow.record("review_call.opened", subject=call, use_case=use_case, after=after)
    tell(
        recipients=responsible_for([use_case.pk]).get(use_case.pk, []),
        kind="review_call.opened",
        title=f"{use_case.key} {use_case.name}: a review is owed by {day(due_at)}",
        body=call.text,
        url=f"/gates/review-calls/?q={use_case.key}",
        dedupe_key=f"review-call-{call.pk}",
    )
    announce_change(uow, use_case.pk, "review_call")
    return call


def responsible_for(use_case_ids: Iterable[UUID], roles: Iterable[str] = SUBMITS) -> dict[UUID, list[User]]:
    """use case -> active people who hold one of the roles there, each once. Four queries, however many."""
    wanted = set(roles)
    found: dict[UUID, dict[UUID, User]] = {}
    for use_case, held in people_on(use_case_ids).items():
        found[use_case] = {h.user.pk: h.user for h in held if h.role in wanted}
    return {use_case: list(people.values()) for use_case, people in found.items()}
