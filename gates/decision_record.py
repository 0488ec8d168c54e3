"""The canonical record of a decision: what its digest is taken over. docs/decisions.md names every key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from accounts.models import User
from gates.models import Decision, Review, SignOff
from kernel.canonical import canonical_bytes, digest

FORMAT = 2


@dataclass(frozen=True, slots=True)
class Term:
    """One condition as it is imposed."""

    text: str
    scope: str
    owner: User
    due_on: date
    evidence_wanted: str

    def plain(self, position: int) -> dict[str, Any]:
        return {
            "position": position,
            "text": self.text,
            "scope": self.scope,
            "owner": self.owner.pk,
            "due_on": self.due_on.isoformat(),
            "evidence_wanted": self.evidence_wanted,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody decides, in words that have been checked."""

    outcome: str
    reason: str = ""
    reason_code: str = ""
    to_stage: str = ""
    conditions: tuple[Term, ...] = ()
    plan: Mapping[str, str] = field(default_factory=dict)


def write_decision(
    review: Review, verdict: Verdict, votes: Iterable[SignOff], *, by: User, at: datetime, pk: UUID | None = None
) -> Decision:
    """Keep the decision with its canonical body and the body's digest."""
    key = pk or uuid4()
    body = {
        **_words(verdict),
        "v": FORMAT,
        "decision": key,
        "review": review.number,
        "use_case": review.use_case.key,
        "gate": review.gate,
        "digest": review.digest,
        "policy": review.policy_version.digest,
        "sign_offs": [
            {"role": v.role, "person": v.person_id, "verdict": v.verdict, "digest": v.digest, "signed_at": v.signed_at}
            for v in votes
        ],
        "decided_by": by.pk,
        "decided_at": at,
    }
    return Decision.objects.create(
        pk=key,
        review=review,
        outcome=verdict.outcome,
        reason=verdict.reason,
        reason_code=verdict.reason_code,
        plan=dict(verdict.plan),
        digest=review.digest,
        body=canonical_bytes(body).decode(),
        body_digest=digest(body),
        decided_by=by,
        decided_at=at,
    )


def _words(verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "reason_code": verdict.reason_code,
        "to_stage": verdict.to_stage,
        "conditions": [term.plain(n) for n, term in enumerate(verdict.conditions, start=1)],
        "plan": dict(verdict.plan),
    }
