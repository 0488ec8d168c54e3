"""Decide a review: the only thing that moves a stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.access import can, require
from accounts.models import User
from accounts.roles import role_name
from gates.closing_plans import read_plan
from gates.decision_record import Term, Verdict, write_decision
from gates.duties import SlotState, complete
from gates.in_force import body_of
from gates.models import Decision, Review, SignOff
from gates.seats import recused_on
from gates.selectors import snapshot_body
from gates.services.conditions import read_terms
from gates.services.outcomes import (
    CONDITIONAL,
    GO,
    GOES,
    PIVOT,
    RETIRE,
    RETURN,
    STOP,
    carry_out,
    tell_everyone,
)
from gates.services.reviews import (
    SnapshotRenewed,
    locked_review,
    renew_if_changed,
    require_active,
    require_open,
)
from gates.services.scenes import Room, room_of, votes_that_count
from gates.services.sign_offs import expired, require_in_person
from gates.snapshots import open_in
from kernel.errors import Conflict, Invalid, NotReady
from ledger import UnitOfWork, again_when_overtaken, unit_of_work
from portfolio.lifecycle import position
from portfolio.models import Stage

OUTCOMES = (GO, CONDITIONAL, RETURN, PIVOT, STOP, RETIRE)
ENDING = (STOP, RETIRE)
"""What sponsors and the board decide; everything else is recorded by portfolio managers and the board."""
PIVOTS = (str(Stage.IDEA), str(Stage.POC), str(Stage.PILOT), str(Stage.PRODUCTION))
RETIRED_FROM = (str(Stage.PRODUCTION), str(Stage.OPERATIONS))
STOP_REASONS = ("no_value", "not_feasible", "data_not_ready", "risk_too_high", "cost", "duplicate", "strategy", "other")


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a go can be decided, and in words why not."""

    open: bool
    reasons: tuple[str, ...]
    slots: tuple[SlotState, ...]
    conditions_because: tuple[str, ...] = ()
    """Why a go has to carry conditions, although nothing else stands against it; empty when a plain go will do."""


def readiness(review: Review, room: Room | None = None, body: Mapping[str, Any] | None = None) -> Readiness:
    """What the decision box says: closed with its reasons, or open. ``room`` and ``body`` when they are at hand."""
    seen = room or room_of(review)
    frozen = snapshot_body(review) if body is None else body
    slots = tuple(seen.slots())
    reasons = [f"Not passed in this snapshot: {what}" for what in open_in(frozen)]
    if review.asks_to_end:
        reasons.insert(0, "It asks for an end or a pivot; to pass the gate, submit the gate itself.")
    reasons += [f"Rejected by {s.name}." for s in slots if s.state == "rejected"]
    reasons += _ineligible(seen)
    reasons += [f"Waiting for {s.name}{': ' + s.note if s.note else ''}." for s in slots if s.state == "waiting"]
    return Readiness(not reasons and complete(slots), tuple(reasons), slots, tuple(_conditions_only(seen, slots)))


def may_decide(user: User, review: Review) -> bool:
    """Portfolio managers and board members record decisions; sponsors and the board may stop."""
    return can(user, "gate.record_decision", review.use_case)


def refusal_to_decide(review: Review, by: User) -> str:
    """Why somebody decides nothing about this review, whatever their rights; empty when nothing stands against it."""
    if by.pk == review.submitted_by_id:
        return "You submitted this review, so somebody else decides it (SOD-01)."
    if by.pk in recused_on([review])[review.pk]:
        return "You declared an interest in this, so somebody else decides it (SOD-13)."
    return ""


def right_for(outcome: str) -> str:
    """The right that an outcome takes."""
    return "use_case.stop" if outcome in ENDING else "gate.record_decision"


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
    conditions: Sequence[Mapping[str, Any]] = (),
    plan: Mapping[str, Any] | None = None,
) -> Decision:
    """Decide an open review, once and for ever.

    Go needs every signature of the matrix on the current digest, by people who are eligible at this moment, and the
    facts as they were frozen; as soon as one of them asks for conditions, it is a go with conditions, which carries
    one to five (mappings with ``text``, ``scope``, ``owner``, ``due_on``, ``evidence_wanted``). Return, stop, pivot
    and retire need a reason; a stop its code; stop and retire a ``plan`` (see ``gates.closing_plans``). Exactly one of
    two people who decide at once wins; the other gets ``Conflict``.
    """
    _check_right(review, outcome, by)
    verdict = _read(
        review,
        outcome=outcome,
        reason=reason,
        reason_code=reason_code,
        to_stage=to_stage,
        conditions=conditions,
        plan=plan or {},
    )
    with unit_of_work(by=by) as uow:
        fresh = locked_review(review)
        require_open(fresh)
        changed = renew_if_changed(uow, fresh) if outcome in GOES else []
        if not changed:
            _check_state(fresh, verdict, digest)
            votes = votes_that_count(fresh)
            decision = write_decision(fresh, verdict, votes, by=by, at=timezone.now())
            _record(uow, fresh, decision, verdict)
            carry_out(uow, fresh, decision, verdict)
            tell_everyone(fresh, decision, votes)
    if changed:
        raise SnapshotRenewed(
            f"The facts changed since this was signed: {', '.join(changed)}. The sign-offs have lapsed.",
            hint="Have the new snapshot signed, then decide.",
        )
    return decision


