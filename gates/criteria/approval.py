"""The required signatures exist for the same frozen snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _

from accounts.roles import catalogue, role_name
from gates.criterion import (
    Ask,
    CriterionType,
    Facts,
    Finding,
    Ref,
    aged,
    criterion_types,
    listed,
    met,
    missing,
    not_met,
)
from gates.duties import BOARD
from gates.quorum import Board, count


@dataclass(frozen=True, slots=True)
class Params:
    """
    matrix: Signatures of the approval matrix on this review; name the matrix (`tier`, or the gate).
    roles: With `of`: the roles whose approval counts.
    of: What is approved instead of the review: `data_access_request`.
    outcomes: What the decision may say, shown to the signers.
    """

    matrix: str = ""
    roles: tuple[str, ...] = ()
    of: Literal["", "data_access_request"] = ""
    outcomes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.matrix) == bool(self.of):
            raise ValueError("give either 'matrix' or 'of' with 'roles'")
        for key in self.roles:
            if key not in catalogue().roles:
                raise ValueError(f"unknown role {key!r}")


@criterion_types.register
class Approval(CriterionType[Params]):
    key = "approval"
    label = _("Approval")
    passes_when = _(
        "All roles of the approval matrix signed the same snapshot, or the named role approved the request."
    )
    accepts = Params
    place = "gate"
    needs = ("signatures", "controls", "changes")
    signs = True

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        return self._request(ask, facts, at) if ask.params.of else self._matrix(ask, facts, at)

    def remedy(self, ask: Ask[Params]) -> str:
        if ask.params.of:
            return f"Request access to the data; {listed(role_name(k) for k in ask.params.roles)} decides."
        return "Submit the review; each role of the approval matrix then signs."

    def _matrix(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        review = (facts["signatures"] or {}).get(ask.gate)
        if not review:
            return missing(ask, required="all roles of the matrix", reason="No review has been submitted.")
        roles = [slot["role"] for slot in review["slots"]]
        states = {role: _state(role, review) for role in roles}
        required = f"signed by {listed(role_name(key) for key in roles)}"
        observed = f"{sum(1 for state in states.values() if state == 'signed')} of {len(roles)} signed"
        refused = [role for role in roles if states[role] == "rejected"]
        if refused:
            reason = f"Rejected by {listed(role_name(key) for key in refused)}."
            return not_met(ask, observed=observed, required=required, reason=reason)
        waiting = [role for role in roles if states[role] == "waiting"]
        if waiting:
            reason = f"Waiting for {listed(role_name(key) for key in waiting)}."
            return missing(ask, observed=observed, required=required, reason=reason)
        finding = met(ask, observed=observed, required=required, reason="All required roles signed.")
        return aged(ask, finding, facts, review["signed_at"] or review["submitted_at"], at, what="The approval")

    def _request(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        requests = facts["controls"]["data_access"]
        required = f"approved by {listed(role_name(key) for key in ask.params.roles)}"
        if not requests:
            return missing(ask, required=required, reason="No access to data has been requested.")
        newest = requests[-1]
        ref = (Ref("data_access_request", str(newest["id"]), newest["purpose"][:80]),)
        if newest["state"] == "open" or newest["decided_at"] is None or newest["decided_at"] > at:
            return missing(
                ask, observed="open", required=required, reason="The request is not decided yet.", evidence=ref
            )
        if newest["state"] == "refused" or newest["decided_role"] not in ask.params.roles:
            return not_met(
                ask,
                observed=newest["state"],
                required=required,
                reason="Access was not approved by that role.",
                evidence=ref,
            )
        finding = met(
            ask,
            observed="approved",
            required=required,
            reason="Access is approved.",
            evidence=ref,
            valid_until=newest["valid_until"],
        )
        return aged(ask, finding, facts, newest["decided_at"], at, what="The approval")


def _state(role: str, review: Mapping[str, Any]) -> str:
    """How far one signature is. The board's is counted where its members are known; what is decided stays decided."""
    votes = review["votes"].get(role, [])
    against = sum(1 for verdict in votes if verdict == "reject")
    if role != BOARD:
        return "waiting" if not votes else "rejected" if against else "signed"
    if review["state"] == "decided":
        return "waiting" if not votes else "signed" if 2 * against <= len(votes) else "rejected"
    if "board" in review:
        return str(review["board"])
    return count(Board(), [_Verdict(verdict) for verdict in votes]).state


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A vote of which only the verdict is known."""

    verdict: str
    person_id: None = None
