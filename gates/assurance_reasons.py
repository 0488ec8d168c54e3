"""Why a passed gate would not be passed any more: one function a kind of cause. Pure, over facts already loaded.

To add a kind, write a function from ``Passed`` to reasons, add it to ``KINDS``, name the facts it reads in ``NEEDED``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gates.criterion import Facts, Outcome, day, listed
from gates.engine import GateResult, blockers
from gates.models import GateAssurance
from gates.owed import overdue
from gates.waiving import RANK

IN_FORCE, AT_RISK, REAPPROVAL = "in_force", "at_risk", "reapproval_required"
WORST = {IN_FORCE: 0, AT_RISK: 1, REAPPROVAL: 2}
UNDECIDED = "breach_undecided"
ACCEPTED = "accept"
NEEDED = frozenset({"profile", "models", "people", "alerts", "past_waivers", "review_calls", "breaches"})
"""Facts looked at here beside those that the criteria ask for."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause, with the criterion or alert it comes from."""

    code: str
    text: str
    severity: str = AT_RISK
    criterion: str = ""
    alert: str = ""

    def plain(self) -> dict[str, str]:
        return {"code": self.code, "text": self.text, "criterion": self.criterion, "alert": self.alert}


@dataclass(frozen=True, slots=True)
class Passed:
    """A gate that was passed, as it would be judged now."""

    row: GateAssurance
    facts: Facts
    result: GateResult
    at: datetime
    newest: bool
    """Whether it is the gate that the use case lives under."""
    approved: str | None
    """Id of the model version that was approved with it."""

    @property
    def decided_at(self) -> datetime:
        return self.row.decision.decided_at if self.row.decision else self.row.since


def reasons_for(passed: Passed) -> list[Reason]:
    """Everything that stands against the gate; empty when it would still be passed."""
    return [reason for kind in KINDS for reason in kind(passed)]


def state_for(reasons: Iterable[Reason]) -> str:
    return max((r.severity for r in reasons), key=WORST.__getitem__, default=IN_FORCE)


def _blocked(passed: Passed) -> Iterable[Reason]:
    return [Reason("blocked", text, REAPPROVAL) for text in blockers(passed.facts["profile"])]


def _criteria(passed: Passed) -> Iterable[Reason]:
    """Of earlier gates only what is positively not met counts, and what was excused and is not any more."""
    counted = {Outcome.NOT_MET, Outcome.STALE, Outcome.MISSING, Outcome.ERROR} if passed.newest else {Outcome.NOT_MET}
    ended = _ended_waivers(passed)
    for j in passed.result.judged:
        if not j.blocks or j.signs or j.criterion.once:
            continue
        said = f"{j.criterion.id} {j.criterion.title}: {j.finding.reason}"
        if j.criterion.id in ended:
            waiver = ended[j.criterion.id]
            text = f"Waiver {waiver['label']} {waiver['how']} on {day(waiver['ended'])}. {said}"
            yield Reason("waiver_ended", text, criterion=j.criterion.id)
        elif j.finding.outcome in counted:
            yield Reason(f"criterion_{j.finding.outcome}", said, criterion=j.criterion.id)


def _ended_waivers(passed: Passed) -> Mapping[str, Any]:
    """criterion -> the waiver that excused it at or after the decision and ended since."""
    found = passed.facts["past_waivers"].get(passed.row.gate, {})
    return {key: waiver for key, waiver in found.items() if waiver["ended"] > passed.decided_at}


def _alerts(passed: Passed) -> Iterable[Reason]:
    """Alerts that last: nobody has decided about them, or what was decided has not helped yet."""
    newest = {str(row["alert"]): row for row in passed.facts["breaches"]}
    for alert in passed.facts["alerts"] if passed.newest else ():
        key, row = str(alert["id"]), newest.get(str(alert["id"]))
        if row is not None and row["owed"]:
            yield Reason(UNDECIDED, f"{alert['message']} {_owed_words(row, passed.at)}", alert=key)
        elif not alert["decided"]:
            code = "silence" if alert["silence"] else f"alert_{alert['level']}"
            yield Reason(code, alert["message"], alert=key)
        elif alert["outcome"] != ACCEPTED:
            yield Reason("breach_lasts", f"{alert['message']} {_lasts_words(alert, row)}", alert=key)


def _breaches(passed: Passed) -> Iterable[Reason]:
    """Breaches that are over and whose decision is late: being over does not decide them."""
    for row in passed.facts["breaches"] if passed.newest else ():
        if row["owed"] and row["over"] and row["due_at"] <= passed.at:
            yield Reason(UNDECIDED, f"{row['message']} {_owed_words(row, passed.at)}", alert=str(row["alert"]))


def _owed_words(row: Mapping[str, Any], at: datetime) -> str:
    who = f" by {row['owes']}" if row["owes"] else ""
    if row["due_at"] <= at:
        return f"The decision {row['label']} is late: it was owed{who} until {day(row['due_at'])}."
    return f"The decision {row['label']} is owed{who} until {day(row['due_at'])}."


def _lasts_words(alert: Mapping[str, Any], row: Mapping[str, Any] | None) -> str:
    label = f" ({row['label']}, {day(row['decided_at'])})" if row is not None else ""
    return f"Decided: {alert['outcome'].replace('_', ' ')}{label}; the metric has not recovered yet."


def _tier(passed: Passed) -> Iterable[Reason]:
    review = passed.row.decision.review if passed.newest and passed.row.decision else None
    tier = passed.facts["profile"]["tier"]
    if review is not None and tier in RANK and RANK[tier] > RANK.get(review.tier, 2):
        yield Reason("tier_raised", f"The tier rose from {review.tier} to {tier} after the decision.", REAPPROVAL)


def _version(passed: Passed) -> Iterable[Reason]:
    live = passed.facts["models"]["live"]
    if passed.newest and passed.approved and live and str(live["id"]) != passed.approved and live["significant"]:
        text = f"Version {live['label']} is live, which is not the one that was approved."
        yield Reason("version_changed", text, REAPPROVAL)


def _owners(passed: Passed) -> Iterable[Reason]:
    held = passed.facts["people"]["holders"]
    for role in ("business_owner", "business_sponsor") if passed.newest else ():
        if not held.get(role):
            yield Reason("nobody_owns", f"Nobody holds the role {listed([role])} any more.")


def _conditions(passed: Passed) -> Iterable[Reason]:
    """What was owed with the very decision that passed this gate, and is not done by its day."""
    mine = [row for row in passed.facts["conditions"] if row["gate"] == passed.row.gate]
    return [Reason("condition_overdue", text) for text in overdue(mine, passed.at)]


def _reviews(passed: Passed) -> Iterable[Reason]:
    """A review that was called for and not held by its day: what was approved is no longer vouched for."""
    for call in passed.facts["review_calls"] if passed.newest else ():
        if call["due_at"] <= passed.at:
            text = f"A review is overdue since {day(call['due_at'])}: {call['text']}"
            yield Reason("review_overdue", text, REAPPROVAL)


KINDS: tuple[Callable[[Passed], Iterable[Reason]], ...] = (
    _blocked,
    _criteria,
    _alerts,
    _breaches,
    _tier,
    _version,
    _owners,
    _conditions,
    _reviews,
)
