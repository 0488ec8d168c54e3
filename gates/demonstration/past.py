"""Gates that were passed: reviews, snapshots, signatures and decisions as of their day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from gates.decision_record import Verdict, write_decision
from gates.demonstration.board import voters
from gates.demonstration.conditions import ASKED_BY, impose_past, verdict_of
from gates.demonstration.story import GATES, STAGES, Story
from gates.duties import BOARD
from gates.models import GateAssurance, PolicyVersion, Review, SignOff, Snapshot
from gates.policy import PolicyBody
from gates.services.sign_offs import meaning
from gates.snapshots import Frozen, freeze
from ledger import UnitOfWork
from portfolio.models import StageChange

SIGNING = timedelta(days=4)
"""From submission, when the facts are frozen, to the decision: nobody signs what is not frozen yet."""


def decide_past(stories: list[Story], version: PolicyVersion, policy: PolicyBody, uow: UnitOfWork) -> list[str]:
    """Tell the past decisions in the order of their days; returns what was not ready then (nothing, if all is well)."""
    told = [(when, story, gate) for story in stories for gate, when in story.passed.items()]
    open_then: list[str] = []
    for number, (when, story, gate) in enumerate(sorted(told, key=lambda t: (t[0], t[1].n)), start=1):
        frozen = freeze(story.use_case.pk, policy.gates[gate], policy, when - SIGNING)
        open_then += [f"{story.use_case.key} {gate} {j.criterion.id}: {j.finding.reason}" for j in frozen.result.open()]
        _tell(Scene(story, gate, when, frozen, number, version, policy), uow)
    return open_then


@dataclass(frozen=True, slots=True)
class Scene:
    """One past decision: of whom, of what, when, on which snapshot, under which policy."""

    story: Story
    gate: str
    when: datetime
    frozen: Frozen
    number: int
    version: PolicyVersion
    policy: PolicyBody


def end(stories: list[Story]) -> None:
    """Use cases that were stopped or retired: the last move, told with its reason."""
    for story in stories:
        if story.stage in ("stopped", "retired"):
            reasons = {
                "prohibited": "The intake screen found a prohibited practice.",
                "retired": "Replaced by a standard function.",
            }
            reason = reasons.get(story.tier) or reasons.get(story.stage) or "No value shown within the time box."
            StageChange.objects.create(
                use_case=story.use_case,
                from_stage=STAGES[len(story.passed)],
                to_stage=story.stage,
                at=story.use_case.stage_since,
                by=story.person("business_sponsor"),
                reason=reason,
            )


def _tell(scene: Scene, uow: UnitOfWork) -> None:
    story, gate, when, frozen, policy = scene.story, scene.gate, scene.when, scene.frozen, scene.policy
    slots = policy.slots(gate, frozen.result.tier)
    assert slots is not None
    submitted, verdict = when - SIGNING, verdict_of(story, gate)
    review = Review.objects.create(
        id=story.id("review", gate),
        number=scene.number,
        use_case=story.use_case,
        gate=gate,
        policy_version=scene.version,
        state=Review.State.DECIDED,
        tier=frozen.result.tier,
        digest=frozen.digest,
        slots=[{"role": role} for role in slots.signers],
        submitted_by=story.person("use_case_lead"),
        submitted_at=submitted,
        due_at=submitted + timedelta(days=slots.decision_sla_days),
        closed_at=when,
    )
    Snapshot.objects.create(review=review, digest=frozen.digest, body=frozen.body, taken_at=submitted)
    votes = [
        SignOff(
            review=review,
            digest=frozen.digest,
            role=role,
            person=person,
            verdict=_vote(role, verdict),
            reason=verdict.reason if _vote(role, verdict) != "approve" else "",
            meaning=meaning(role, _vote(role, verdict)),
            signer_name=person.full_name,
            method="session",
            signed_at=submitted + timedelta(hours=8 + 5 * n),
        )
        for n, (role, person) in enumerate(_signers(story, slots.signers))
    ]
    SignOff.objects.bulk_create(votes)
    decider = story.cast.everywhere["portfolio_manager"][0]
    decision = write_decision(review, verdict, votes, by=decider, at=when, pk=story.id("decision", gate))
    to_stage = policy.gates[gate].to_stage
    StageChange.objects.create(
        use_case=story.use_case,
        from_stage=policy.gates[gate].from_stages[0],
        to_stage=to_stage,
        at=when,
        by=decision.decided_by,
        reason=f"{review}: {decision.get_outcome_display()}",
        decision_id=decision.pk,
    )
    if story.use_case.is_open:
        cadence = policy.cadence_days.get(frozen.result.tier)
        newest = gate == GATES[len(story.passed) - 1]
        GateAssurance.objects.create(
            use_case=story.use_case,
            gate=gate,
            decision=decision,
            since=when,
            review_due_at=when + timedelta(days=cadence) if cadence and newest else None,
        )
    after = {"gate": gate, "outcome": decision.outcome, "decided_at": when, "digest": frozen.digest}
    uow.record("decision.made", subject=decision, use_case=story.use_case, after=after, note="Demonstration history")
    impose_past(story, decision, verdict, when, uow)


def _vote(role: str, verdict: Verdict) -> str:
    """Who asked for the conditions, where there are any."""
    return "approve_with_conditions" if verdict.conditions and role == ASKED_BY else "approve"


def _signers(story: Story, roles: tuple[str, ...]) -> list[tuple[str, User]]:
    found = []
    for role in roles:
        if role == BOARD:
            found += [(role, member) for member in voters(story)]
        else:
            found.append((role, story.person(role)))
    return found
