"""What another version of the policy would say of a review: both judged over the same facts of now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from gates.engine import FactBase, GateResult, Judged, judge_gate
from gates.in_force import body_of
from gates.models import PolicyVersion, Review
from gates.policy import PolicyBody
from kernel.errors import Conflict

SAME, CLOSES, OPENS, DIFFERS = "same", "closes", "opens", "differs"


@dataclass(frozen=True, slots=True)
class Beside:
    """One criterion under both versions; None where a version does not have it."""

    id: str
    title: str
    pinned: Judged | None
    other: Judged | None

    @property
    def turn(self) -> str:
        was, now = (judged is not None and judged.blocks for judged in (self.pinned, self.other))
        if was != now:
            return CLOSES if now else OPENS
        if self.pinned is None or self.other is None:
            return DIFFERS
        return SAME if self.pinned.finding == self.other.finding else DIFFERS


@dataclass(frozen=True, slots=True)
class Under:
    """Both results, criterion by criterion, what would stand against it first."""

    version: PolicyVersion
    policy: PolicyBody
    pinned: GateResult
    other: GateResult
    rows: tuple[Beside, ...]

    @property
    def turning(self) -> list[Beside]:
        return [row for row in self.rows if row.turn in (CLOSES, OPENS)]


def under_version(review: Review, version: PolicyVersion, *, at: datetime | None = None) -> Under:
    """``Conflict`` when that version does not have the gate of the review."""
    moment = at or timezone.now()
    mine, theirs = body_of(review.policy_version), body_of(version)
    if review.gate not in theirs.gates:
        raise Conflict(f"{version.policy.title} {version.label} has no gate “{review.gate}”.")
    base = FactBase([review.use_case_id], mine.needs() | theirs.needs(), moment)
    facts = base.of(review.use_case_id)
    pinned, other = (
        judge_gate(review.use_case_id, facts, body.gates[review.gate], body, moment) for body in (mine, theirs)
    )
    old = {j.criterion.id: j for j in pinned.judged if not j.signs}
    new = {j.criterion.id: j for j in other.judged if not j.signs}
    rows = [
        Beside(key, (new.get(key) or old[key]).criterion.title, old.get(key), new.get(key))
        for key in dict.fromkeys([*old, *new])
    ]
    order = (CLOSES, OPENS, DIFFERS, SAME)
    return Under(version, theirs, pinned, other, tuple(sorted(rows, key=lambda row: order.index(row.turn))))
