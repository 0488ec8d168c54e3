"""Decide a review: the only thing that moves a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.access import can, require
from accounts.models import User
from accounts.people import holders
from accounts.roles import role_name
from gates.duties import SlotState, complete
from gates.in_force import body_of
from gates.models import Decision, GateAssurance, Review, SignOff
from gates.policy import PolicyBody
from gates.seats import recused_on
from gates.selectors import snapshot_body
from gates.services.reviews import (
    SnapshotRenewed,
    close,
    lapse,
    locked_review,
    renew_if_changed,
    require_active,
    require_open,
)
from gates.services.scenes import Room, room_of, votes_that_count
from gates.services.sign_offs import expired, require_in_person
from gates.snapshots import open_in
from kernel.canonical import canonical_bytes, digest
from kernel.errors import Conflict, Invalid, NotReady
from ledger import UnitOfWork, again_when_overtaken, unit_of_work
from notify.services import tell
from portfolio.lifecycle import ENDED, position
from portfolio.models import Stage, UseCase
from portfolio.services import move_stage, set_standing

GO, RETURN, STOP, PIVOT, RETIRE = "go", "return", "stop", "pivot", "retire"
OUTCOMES = (GO, RETURN, PIVOT, STOP, RETIRE)
PIVOTS = (str(Stage.IDEA), str(Stage.POC), str(Stage.PILOT))
STOP_REASONS = ("no_value", "not_feasible", "data_not_ready", "risk_too_high", "cost", "duplicate", "strategy", "other")


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a go can be decided, and in words why not."""

    open: bool
    reasons: tuple[str, ...]
    slots: tuple[SlotState, ...]


def readiness(review: Review, room: Room | None = None, body: Mapping[str, Any] | None = None) -> Readiness:
    """What the decision box says: closed with its reasons, or open. ``room`` and ``body`` when they are at hand."""
    seen = room or room_of(review)
    frozen = snapshot_body(review) if body is None else body
    slots = tuple(seen.slots())
    reasons = [f"Not passed in this snapshot: {what}" for what in open_in(frozen)]
    reasons += [f"Rejected by {s.name}." for s in slots if s.state == "rejected"]
    reasons += _ineligible(seen)
    reasons += [f"Waiting for {s.name}{': ' + s.note if s.note else ''}." for s in slots if s.state == "waiting"]
    return Readiness(not reasons and complete(slots), tuple(reasons), slots)


def may_decide(user: User, review: Review) -> bool:
    """Portfolio managers and board members record decisions; sponsors and the board may stop."""
    return can(user, "gate.record_decision", review.use_case)


@again_when_overtaken
def decide(
    *,
    review: Review,
    outcome: str,
    by: User,
    digest: str,
    reason: str = "",
    reason_code: str = "",
    to_stage: str = "",
) -> Decision:
    """Decide an open review, once and for ever.

    Go needs every signature of the matrix on the current digest, by people who are eligible at this moment, and the
    facts as they were frozen. Return, stop, pivot and retire need a reason. Exactly one of two people who decide at
    once wins; the other gets ``Conflict``.
    """
    _check_right(review, outcome, by)
    _check_words(outcome, reason, reason_code, to_stage)
    with unit_of_work(by=by) as uow:
        fresh = locked_review(review)
        require_open(fresh)
        changed = renew_if_changed(uow, fresh) if outcome == GO else []
        if not changed:
            _check_state(fresh, outcome, digest, to_stage)
            votes = votes_that_count(fresh)
            decision = _record(uow, fresh, outcome, votes, by=by, reason=reason.strip(), reason_code=reason_code)
            _carry_out(uow, fresh, decision, by, to_stage)
            _tell_everyone(fresh, decision, votes)
    if changed:
        raise SnapshotRenewed(
            f"The facts changed since this was signed: {', '.join(changed)}. The sign-offs have lapsed.",
            hint="Have the new snapshot signed, then decide.",
        )
    return decision


def _check_state(review: Review, outcome: str, digest: str, to_stage: str) -> None:
    if digest != review.digest:
        raise Conflict("You looked at an older snapshot of this review.", hint="Reload the page and read what changed.")
    stage = review.use_case.stage
    if outcome == PIVOT and not position(to_stage) < position(stage):
        message = f"A pivot goes back: choose a stage before {stage}."
        raise Invalid(message, errors={"to_stage": [message]})
    if outcome != GO:
        return
    require_active(review.use_case)
    gate = body_of(review.policy_version).gates[review.gate]
    if stage not in (*gate.from_stages, gate.to_stage):
        raise Conflict(f"{review.use_case.key} is in the stage {stage} now; this gate no longer applies.")
    ready = readiness(review)
    if not ready.open:
        raise NotReady("This cannot be decided yet.", errors={"sign_offs": list(ready.reasons)})
    if outcome == GO and (bound := [s for s in ready.slots if s.conditions_only]):
        lines = [f"{s.name}: {s.note}." for s in bound]
        raise NotReady("This passes on conditions only.", errors={"sign_offs": lines})


def _check_words(outcome: str, reason: str, reason_code: str, to_stage: str) -> None:
    errors: dict[str, list[str]] = {}
    if outcome not in OUTCOMES:
        errors["outcome"] = [f"Choose one of {', '.join(OUTCOMES)}."]
    if outcome != GO and not reason.strip():
        errors["reason"] = ["Say why; this becomes part of the record."]
    if outcome == STOP and reason_code not in STOP_REASONS:
        errors["reason_code"] = [f"Choose one of {', '.join(STOP_REASONS)}."]
    if outcome == PIVOT and to_stage not in PIVOTS:
        errors["to_stage"] = ["Choose the earlier stage to return to."]
    if errors:
        raise Invalid("The decision is not complete.", errors=errors)