def _check_right(review: Review, outcome: str, by: User) -> None:
    require(by, right_for(outcome), review.use_case)
    require_in_person(by)
    if why_not := refusal_to_decide(review, by):
        raise PermissionDenied(why_not)


def _read(
    review: Review,
    *,
    outcome: str,
    reason: str,
    reason_code: str,
    to_stage: str,
    conditions: Sequence[Mapping[str, Any]],
    plan: Mapping[str, Any],
) -> Verdict:
    """What was asked for, complete and in the shape that goes on record; ``Invalid`` names everything that is wrong."""
    errors: dict[str, list[str]] = {}
    if outcome not in OUTCOMES:
        errors["outcome"] = [f"Choose one of {', '.join(OUTCOMES)}."]
    if outcome not in GOES and not reason.strip():
        errors["reason"] = ["Say why; this becomes part of the record."]
    if outcome == STOP and reason_code not in STOP_REASONS:
        errors["reason_code"] = [f"Choose one of {', '.join(STOP_REASONS)}."]
    if outcome == PIVOT and to_stage not in PIVOTS:
        errors["to_stage"] = ["Choose the earlier stage to return to."]
    terms: tuple[Term, ...] = ()
    if outcome == CONDITIONAL:
        terms, wrong = read_terms(conditions, review.use_case)
        errors |= wrong
    elif conditions:
        errors["conditions"] = ["Conditions go with the decision “go with conditions” alone."]
    said, wrong = read_plan(outcome, plan)
    errors |= wrong
    if errors:
        raise Invalid("The decision is not complete.", errors=errors)
    code = reason_code if outcome == STOP else ""
    return Verdict(outcome, reason.strip(), code, to_stage if outcome == PIVOT else "", terms, said)


def _check_state(review: Review, verdict: Verdict, digest: str) -> None:
    if digest != review.digest:
        raise Conflict("You looked at an older snapshot of this review.", hint="Reload the page and read what changed.")
    stage = review.use_case.stage
    if verdict.outcome == PIVOT and not position(verdict.to_stage) < position(stage):
        message = f"A pivot goes back: choose a stage before {stage}."
        raise Invalid(message, errors={"to_stage": [message]})
    if verdict.outcome == RETIRE and stage not in RETIRED_FROM:
        raise Conflict(
            f"{review.use_case.key} is in the stage {stage}: only what has run in production is retired.",
            hint="Stop it instead.",
        )
    if verdict.outcome not in GOES:
        return
    require_active(review.use_case)
    gate = body_of(review.policy_version).gates[review.gate]
    if stage not in (*gate.from_stages, gate.to_stage):
        raise Conflict(f"{review.use_case.key} is in the stage {stage} now; this gate no longer applies.")
    ready = readiness(review)
    if not ready.open:
        raise NotReady("This cannot be decided yet.", errors={"sign_offs": list(ready.reasons)})
    if verdict.outcome == GO and ready.conditions_because:
        raise NotReady(
            "This passes on conditions only.",
            hint="Decide “go with conditions”, or have it voted on again.",
            errors={"sign_offs": list(ready.conditions_because)},
        )


def _conditions_only(room: Room, slots: Iterable[SlotState]) -> list[str]:
    """Votes that pass it on conditions, and a board that passes it against risk or legal."""
    found = [f"{s.name}: {s.note}." for s in slots if s.conditions_only]
    asked = (v for v in room.votes if v.verdict == SignOff.Verdict.CONDITIONS)
    return found + [f"{v.signer_name} approves with conditions as {role_name(v.role)}: {v.reason}" for v in asked]


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


def _record(uow: UnitOfWork, review: Review, decision: Decision, verdict: Verdict) -> None:
    after = {
        "outcome": verdict.outcome,
        "reason_code": verdict.reason_code,
        "to_stage": verdict.to_stage,
        "conditions": len(verdict.conditions),
        "plan": dict(verdict.plan),
        "digest": review.digest,
        "body_digest": decision.body_digest,
    }
    uow.record("decision.made", subject=decision, use_case=review.use_case, after=after, note=verdict.reason[:300])
