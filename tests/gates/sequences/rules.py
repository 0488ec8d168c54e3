"""The rules, read straight from the rows: nothing here asks the code that is under test what it thinks."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.utils import timezone

from accounts.models import Delegation, RoleAssignment, User
from gates.differences import fact_differences
from gates.in_force import body_of
from gates.models import Condition, Decision, EmergencyRelease, Recusal, Review, SignOff, Waiver
from gates.snapshots import freeze
from governance.models import Incident
from portfolio.models import StageChange
from tests.gates.sequences.stage import GATES, SIGNERS, Stage

BOARD = "ai_governance_board"
ORDER = ("idea", "poc", "pilot", "production")
GOES = ("go", "go_with_conditions")


def check(stage: Stage, stage_before: str) -> None:
    """Every rule, after every step."""
    new = list(Decision.objects.filter(review__use_case=stage.use_case).exclude(pk__in=stage.seen_decisions))
    for decision in new:
        _check_decision(stage, decision)
        stage.seen_decisions.add(decision.pk)
    _check_stages(stage, stage_before, new)
    _check_votes(stage)
    _check_reviews(stage)
    _check_waivers()
    _check_conditions()
    _check_delegations()
    _check_releases(stage)


def _check_decision(stage: Stage, decision: Decision) -> None:
    review = decision.review
    body = json.loads(decision.body)
    assert sha256(decision.body.encode()).hexdigest() == decision.body_digest
    assert decision.digest == review.digest
    snapshot = review.snapshots.get(digest=decision.digest)
    assert sha256(snapshot.body.encode()).hexdigest() == decision.digest
    assert decision.decided_by_id != review.submitted_by_id
    assert decision.decided_by.is_person
    if decision.outcome not in GOES:
        return
    assert not review.asks_to_end, "passed by a review that asked for an end"
    frozen = json.loads(snapshot.body)
    policy = body_of(review.policy_version)
    again = freeze(review.use_case_id, policy.gates[review.gate], policy, timezone.now())
    # What the go itself changed is not among the facts of its gate but the stage; so everything else must be equal.
    moved = fact_differences(_comparable(frozen), _comparable(json.loads(again.body)))
    assert not moved, f"decided on facts that are not those that were signed: {moved}"
    assert not frozen["blockers"]
    assert all(f["outcome"] in ("met", "waived", "not_applicable") for f in frozen["findings"] if f["mandatory"])
    _check_signatures(stage, decision, [SignOff.objects.get(pk=_vote_id(decision, v)) for v in body["sign_offs"]])
    owed = Condition.objects.filter(decision=decision).count()
    assert owed == 0 if decision.outcome == "go" else 1 <= owed <= 5
    overdue = Condition.objects.filter(
        use_case=stage.use_case, state__in=("open", "reported"), due_on__lt=timezone.localdate()
    )
    assert not overdue.exists(), "passed a gate with an overdue condition"


def _check_signatures(stage: Stage, decision: Decision, votes: list[SignOff]) -> None:
    review, now = decision.review, timezone.now()
    involved: list[Any] = []
    for vote in votes:
        assert vote.digest == review.digest
        assert vote.review_id == review.pk
        assert now - vote.signed_at < timedelta(days=30)
        involved += [vote.person_id, *([vote.on_behalf_of_id] if vote.on_behalf_of_id else [])]
        _check_signer(stage, vote.person, vote.role, review)
        if vote.on_behalf_of is not None:
            _check_signer(stage, vote.on_behalf_of, vote.role, review, away=True)
            held = Delegation.objects.filter(giver=vote.on_behalf_of, stand_in=vote.person, role=vote.role)
            assert any(d.holds(vote.signed_at) for d in held)
    assert len(involved) == len(set(involved)), "somebody counts twice"
    assert review.submitted_by_id not in involved
    if decision.outcome == "go":
        assert all(v.verdict != "approve_with_conditions" for v in votes)
    for role in SIGNERS[review.tier]:
        mine = [v for v in votes if v.role == role]
        against = [v for v in mine if v.verdict == "reject"]
        if role == BOARD:
            assert len(mine) >= 3
            assert len(mine) - len(against) > len(against) or _chair_breaks_ties(mine, against)
        else:
            assert len(mine) == 1, f"{role} signed {len(mine)} times"
            assert not against


def _chair_breaks_ties(votes: list[SignOff], against: list[SignOff]) -> bool:
    return 2 * len(against) == len(votes)


def _check_signer(stage: Stage, person: User, role: str, review: Review, *, away: bool = False) -> None:
    assert person.is_person
    assert person.is_active
    scopes = [stage.use_case.pk, stage.use_case.unit_id, *_units_above(stage)]
    roles = set(
        RoleAssignment.objects.filter(user=person, ended_at__isnull=True, scope_id__in=scopes).values_list(
            "role", flat=True
        )
    )
    assert role in roles or (not away and _stands_in(person, role)), f"{person} does not hold {role}"
    assert "system_admin" not in roles
    interests = Recusal.objects.filter(person=person, use_case=stage.use_case, ended_at__isnull=True)
    assert not any(r.review_id in (None, review.pk) for r in interests), "somebody with an interest counts"


def _stands_in(person: User, role: str) -> bool:
    return any(d.holds(timezone.now()) for d in Delegation.objects.filter(stand_in=person, role=role))


def _units_above(stage: Stage) -> list[Any]:
    from portfolio.models import BusinessUnit

    path = stage.use_case.unit.path
    return [unit.pk for unit in BusinessUnit.objects.all() if path.startswith(unit.path)]


def _vote_id(decision: Decision, row: dict[str, Any]) -> Any:
    votes = SignOff.objects.filter(
        review=decision.review, person_id=row["person"], role=row["role"], digest=row["digest"]
    )
    return votes.latest("signed_at").pk


def _comparable(body: dict[str, Any]) -> dict[str, Any]:
    """A snapshot without what a go itself changes (the stage, and the conditions it imposes), and without who holds
    which role: a new auditor voids no vote, and signers are checked one by one."""
    facts = json.loads(json.dumps(body["facts"]))
    for name in ("stage", "stage_since"):
        facts["profile"].pop(name, None)
    facts.pop("conditions", None)
    facts.pop("people", None)
    facts["outcomes"] = {f["criterion"]: f["outcome"] for f in body["findings"]}
    return {"facts": facts, "tier": body["tier"]}


def _check_stages(stage: Stage, before: str, new: list[Decision]) -> None:
    here = stage.now().stage
    if here == before:
        return
    assert len(new) == 1, "the stage moved without a decision"
    decision = new[0]
    change = StageChange.objects.get(use_case=stage.use_case, decision_id=decision.pk)
    assert (change.from_stage, change.to_stage) == (before, here)
    match decision.outcome:
        case "go" | "go_with_conditions":
            assert (decision.review.gate, before, here) in GATES, "a stage was skipped"
        case "pivot":
            assert ORDER.index(here) < ORDER.index(before)
        case "stop":
            assert here == "stopped"
            assert decision.reason_code
            assert {"lessons", "disposal"} <= set(decision.plan)
        case "retire":
            assert here == "retired"
            assert before in ("production", "operations")
        case other:
            raise AssertionError(f"{other} moved the stage")


def _check_votes(stage: Stage) -> None:
    for review in Review.objects.filter(use_case=stage.use_case, state="open"):
        live = list(review.sign_offs.filter(lapsed_at__isnull=True))
        assert all(v.digest == review.digest for v in live), "a vote on an old snapshot is still alive"
        people = [p for v in live for p in (v.person_id, v.on_behalf_of_id) if p]
        assert len(people) == len(set(people))


def _check_reviews(stage: Stage) -> None:
    rows = dict(Review.objects.filter(use_case=stage.use_case).values_list("pk", "state"))
    assert sum(1 for state in rows.values() if state == "open") <= 1
    for pk, state in stage.closed.items():
        assert rows[pk] == state, "a closed review changed"
    stage.closed = {pk: state for pk, state in rows.items() if state != "open"}


def _check_waivers() -> None:
    for waiver in Waiver.objects.filter(state__in=("approved", "revoked")).prefetch_related("votes"):
        votes = [v for v in waiver.votes.all() if v.verdict == "approve"]
        people = {v.person_id for v in votes}
        assert waiver.requested_by_id not in people
        assert len(people) == len(votes) >= (2 if waiver.tier == "high" else 1)
        assert waiver.tier != "high" or any(v.role == BOARD for v in votes)
        assert waiver.expires_at - waiver.requested_at <= timedelta(days=90 if waiver.tier == "high" else 365)
        assert waiver.criterion.endswith("-01"), "something that cannot be waived was waived"
        assert waiver.renews is None or waiver.renews.renews is None, "renewed twice"


def _check_conditions() -> None:
    for row in Condition.objects.filter(state="closed"):
        assert row.closed_by_id not in (None, row.reported_by_id, row.owner_id)


def _check_delegations() -> None:
    for row in Delegation.objects.all():
        assert row.ends_at - row.starts_at <= timedelta(days=30)
        held = RoleAssignment.objects.filter(user=row.giver, role=row.role, starts_at__lte=row.starts_at)
        assert held.exists(), "handed on what was only lent"


def _check_releases(stage: Stage) -> None:
    for row in EmergencyRelease.objects.exclude(answered_at__isnull=True).exclude(state="refused"):
        assert row.answered_at is not None
        assert row.ends_at is not None
        assert row.answered_by_id != row.requested_by_id
        assert row.ends_at - row.answered_at <= timedelta(hours=24)
        assert row.incident_id is not None
        assert Incident.objects.filter(pk=row.incident_id, use_case=stage.use_case).exists()
        assert row.call is not None
        assert row.call.due_at - row.answered_at <= timedelta(days=5)
