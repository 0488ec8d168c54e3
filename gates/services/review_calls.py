"""Call reviews by hand: a law changed, and somebody entitled says whom it concerns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.access import for_user, require
from accounts.models import User
from gates.in_force import policy_for
from gates.models import ReviewCall
from gates.review_owed import DAYS_TO_REVIEW, Cause, gate_to_review, open_call, passed_gates_of
from kernel.database import lock_rows
from kernel.errors import Invalid
from ledger import unit_of_work
from portfolio.models import Status, UseCase

RIGHT = "review.call"
BY_HAND = (Cause.LAW, Cause.SCOPE, Cause.CHANGE, Cause.OWNER, Cause.INCIDENT, Cause.BREACH)
"""Causes that a person may name; the cadence and an emergency release call by themselves."""
MOST_AT_ONCE = 500


def call_review(
    *, use_cases: Iterable[UseCase], cause: str, text: str, by: User, gate: str | None = None
) -> list[ReviewCall]:
    """Ask that these use cases be reviewed within 30 days, all or none of them.

    Without ``gate`` it is the recurring review of what is in operations, and of others the gate that led to their
    stage. ``Invalid`` names the use cases that have passed no gate, have ended, or are not under this gate.
    """
    chosen = list({u.pk: u for u in use_cases}.values())
    if not by.is_person:
        raise PermissionDenied("A service account calls no reviews.")
    _check_words(chosen, cause, text)
    if len(chosen) == 1:
        require(by, RIGHT, chosen[0])
    allowed = set(
        for_user(UseCase.objects.all(), by, RIGHT).filter(pk__in=[u.pk for u in chosen]).values_list("pk", flat=True)
    )
    beyond = [u.key for u in chosen if u.pk not in allowed]
    if beyond:
        raise PermissionDenied(f"You may not call a review of {', '.join(beyond[:10])}.")
    made: list[ReviewCall] = []
    now = timezone.now()
    event = uuid4().hex[:12]
    with unit_of_work(by=by) as uow:
        locked = UseCase.objects.select_related("unit").filter(pk__in=[u.pk for u in chosen]).order_by("pk")
        rows = list(lock_rows(locked))
        gates = {u.pk: _gate_of(u, gate) for u in rows}
        if wrong := [u.key for u in rows if not gates[u.pk]]:
            where = f"the gate “{gate}”" if gate else "any gate"
            said = f"No approval of {where} to look at again: {', '.join(wrong[:20])}."
            raise Invalid("Not all of these can be reviewed.", errors={"use_cases": [said]})
        for use_case in rows:
            call = open_call(
                uow,
                use_case=use_case,
                gate=gates[use_case.pk],
                cause=cause,
                text=text.strip(),
                reference=f"by_hand:{event}",
                due_at=now + timedelta(days=DAYS_TO_REVIEW),
                at=now,
            )
            if call is not None:
                made.append(call)
    return made


def _check_words(chosen: list[UseCase], cause: str, text: str) -> None:
    errors: dict[str, list[str]] = {}
    if not chosen:
        errors["use_cases"] = ["Choose at least one use case."]
    if len(chosen) > MOST_AT_ONCE:
        errors["use_cases"] = [f"Choose at most {MOST_AT_ONCE} at once."]
    if cause not in BY_HAND:
        errors["cause"] = [f"Choose one of {', '.join(BY_HAND)}."]
    if not text.strip():
        errors["text"] = ["Say what happened; whoever has to hold the review reads it."]
    elif len(text.strip()) > 300:
        errors["text"] = ["Say it in 300 characters."]
    if errors:
        raise Invalid("No review can be called like this.", errors=errors)


def _gate_of(use_case: UseCase, gate: str | None) -> str:
    if use_case.status == Status.CLOSED:
        return ""
    _version, policy = policy_for(use_case)
    wanted = gate_to_review(policy, use_case.stage, passed_gates_of(use_case))
    return wanted if gate in (None, "", wanted) else ""