def _check_right(review: Review, outcome: str, by: User) -> None:
    if outcome in (STOP, RETIRE):
        require(by, "use_case.stop", review.use_case)
    else:
        require(by, "gate.record_decision", review.use_case)
    require_in_person(by)
    if by.pk == review.submitted_by_id:
        raise PermissionDenied("You submitted this review, so somebody else decides it (SOD-01).")
    if by.pk in recused_on([review])[review.pk]:
        raise PermissionDenied("You declared an interest in this, so somebody else decides it (SOD-13).")


def _ineligible(room: Room) -> list[str]:
    """Signers are checked again at the decision: they may have left, lost the role, or signed too long ago."""
    found = []
    for vote in room.votes:
        why = room.refusal_of_vote(vote)
        if why:
            found.append(f"The sign-off of {vote.signer_name} does not count any more ({role_name(vote.role)}).")
        elif expired(vote, room.review):
            found.append(f"The sign-off of {vote.signer_name} has expired.")
    return found


def _record(
    uow: UnitOfWork, review: Review, outcome: str, votes: list[SignOff], *, by: User, reason: str, reason_code: str
) -> Decision:
    now = timezone.now()
    pk = uuid4()
    body = {
        "v": 1,
        "decision": pk,
        "review": review.number,
        "use_case": review.use_case.key,
        "gate": review.gate,
        "outcome": outcome,
        "reason": reason,
        "reason_code": reason_code,
        "digest": review.digest,
        "policy": review.policy_version.digest,
        "sign_offs": [
            {"role": v.role, "person": v.person_id, "verdict": v.verdict, "digest": v.digest, "signed_at": v.signed_at}
            for v in votes
        ],
        "decided_by": by.pk,
        "decided_at": now,
    }
    decision = Decision.objects.create(
        pk=pk,
        review=review,
        outcome=outcome,
        reason=reason,
        reason_code=reason_code,
        digest=review.digest,
        body=canonical_bytes(body).decode(),
        body_digest=digest(body),
        decided_by=by,
        decided_at=now,
    )
    after = {
        "outcome": outcome,
        "reason_code": reason_code,
        "digest": review.digest,
        "body_digest": decision.body_digest,
    }
    uow.record("decision.made", subject=decision, use_case=review.use_case, after=after, note=reason[:300])
    return decision


def _carry_out(uow: UnitOfWork, review: Review, decision: Decision, by: User, to_stage: str) -> None:
    policy = body_of(review.policy_version)
    gate = policy.gates[review.gate]
    if decision.outcome == RETURN:
        close(uow, review, Review.State.RETURNED, decision.reason)
        lapse(uow, review, votes_that_count(review), "The review was returned."[:300])
        return
    close(uow, review, Review.State.DECIDED, decision.reason)
    target = {GO: gate.to_stage, STOP: Stage.STOPPED, RETIRE: Stage.RETIRED, PIVOT: to_stage}[decision.outcome]
    if target != review.use_case.stage:
        note = decision.reason or f"{review}: {decision.get_outcome_display()}"
        move_stage(use_case=review.use_case, to_stage=target, decision_id=decision.pk, by=by, reason=note)
    if decision.outcome == GO:
        _put_in_force(review.use_case, review.gate, decision, policy.cadence_days.get(review.tier))
    else:
        _take_out_of_force(review.use_case, policy, target)
    worst = GateAssurance.worst(GateAssurance.objects.filter(use_case=review.use_case))
    reason = worst.reasons[0]["text"] if worst and worst.reasons else ""
    set_standing(use_case=review.use_case, by=by, assurance=worst.state if worst else "", assurance_reason=reason)


def _put_in_force(use_case: UseCase, gate: str, decision: Decision, cadence: int | None) -> None:
    due = decision.decided_at + timedelta(days=cadence) if cadence else None
    values = {
        "decision": decision,
        "state": GateAssurance.State.IN_FORCE,
        "reasons": [],
        "since": decision.decided_at,
        "review_due_at": due,
        "due_at": None,
    }
    GateAssurance.objects.update_or_create(use_case=use_case, gate=gate, defaults=values)


def _take_out_of_force(use_case: UseCase, policy: PolicyBody, stage: str) -> None:
    """What is behind the stage that a pivot leads to has to be passed anew; what has ended is under assurance no more.

    The decisions stay on record: this is the list of what is watched.
    """
    kept = [g.key for g in policy.gate_before(stage)] if stage not in ENDED else []
    GateAssurance.objects.filter(use_case=use_case).exclude(gate__in=kept).delete()


def _tell_everyone(review: Review, decision: Decision, votes: list[SignOff]) -> None:
    people = {review.submitted_by_id: review.submitted_by, **{v.person_id: v.person for v in votes}}
    for role in ("business_owner", "technical_lead"):
        people.update({p.pk: p for p in holders(role=role, use_case=review.use_case)})
    tell(
        recipients=list(people.values()),
        kind="decision.made",
        title=f"{review} decided: {decision.get_outcome_display()}",
        body=decision.reason,
        url=f"/gates/reviews/{review.number}/",
    )
