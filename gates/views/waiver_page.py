"""What the page of one waiver shows: what is excused, how it stands without it, who said so, what can be done."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import actions_on
from accounts.models import User
from accounts.roles import role_name
from gates.criterion import Outcome
from gates.in_force import policy_for
from gates.models import Waiver, WaiverVote
from gates.policy import Criterion, judged_tier
from gates.services.waiver_scenes import approvals, approvers_of, role_to_vote_in
from gates.standing import judge_now
from gates.waiving import covers, still_needed
from ledger import lookups, wording
from ledger.selectors import events_for

MOST_EVENTS = 40
STATES = {"approve": "signed", "refuse": "rejected"}


def waiver_context(waiver: Waiver, user: User) -> dict[str, Any]:
    """Everything the page and its steps show; a constant number of queries."""
    now = timezone.now()
    _version, policy = policy_for(waiver.use_case)
    gate = policy.gates.get(waiver.gate)
    criterion = next((c for c in gate.criteria if c.id == waiver.criterion), None) if gate else None
    votes = list(waiver.votes.select_related("person"))
    counted = approvals(waiver)
    may = actions_on(user, waiver.use_case)
    is_open = waiver.state == Waiver.State.REQUESTED
    role, why_not = role_to_vote_in(waiver, user) if is_open and "waiver.approve" in may else ("", "")
    renewal = waiver.__class__.objects.filter(renews=waiver).first()
    in_force = waiver.holds(now)
    needs = still_needed(waiver.tier, [v.role for v in counted]) if is_open else ""
    tiers = {"then": waiver.tier, "now": judged_tier(waiver.use_case.tier)}
    return {
        "now": now,
        "waiver": waiver,
        "use_case": waiver.use_case,
        "gate": gate,
        "criterion": criterion,
        "finding": _finding_now(waiver, criterion),
        "votes": [_vote(vote, counted) for vote in votes],
        "needs": needs,
        "needs_text": _("It needs %(what)s.") % {"what": needs} if needs else "",
        "approvers": [p for p in approvers_of(waiver.use_case) if p.pk != waiver.requested_by_id][:4]
        if is_open
        else [],
        "in_force": in_force,
        "expired": waiver.state == Waiver.State.APPROVED and waiver.expires_at <= now,
        "outgrown": in_force and not covers(waiver.tier, waiver.use_case.tier),
        "outgrown_text": _("It was granted at the %(then)s tier, and the tier is %(now)s now.") % tiers,
        "excused_text": _("The criterion is excused until %(day)s.") % {"day": f"{waiver.expires_at:%-d %b %Y}"},
        "renewal": renewal,
        "may_decide": bool(role),
        "why_not": why_not,
        "may_withdraw": is_open and user.pk == waiver.requested_by_id,
        "may_revoke": in_force and "waiver.approve" in may,
        "may_renew": _may_renew(waiver, renewal, criterion) and "waiver.request" in may,
        "events": _events(waiver),
    }


def _may_renew(waiver: Waiver, renewal: Waiver | None, criterion: Criterion | None) -> bool:
    granted = waiver.state == Waiver.State.APPROVED
    return granted and waiver.renews_id is None and renewal is None and criterion is not None


def _finding_now(waiver: Waiver, criterion: Criterion | None) -> Any:
    """How the criterion is found now, the waiver counted in."""
    if criterion is None:
        return None
    results = [r for r in judge_now(waiver.use_case, waiver.gate) if r.policy.primary]
    found = next((j.finding for r in results for j in r.judged if j.criterion.id == criterion.id), None)
    return {"state": str(found.outcome), "finding": found, "passes": found.outcome is Outcome.MET} if found else None


def _vote(vote: WaiverVote, counted: list[WaiverVote]) -> dict[str, Any]:
    lapsed = vote.verdict == WaiverVote.Verdict.APPROVE and vote.pk not in {v.pk for v in counted}
    note = vote.reason
    if lapsed and vote.waiver.state == Waiver.State.REQUESTED:
        note = _("This approval does not count any more: the person no longer holds the role. %(said)s") % {
            "said": vote.reason
        }
    return {"role": role_name(vote.role), "state": STATES[vote.verdict], "vote": vote, "note": note.strip()}


def _events(waiver: Waiver) -> list[dict[str, Any]]:
    """What was done about this waiver, newest first."""
    about = [str(waiver.pk), *(str(pk) for pk in waiver.votes.values_list("pk", flat=True))]
    found = events_for(use_case=waiver.use_case_id, since=waiver.requested_at)
    rows = list(found.filter(action__startswith="waiver.", subject_id__in=about)[:MOST_EVENTS])
    actors = lookups.names("actor", (event.actor_id for event in rows))
    return [
        {
            "text": wording.title(event.action),
            "at": event.at,
            "person": str(actors.get(str(event.actor_id), _("Tollgate"))),
            "machine": event.actor_kind != "person",
            "icon": "flag",
            "url": reverse("ledger:event", args=[event.index]),
            "note": event.note,
            "extra": f"#{event.index}",
        }
        for event in rows
    ]
