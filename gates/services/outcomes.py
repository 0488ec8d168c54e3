"""What each outcome of a review does: to the stage, the gates in force, other reviews, the tier, what is owed."""

from __future__ import annotations

from datetime import timedelta

from accounts.people import holders
from gates.decision_record import Verdict
from gates.in_force import body_of
from gates.models import Decision, GateAssurance, Review, SignOff
from gates.policy import PolicyBody
from gates.services.conditions import drop_conditions, impose
from gates.services.reviews import close, lapse
from gates.services.scenes import votes_that_count
from governance.services import reconsider_tier
from kernel.database import lock_rows
from ledger import UnitOfWork
from notify.services import tell
from portfolio.lifecycle import ENDED
from portfolio.models import Stage, UseCase
from portfolio.services import move_stage, set_standing

GO, CONDITIONAL, RETURN, PIVOT, STOP, RETIRE = "go", "go_with_conditions", "return", "pivot", "stop", "retire"
GOES = (GO, CONDITIONAL)


def carry_out(uow: UnitOfWork, review: Review, decision: Decision, verdict: Verdict) -> None:
    """Everything that follows from a decision on a locked review, in the transaction that records it."""
    if decision.outcome == RETURN:
        close(uow, review, Review.State.RETURNED, decision.reason)
        lapse(uow, review, votes_that_count(review), "The review was returned.")
        return
    policy = body_of(review.policy_version)
    use_case, by = review.use_case, decision.decided_by
    target = {GO: policy.gates[review.gate].to_stage, PIVOT: verdict.to_stage, STOP: Stage.STOPPED}.get(
        GO if decision.outcome in GOES else decision.outcome, Stage.RETIRED
    )
    close(uow, review, Review.State.DECIDED, decision.reason)
    words = f"{review}: {decision.get_outcome_display()}"
    if target != use_case.stage:
        move_stage(use_case=use_case, to_stage=target, decision_id=decision.pk, by=by, reason=decision.reason or words)
        _supersede(uow, review, words)
    if decision.outcome in GOES:
        impose(uow, decision, use_case, verdict.conditions)
        _put_in_force(use_case, review.gate, decision, policy.cadence_days.get(review.tier))
    else:
        _take_out_of_force(use_case, policy, target)
    if decision.outcome == PIVOT:
        reconsider_tier(use_case=use_case, by=by, reason=f"{words} to {target}. {decision.reason}"[:300])
    if target in ENDED:
        drop_conditions(uow, use_case, words)
    worst = GateAssurance.worst(GateAssurance.objects.filter(use_case=use_case))
    reason = worst.reasons[0]["text"] if worst and worst.reasons else ""
    set_standing(use_case=use_case, by=by, assurance=worst.state if worst else "", assurance_reason=reason)


def tell_everyone(review: Review, decision: Decision, votes: list[SignOff]) -> None:
    """Who submitted, who signed and who answers for the use case hear what was decided."""
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


def _supersede(uow: UnitOfWork, review: Review, words: str) -> None:
    """Other open reviews of the use case are about a stage that it has left: nobody signs or decides them any more."""
    rows = Review.objects.select_related("use_case", "submitted_by").filter(
        use_case=review.use_case_id, state=Review.State.OPEN
    )
    for other in lock_rows(rows.exclude(pk=review.pk)).order_by("number"):
        because = f"Superseded by {words}."
        close(uow, other, Review.State.SUPERSEDED, because)
        lapse(uow, other, votes_that_count(other), because)
        tell(
            recipients=[other.submitted_by],
            kind="review.superseded",
            title=f"{other} is superseded",
            body=because,
            url=f"/gates/reviews/{other.number}/",
        )


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
