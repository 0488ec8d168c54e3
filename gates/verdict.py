"""May this be released? One answer for pipelines about one gate of one use case, with every reason.

Allowed is what has a decision that still stands: a go or a conditional go that no pivot, stop or retirement took
back, and whose approval is in force. A gate *at risk* is still allowed, with a warning, because nobody has yet decided
otherwise and the people who answer for it have a date by which to act; ``strict`` denies it too. *Re-approval required*
denies. An emergency release allows while it holds. A prohibited tier, a legal hold, a use case on hold or at its end
deny whatever else there is, an emergency release too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.roles import role_name
from gates.assessment import assess
from gates.assurance import reassess
from gates.assurance_reasons import UNDECIDED
from gates.circumstances import Circumstances, current, last_review, past
from gates.criterion import day
from gates.engine import Judged, blockers, remedy
from gates.models import Assessment, Condition, Decision, EmergencyRelease, GateAssurance
from gates.presenting import in_order
from kernel.canonical import canonical_bytes
from portfolio.models import Status, UseCase

ALLOW, DENY = "allow", "deny"
DECISION, EMERGENCY, NOTHING = "decision", "emergency", "none"
FLEETING = ("at", "asked_at")
"""Fields that differ from one second to the next without anything having happened."""


@dataclass(frozen=True, slots=True)
class Line:
    """One reason or warning."""

    code: str
    text: str

    def plain(self) -> dict[str, str]:
        return {"code": self.code, "text": self.text}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from the circumstances."""

    allowed: bool
    basis: str
    """decision, emergency or none: what the permission rests on."""
    reasons: tuple[Line, ...]
    """Why it is denied; empty when it is allowed."""
    warnings: tuple[Line, ...]


def verdict(use_case: UseCase, gate: str, *, at: datetime | None = None, strict: bool = False) -> dict[str, Any]:
    """The answer as plain data, for now or for a moment in the past."""
    asked_at = timezone.now()
    if at is None:
        _bring_up_to_date(use_case)
    seen = current(use_case, gate, asked_at) if at is None else past(use_case, gate, at)
    return answer(seen, rule(seen, strict=strict), asked_at=asked_at, strict=strict)


def rule(seen: Circumstances, *, strict: bool = False) -> Ruling:
    """Decide from the circumstances. Pure."""
    closed = _closed(seen)
    if closed:
        return Ruling(False, NOTHING, tuple(closed), ())
    warnings = _warnings(seen)
    lacking = _lacking(seen, strict=strict)
    if not lacking:
        return Ruling(True, DECISION, (), tuple(warnings))
    if seen.release is not None and seen.release.ends_at is not None and _is_ahead(seen):
        until = f"Emergency release until {seen.release.ends_at:%-d %b %Y %H:%M} UTC: {seen.release.reason}"
        return Ruling(True, EMERGENCY, (), (Line("emergency", until), *lacking, *warnings))
    return Ruling(False, NOTHING, tuple(lacking), tuple(warnings))


def etag(answered: dict[str, Any]) -> str:
    """Names the content of an answer, whenever it was asked for."""
    content = {name: value for name, value in answered.items() if name not in FLEETING}
    return f'W/"{hashlib.sha256(canonical_bytes(content)).hexdigest()[:32]}"'


def answer(seen: Circumstances, ruling: Ruling, *, asked_at: datetime, strict: bool) -> dict[str, Any]:
    """Everything a pipeline and an auditor want to know, in one piece."""
    use_case, policy = seen.use_case, seen.policy
    running = last_review(use_case, seen.gate.key) if not seen.reconstructed else None
    return {
        "allowed": ruling.allowed,
        "verdict": ALLOW if ruling.allowed else DENY,
        "basis": ruling.basis,
        "strict": strict,
        "use_case": use_case.key,
        "name": use_case.name,
        "gate": seen.gate.key,
        "title": seen.gate.title,
        "stage": seen.stage,
        "status": seen.status,
        "tier": seen.tier,
        "at": seen.at,
        "asked_at": asked_at,
        "reasons": [line.plain() for line in ruling.reasons],
        "warnings": [line.plain() for line in ruling.warnings],
        "blockers": [line.text for line in _closed(seen)],
        "failing": [_failing(j, seen) for j in failing(seen)],
        "assurance": _assurance(seen),
        "decision": _decision(seen.decision) if seen.decision else None,
        "last_decision": _decision(seen.last) if seen.last and seen.last != seen.decision else None,
        "open_review": str(running) if running else "",
        "conditions": [_condition(c, seen.at) for c in seen.conditions if _owed(c, seen.at)],
        "waivers": [
            {"waiver": str(w), "criterion": w.criterion, "reason": w.reason, "expires_at": w.expires_at}
            for w in seen.waivers
        ],
        "emergency": _emergency(seen.release) if seen.release else None,
        "live": seen.live,
        "policy": {"key": policy.key, "version": policy.version, "digest": policy.digest},
        "reconstructed": list(seen.reconstructed),
    }


def failing(seen: Circumstances) -> list[Judged]:
    """Mandatory criteria that do not pass. Of a gate that has been passed, those that still say something."""
    passed = seen.decision is not None
    return [j for j in in_order(seen.result) if j.blocks and not (passed and (j.signs or j.criterion.once))]


def _bring_up_to_date(use_case: UseCase) -> None:
    """Judge first when facts have changed since it was last judged: a pipeline must not outrun the worker."""
    queued = Assessment.objects.filter(pk=use_case.pk).first()
    if queued is None or queued.is_due:
        assess([use_case.pk])
        reassess([use_case.pk])
        use_case.refresh_from_db()


