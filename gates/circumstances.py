"""What stood at a moment around one gate of one use case: loaded as it is now, or put together again for the past.

The past is read from what was written down then: decisions, changes of stage, the ledger's events of tier, status and
assurance, the times of conditions, waivers and releases. Findings are judged anew as of that moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.people import ancestors
from gates.criterion import Facts
from gates.engine import FactBase, GateResult, judge_gate
from gates.in_force import body_of, policy_for
from gates.models import Condition, Decision, EmergencyRelease, GateAssurance, PolicyVersion, Review, Waiver
from gates.policy import Gate, PolicyBody
from governance.models import ModelVersion
from kernel.errors import Conflict
from ledger.models import Event
from portfolio.lifecycle import ENDED
from portfolio.models import StageChange, Status, UseCase

PASSING = (Decision.Outcome.GO, Decision.Outcome.GO_WITH_CONDITIONS)
TAKING_BACK = (Decision.Outcome.PIVOT, Decision.Outcome.STOP, Decision.Outcome.RETIRE)


@dataclass(frozen=True, slots=True)
class Assured:
    """The assurance of a gate that was passed."""

    state: str
    reasons: tuple[Mapping[str, str], ...] = ()
    since: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything that a verdict is made of."""

    use_case: UseCase
    at: datetime
    gate: Gate
    version: PolicyVersion
    policy: PolicyBody
    stage: str
    status: str
    tier: str
    legal_hold: bool
    result: GateResult
    decision: Decision | None
    """The one by which the gate counts as passed; None when there is none, or when it was taken back since."""
    last: Decision | None
    """The newest decision about this gate, or the one that took the gate back."""
    assured: Assured | None
    conditions: tuple[Condition, ...]
    waivers: tuple[Waiver, ...]
    release: EmergencyRelease | None
    live: Mapping[str, Any] | None
    """The model version in use: label, model, since."""
    reconstructed: tuple[str, ...] = field(default_factory=tuple)
    """What is not on record for that moment and was derived; empty for now."""


def current(use_case: UseCase, gate: str, at: datetime) -> Circumstances:
    """As it is now. The policy has to know the gate."""
    version, policy = policy_for(use_case)
    base = FactBase([use_case.pk], policy.needs(), at)
    facts = base.of(use_case.pk)
    row = GateAssurance.objects.filter(use_case=use_case, gate=gate).first()
    history = _decisions(use_case, at)
    decision = next((d for d in history if row is not None and d.pk == row.decision_id), None)
    assured = Assured(row.state, tuple(row.reasons), row.since, row.due_at) if row is not None and decision else None
    return Circumstances(
        use_case=use_case,
        at=at,
        gate=policy.gates[gate],
        version=version,
        policy=policy,
        stage=use_case.stage,
        status=use_case.status,
        tier=use_case.tier,
        legal_hold=use_case.legal_hold,
        result=judge_gate(use_case.pk, facts, policy.gates[gate], policy, at),
        decision=decision,
        last=_last(history, gate),
        assured=assured,
        **_obligations(use_case, gate, decision, at),
    )


def past(use_case: UseCase, gate: str, at: datetime) -> Circumstances:
    """As it was at an earlier moment, under the policy of that day."""
    version, policy = policy_at(use_case, at)
    history = _decisions(use_case, at)
    decision = _passed_by(history, gate, policy)
    profile, unknown = _profile_at(use_case, at, decision)
    facts = _facts_at(use_case, policy, at, profile)
    derived = [
        "Findings are judged anew from the facts on record by then; what keeps no history of the profile is as today."
    ]
    if version.published_at is not None and version.published_at > at:
        derived.append("No policy was published by then; the first one there was is taken.")
    if unknown:
        words = ", ".join(name.replace("_", " ") for name in unknown)
        derived.append(f"No event says what this was by then; it is read as today: {words}.")
    return Circumstances(
        use_case=use_case,
        at=at,
        gate=policy.gates[gate],
        version=version,
        policy=policy,
        stage=profile["stage"],
        status=profile["status"],
        tier=profile["tier"],
        legal_hold=profile["legal_hold"],
        result=judge_gate(use_case.pk, facts, policy.gates[gate], policy, at),
        decision=decision,
        last=_last(history, gate),
        assured=_assured_at(use_case, gate, decision, at) if decision else None,
        reconstructed=tuple(derived),
        **_obligations(use_case, gate, decision, at),
    )


def policy_at(use_case: UseCase, at: datetime) -> tuple[PolicyVersion, PolicyBody]:
    """The version that decided the stages of a use case at a moment: of the nearest unit that had extended it by then.

    Before the first one was published, the first one: nothing could be decided without it.
    """
    paths = ancestors(use_case.unit.path)
    ours = Q(policy__is_primary=True) | Q(policy__unit__path__in=paths)
    rows = PolicyVersion.objects.select_related("policy__unit").filter(ours, published_at__isnull=False)
    versions = list(rows.filter(state__in=("published", "superseded")).order_by("published_at"))
    if not versions:
        raise Conflict("No policy that decides stages was ever published.")
    by_then = [v for v in versions if v.published_at is not None and v.published_at <= at] or versions[:1]
    nearest = max(by_then, key=lambda v: (len(v.policy.unit.path) if v.policy.unit else 0, v.published_at))
    return nearest, body_of(nearest)


