"""What a waiver can do and what it cannot, in pure functions: who has to approve it, and when it excuses a finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.dateparse import parse_datetime

from gates.criterion import Finding, Outcome, Ref, day
from gates.duties import BOARD
from gates.policy import Criterion, Gate, judged_tier

RANK = {"minimal": 0, "limited": 1, "high": 2}
APPROVERS = {"minimal": 1, "limited": 1, "high": 2}
"""How many different people approve a waiver."""
BOARD_DECIDES = frozenset({"high"})
"""Tiers on which one of the approvers signs for the board."""
MOST_DAYS = {"minimal": 365, "limited": 365, "high": 90}
RENEWAL_DAYS = 365
"""Asked for again within so many days of its end, it is a renewal, by whatever name."""


def most_days(rules: Mapping[str, int], tier: str) -> int:
    """The longest a waiver may run at a tier. A policy may shorten it, never lengthen it."""
    judged = judged_tier(tier)
    return min(rules.get(judged, MOST_DAYS[judged]), MOST_DAYS[judged])


def why_never(criterion: Criterion) -> str:
    """Why a criterion cannot be waived by anybody; empty when it can."""
    if criterion.type == "approval":
        return "An approval is given or refused; it cannot be waived."
    if not criterion.waivable:
        return "The policy lists this criterion among those that cannot be waived."
    return ""


def covers(waived_at: str, tier: str) -> bool:
    """Whether approvals given at one tier are enough at another."""
    return RANK[judged_tier(tier)] <= RANK[judged_tier(waived_at)]


def is_granted(tier: str, roles: Iterable[str]) -> bool:
    """Whether the approvals of different people in these roles grant a waiver at a tier."""
    given = list(roles)
    judged = judged_tier(tier)
    return len(given) >= APPROVERS[judged] and (judged not in BOARD_DECIDES or BOARD in given)


def still_needed(tier: str, roles: Iterable[str]) -> str:
    """In words, which approvals are missing; empty when none is."""
    given = list(roles)
    if is_granted(tier, given):
        return ""
    judged = judged_tier(tier)
    count = max(APPROVERS[judged] - len(given), 1)
    people = "one more approval" if count == 1 and given else "one approval" if count == 1 else f"{count} approvals"
    if judged in BOARD_DECIDES and BOARD not in given:
        return f"{people}, {'by' if count == 1 else 'one of them by'} a member of the AI governance board"
    return people


def excuse(criterion: Criterion, finding: Finding, waiver: Mapping[str, Any] | None, tier: str) -> Finding:
    """The finding as a waiver in force leaves it. What passes is never touched: a waiver says nothing about it."""
    if waiver is None or finding.outcome.passes:
        return finding
    never = why_never(criterion)
    if never or not covers(waiver["tier"], tier):
        because = never or f"it was granted at the {waiver['tier']} tier, and the tier is {judged_tier(tier)} now."
        reason = f"{finding.reason} Waiver {waiver['label']} does not hold: {because[:1].lower()}{because[1:]}"
        return Finding(finding.outcome, finding.observed, finding.required, reason, finding.evidence)
    names = " and ".join(waiver["approved_by"])
    without = str(finding.outcome).replace("_", " ")
    reason = (
        f"Waived until {day(waiver['expires_at'])} by {names}: {_sentence(waiver['reason'])} "
        f"Instead: {_sentence(waiver['compensating_control'])} Without the waiver: {without}. {finding.reason}"
    )
    refs = (Ref("waiver", str(waiver["number"]), waiver["label"]), *finding.evidence)
    return Finding(Outcome.WAIVED, finding.observed, finding.required, reason, refs, waiver["expires_at"])


def of_gate(waivers: Mapping[str, Any], gate: Gate | str) -> Mapping[str, Any]:
    """criterion -> waiver in force, of one gate."""
    key = gate if isinstance(gate, str) else gate.key
    found: Mapping[str, Any] = waivers.get(key, {})
    return found


def _sentence(text: str) -> str:
    found = " ".join(text.split())
    return found if found.endswith((".", "!", "?")) else f"{found}."


def frozen_waivers(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The waivers that a snapshot rests on, in the order of their criteria, for people to read."""
    held = (body["facts"].get("waivers") or {}).items()
    titles = {f["criterion"]: f["title"] for f in body["findings"]}
    return [
        {
            **waiver,
            "criterion": criterion,
            "title": titles.get(criterion, ""),
            "expires_at": parse_datetime(waiver["expires_at"]),
        }
        for criterion, waiver in sorted(held)
    ]