def _is_ahead(seen: Circumstances) -> bool:
    """Whether the gate is still the next one: after a pivot, a release of what lay ahead before opens nothing."""
    ahead = seen.policy.next_gate(seen.stage)
    return ahead is not None and ahead.key == seen.gate.key


def _closed(seen: Circumstances) -> list[Line]:
    """What no decision and no emergency opens."""
    found = [Line("blocked", text) for text in blockers({"tier": seen.tier, "legal_hold": seen.legal_hold})]
    if seen.status == Status.ON_HOLD:
        found.append(Line("on_hold", "The use case is on hold: nothing of it is released until it is resumed."))
    if seen.status == Status.CLOSED:
        found.append(Line("ended", f"The use case has ended: it is {seen.stage}."))
    return found


def _lacking(seen: Circumstances, *, strict: bool) -> list[Line]:
    """Why no decision carries it."""
    if seen.decision is None or seen.assured is None:
        return [Line("no_decision", _without_decision(seen))]
    state = seen.assured.state
    if state == GateAssurance.State.REAPPROVAL or (strict and state != GateAssurance.State.IN_FORCE):
        label = str(GateAssurance.State(state).label)
        if not seen.assured.reasons:
            return [Line(state, f"{label}: The reason is not on record.")]
        return [_standing(state, label, reason) for reason in seen.assured.reasons]
    return []


def _standing(state: str, label: str, reason: Mapping[str, Any]) -> Line:
    if reason["code"] == UNDECIDED:
        return Line(UNDECIDED, f"{label}: Breach undecided: {reason['text']}")
    return Line(state, f"{label}: {reason['text']}")


def _at_risk(reason: Mapping[str, Any]) -> Line:
    """A breach that nobody has decided about is told apart: a pipeline may wish to wait for that."""
    if reason["code"] == UNDECIDED:
        return Line(UNDECIDED, f"Breach undecided: {reason['text']}")
    return Line("at_risk", f"At risk: {reason['text']}")


def _without_decision(seen: Circumstances) -> str:
    last = seen.last
    if last is None:
        return "No decision lets this gate pass: none was ever made."
    when = day(last.decided_at)
    return f"No decision lets this gate pass: {last.review} was decided {last.get_outcome_display().lower()} on {when}."


def _warnings(seen: Circumstances) -> list[Line]:
    found: list[Line] = []
    if seen.assured is not None and seen.assured.state == GateAssurance.State.AT_RISK:
        found += [_at_risk(reason) for reason in seen.assured.reasons]
    for condition in seen.conditions:
        if _owed(condition, seen.at) and condition.due_on < seen.at.date():
            text = f"Condition {condition.position} is overdue since {condition.due_on:%-d %b %Y}: {condition.text}"
            found.append(Line("condition_overdue", text))
    return found


def _failing(judged: Judged, seen: Circumstances) -> dict[str, Any]:
    criterion, finding = judged.criterion, judged.finding
    return {
        "criterion": criterion.id,
        "title": criterion.title,
        "outcome": str(finding.outcome),
        "observed": finding.observed,
        "required": finding.required,
        "reason": finding.reason,
        "owner": criterion.owner,
        "owner_name": role_name(criterion.owner),
        "remedy": remedy(criterion, seen.gate.key, seen.result.tier),
    }


def _assurance(seen: Circumstances) -> dict[str, Any] | None:
    held = seen.assured
    if held is None:
        return None
    reasons = [{"code": r["code"], "text": r["text"]} for r in held.reasons]
    return {"state": held.state, "reasons": reasons, "since": held.since, "due_at": held.due_at}


def _decision(decision: Decision) -> dict[str, Any]:
    review = decision.review
    version = review.policy_version
    votes = [v for v in review.sign_offs.all() if v.digest == decision.digest and _stood(v, decision)]
    return {
        "id": decision.pk,
        "review": str(review),
        "outcome": decision.outcome,
        "reason": decision.reason,
        "digest": decision.digest,
        "record_digest": decision.body_digest,
        "decided_at": decision.decided_at,
        "decided_by": decision.decided_by.full_name or decision.decided_by.email,
        "tier": review.tier,
        "policy": {"key": version.policy.key, "version": version.label, "digest": version.digest},
        "sign_offs": [
            {"role": v.role, "name": v.signer_name, "verdict": v.verdict, "signed_at": v.signed_at} for v in votes
        ],
    }


def _stood(vote: Any, decision: Decision) -> bool:
    return vote.lapsed_at is None or vote.lapsed_at > decision.decided_at


def _owed(condition: Condition, at: datetime) -> bool:
    """Whether it was owed at that moment; what was dropped is taken as never owed."""
    if condition.state == Condition.State.DROPPED:
        return False
    return condition.closed_at is None or condition.closed_at > at


def _condition(condition: Condition, at: datetime) -> dict[str, Any]:
    reported = condition.reported_at is not None and condition.reported_at <= at
    return {
        "position": condition.position,
        "text": condition.text,
        "scope": condition.scope,
        "owner": condition.owner.full_name or condition.owner.email,
        "due_on": condition.due_on,
        "state": "reported" if reported and condition.state != Condition.State.OPEN else "open",
        "overdue": condition.due_on < at.date(),
    }


def _emergency(release: EmergencyRelease) -> dict[str, Any]:
    people: Iterable[Any] = (release.requested_by, release.answered_by)
    requested, confirmed = ((p.full_name or p.email) if p else "" for p in people)
    return {
        "id": release.pk,
        "reason": release.reason,
        "requested_by": requested,
        "confirmed_by": confirmed,
        "confirmed_at": release.answered_at,
        "ends_at": release.ends_at,
        "review_due_at": release.call.due_at if release.call else None,
    }