def _decisions(use_case: UseCase, at: datetime) -> list[Decision]:
    """Decisions of a use case up to a moment, the oldest first."""
    rows = Decision.objects.filter(review__use_case=use_case, decided_at__lte=at).order_by("decided_at", "pk")
    return list(
        rows.select_related("decided_by", "review__policy_version__policy").prefetch_related("review__sign_offs")
    )


def _last(history: Iterable[Decision], gate: str) -> Decision | None:
    found = None
    for decision in history:
        if decision.review.gate == gate or decision.outcome in TAKING_BACK:
            found = decision
    return found


def _passed_by(history: Iterable[Decision], gate: str, policy: PolicyBody) -> Decision | None:
    """Replay the decisions: a go passes its gate; a pivot keeps what lies behind the stage it leads to, an end none."""
    found: Decision | None = None
    stages = {c.decision_id: c.to_stage for c in StageChange.objects.filter(decision_id__in=[d.pk for d in history])}
    for decision in history:
        if decision.outcome in PASSING and decision.review.gate == gate:
            found = decision
        elif decision.outcome in TAKING_BACK and found is not None:
            to_stage = stages.get(decision.pk, "")
            kept = to_stage not in ENDED and gate in {g.key for g in policy.gate_before(to_stage)}
            found = found if kept else None
    return found


def _obligations(use_case: UseCase, gate: str, decision: Decision | None, at: datetime) -> dict[str, Any]:
    """Conditions of the decision, waivers and a release that hold, and the version in use at that moment."""
    conditions = Condition.objects.filter(decision=decision).select_related("owner") if decision else []
    waivers = Waiver.objects.filter(use_case=use_case, gate=gate, settled_at__lte=at, expires_at__gt=at)
    releases = EmergencyRelease.objects.filter(use_case=use_case, gate=gate, answered_at__lte=at, ends_at__gt=at)
    release = releases.select_related("requested_by", "answered_by", "call")
    versions = ModelVersion.objects.filter(model__use_case=use_case, live_at__lte=at).exclude(retired_at__lte=at)
    live = versions.select_related("model").order_by("-live_at").first()
    return {
        "conditions": tuple(conditions),
        "waivers": tuple(w for w in waivers.order_by("criterion", "expires_at") if w.holds(at)),
        "release": next((r for r in release.order_by("-answered_at") if r.holds(at)), None),
        "live": {"model": live.model.name, "version": live.label, "since": live.live_at} if live else None,
    }


def _facts_at(use_case: UseCase, policy: PolicyBody, at: datetime, profile: Mapping[str, Any]) -> Facts:
    """Facts as of then, with the stage, tier and legal hold that are known for then."""
    facts = dict(FactBase([use_case.pk], policy.needs(), at).of(use_case.pk))
    known = {name: profile[name] for name in ("stage", "tier", "legal_hold")}
    facts["profile"] = {**facts["profile"], **known}
    return facts


def _profile_at(use_case: UseCase, at: datetime, decision: Decision | None) -> tuple[dict[str, Any], list[str]]:
    """Stage, status, tier and legal hold at a moment, and which of them no event tells."""
    change = StageChange.objects.filter(use_case=use_case, at__lte=at).order_by("-at", "-pk").first()
    stage = change.to_stage if change else use_case.stage
    told: dict[str, Any] = {}
    actions = ("use_case.created", "use_case.tier_set", "use_case.held", "use_case.resumed", "use_case.stage_moved")
    events = Event.objects.filter(use_case_id=str(use_case.pk), action__in=actions, at__lte=at).order_by("index")
    for body in events.values_list("body", flat=True):
        for name, pair in json.loads(body)["changes"].items():
            if name in ("status", "tier", "legal_hold"):
                told[name] = pair["after"]
    if "tier" not in told and decision is not None:
        told["tier"] = decision.review.tier
    if stage in ENDED:
        told["status"] = str(Status.CLOSED)
    known = {"tier": use_case.tier, "legal_hold": use_case.legal_hold, "status": str(Status.ACTIVE)}
    unknown = [] if change else ["stage"]
    unknown += [name for name in ("tier", "legal_hold") if name not in told]
    return {"stage": stage, **known, **told}, unknown


def _assured_at(use_case: UseCase, gate: str, decision: Decision, at: datetime) -> Assured:
    """The newest event about the assurance of the gate since its decision; without one it was in force."""
    events = Event.objects.filter(
        use_case_id=str(use_case.pk),
        action="assurance.changed",
        subject_label__startswith=f"{gate}:",
        at__gte=decision.decided_at,
        at__lte=at,
    )
    newest = events.order_by("-index").first()
    if newest is None:
        return Assured(GateAssurance.State.IN_FORCE, (), decision.decided_at)
    changes = json.loads(newest.body)["changes"]
    texts = (changes.get("reasons") or {}).get("after") or []
    return Assured(
        str(changes["state"]["after"]),
        tuple({"code": "recorded", "text": text, "criterion": "", "alert": ""} for text in texts),
        newest.at,
    )


def last_review(use_case: UseCase, gate: str) -> Review | None:
    """The review of this gate that is open, if one is."""
    return Review.objects.filter(use_case=use_case, gate=gate, state=Review.State.OPEN).first()
