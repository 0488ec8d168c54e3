"""Passed gates at risk, for the people who owe what puts them there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.access import for_user, grants_of, unit_grants
from accounts.models import User
from gates.in_force import rules_in_force
from gates.models import GateAssurance
from gates.policy import PolicyBody
from portfolio.work_item import WorkItem, WorkSource, work_sources

MOST = 200
OWED_BY = {
    "nobody_owns": ("portfolio_manager",),
    "version_changed": ("use_case_lead", "transition_owner"),
    "tier_raised": ("use_case_lead", "transition_owner"),
    "blocked": ("risk_compliance",),
    "review_overdue": ("use_case_lead", "transition_owner"),
    "condition_overdue": (),
    "breach_undecided": (),
}
"""Cause -> who settles it. A criterion is owed by the role that its policy names, an alert by the technical lead.

A condition and the decision after a breach have owners of their own, whose work list names them already."""
OTHERWISE = ("technical_lead",)


@work_sources.register
class AtRisk(WorkSource):
    """One item a gate with at least one reason that the person owes. Five queries, however many."""

    key = "assurance"
    title = gettext_lazy("Approvals at risk")
    order = 30

    def items(self, user: User) -> Iterator[WorkItem]:
        rows = GateAssurance.objects.exclude(state=GateAssurance.State.IN_FORCE).select_related("use_case__unit")
        found = list(for_user(rows, user, "use_case.view").order_by("due_at", "pk")[:MOST])
        if not found:
            return
        rules = rules_in_force()
        if not rules.policies:  # nothing is in force: nothing can be owed under it
            return
        direct = grants_of([row.use_case_id for row in found])
        for row in found:
            held = {role for who, role in direct.get(row.use_case_id, ()) if who == user.pk}
            path = row.use_case.unit.path
            held |= {code.removeprefix("role_") for code, above in unit_grants(user) if path.startswith(above)}
            _version, policy = rules.primary_at(path)
            owed = [reason for reason in row.reasons if held & set(owed_by(reason, row.gate, policy))]
            if owed:
                yield _item(row, owed)


def owed_by(reason: Mapping[str, Any], gate: str, policy: PolicyBody) -> tuple[str, ...]:
    """Roles that settle one reason."""
    if reason["criterion"] and gate in policy.gates:
        owner = next((c.owner for c in policy.gates[gate].criteria if c.id == reason["criterion"]), "")
        return (owner,) if owner else OTHERWISE
    return OWED_BY.get(reason["code"], OTHERWISE)


def _item(row: GateAssurance, owed: list[Mapping[str, Any]]) -> WorkItem:
    more = len(owed) - 1
    detail = owed[0]["text"]
    if more:
        detail += " " + ngettext("And %(more)s more.", "And %(more)s more.", more) % {"more": more}
    reapproval = row.state == GateAssurance.State.REAPPROVAL
    return WorkItem(
        title=_("Re-approval is required") if reapproval else _("Settle what puts an approval at risk"),
        url=reverse("portfolio:use_case_panel", args=[row.use_case.key, "gate"]),
        detail=detail,
        use_case_key=row.use_case.key,
        use_case_name=row.use_case.name,
        due_at=row.due_at,
        tone="blocked" if reapproval or row.escalated_at else "attention",
        verb=_("Settle"),
    )
