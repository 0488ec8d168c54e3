"""The decision pack: everything that a decision rests on, in one file that proves itself.

Texts that were hashed are carried exactly as hashed, so that ``sha256`` of the text is the digest that people signed.
docs/decision-pack.md describes the parts and how to recompute them; ``tollgate verify-pack`` does it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from accounts.roles import role_name
from gates.models import BreachDecision, Condition, Decision, Meeting, Review, SignOff, Waiver
from gates.packs.minutes import minutes_of
from gates.policy import PolicyBody
from gates.selectors import policy_of
from gates.snapshots import plain_form
from kernel.canonical import canonical_bytes, digest, plain
from kernel.errors import Conflict
from ledger.models import Event

FORMAT = "tollgate.decision-pack"
VERSION = 1


def decision_pack(review: Review) -> dict[str, Any]:
    """The pack of a decided review as plain JSON; ``digest`` is over all the rest. ``Conflict`` before the decision."""
    decision = getattr(review, "decision", None)
    if decision is None:
        raise Conflict(f"{review} is not decided yet.", hint="A decision pack is made of a decided review.")
    policy = policy_of(review)
    snapshots = list(review.snapshots.order_by("taken_at"))
    signed = next(s for s in snapshots if s.digest == decision.digest)
    votes = list(review.sign_offs.select_related("person", "on_behalf_of").order_by("signed_at"))
    stood = [v for v in votes if _stood(v, decision)]
    body = json.loads(signed.body)
    pack: dict[str, Any] = {
        "format": FORMAT,
        "v": VERSION,
        "review": _review(review, policy),
        "snapshot": {"digest": signed.digest, "taken_at": signed.taken_at, "text": signed.body},
        "decision": _decision(decision),
        "policy": _policy(review, policy),
        "sign_offs": [_vote(v) for v in stood],
        "lapsed": [_vote(v) for v in votes if v not in stood],
        "dissent": [_vote(v) for v in stood if v.verdict == SignOff.Verdict.REJECT],
        "conditions": [_condition(c) for c in decision.conditions.select_related("owner", "closed_by")],
        "waivers": [_waiver(w) for w in _waivers(review, decision)],
        "breaches": [_breach(b) for b in _breaches(review, decision)],
        "minutes": [minutes_of(item.meeting) for item in _minuted(review)],
        "evidence": evidence_in(body),
        "earlier_snapshots": [
            {"digest": s.digest, "taken_at": s.taken_at, "replaced_because": s.replaced_because, "text": s.body}
            for s in snapshots
            if s.pk != signed.pk
        ],
        "previous_rounds": list(_rounds(review)),
        "ledger": {"events": _events(review, decision, votes)},
    }
    whole = plain(pack)
    assert isinstance(whole, dict)
    return {**whole, "digest": digest(whole)}


def pack_bytes(pack: dict[str, Any]) -> bytes:
    """The file: canonical JSON in UTF-8."""
    return canonical_bytes(pack)


def evidence_in(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Every row that a finding of a snapshot rests on, once, with the criteria it serves."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for finding in body["findings"]:
        for ref in finding["evidence"]:
            entry = found.setdefault((ref["kind"], ref["id"]), {**ref, "criteria": []})
            if finding["criterion"] not in entry["criteria"]:
                entry["criteria"].append(finding["criterion"])
    return sorted(found.values(), key=lambda e: (e["criteria"][0], e["label"], e["id"]))


def _review(review: Review, policy: PolicyBody) -> dict[str, Any]:
    case = review.use_case
    return {
        "number": review.number,
        "label": str(review),
        "use_case": {"key": case.key, "name": case.name, "unit": case.unit.name},
        "gate": {"key": review.gate, "title": policy.gates[review.gate].title},
        "tier": review.tier,
        "round": review.round,
        "state": review.state,
        "message": review.message,
        "submitted_by": _person(review.submitted_by),
        "submitted_at": review.submitted_at,
        "closed_at": review.closed_at,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "digest": decision.body_digest,
        "outcome": decision.outcome,
        "outcome_name": str(decision.get_outcome_display()),
        "reason": decision.reason,
        "reason_code": decision.reason_code,
        "plan": decision.plan,
        "decided_by": _person(decision.decided_by),
        "decided_at": decision.decided_at,
        "text": decision.body,
    }


def _policy(review: Review, policy: PolicyBody) -> dict[str, Any]:
    """``data`` is the canonical text that the policy's digest is over, ``text`` what its owners wrote."""
    return {
        "key": policy.key,
        "title": policy.title,
        "version": policy.version,
        "digest": policy.digest,
        "data": canonical_bytes(plain_form(policy.data)).decode(),
        "text": review.policy_version.text,
    }


def _vote(vote: SignOff) -> dict[str, Any]:
    return {
        "id": vote.pk,
        "role": vote.role,
        "role_name": role_name(vote.role),
        "person": {"id": vote.person_id, "name": vote.signer_name},
        "on_behalf_of": _person(vote.on_behalf_of) if vote.on_behalf_of else None,
        "verdict": vote.verdict,
        "verdict_name": str(vote.get_verdict_display()),
        "meaning": vote.meaning,
        "reason": vote.reason,
        "method": vote.method,
        "signed_at": vote.signed_at,
        "digest": vote.digest,
        "lapsed_at": vote.lapsed_at,
        "lapsed_because": vote.lapsed_because,
    }


def _stood(vote: SignOff, decision: Decision) -> bool:
    """Whether it counted at the decision; a return lets votes lapse with it."""
    return vote.digest == decision.digest and (vote.lapsed_at is None or vote.lapsed_at >= decision.decided_at)


def _condition(condition: Condition) -> dict[str, Any]:
    return {
        "position": condition.position,
        "text": condition.text,
        "scope": condition.scope,
        "owner": _person(condition.owner),
        "due_on": condition.due_on,
        "evidence_wanted": condition.evidence_wanted,
        "state": condition.state,
        "state_name": str(condition.get_state_display()),
        "closed_by": _person(condition.closed_by) if condition.closed_by else None,
        "closed_at": condition.closed_at,
    }


def _waivers(review: Review, decision: Decision) -> list[Waiver]:
    """Waivers of this gate that held when it was decided."""
    rows = Waiver.objects.filter(use_case=review.use_case, gate=review.gate, settled_at__lte=decision.decided_at)
    found = rows.select_related("requested_by").prefetch_related("votes__person").order_by("number")
    return [w for w in found if w.holds(decision.decided_at)]


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "number": waiver.number,
        "label": str(waiver),
        "criterion": waiver.criterion,
        "reason": waiver.reason,
        "compensating_control": waiver.compensating_control,
        "requested_by": _person(waiver.requested_by),
        "approved_by": [
            {**_person(v.person), "role": v.role, "at": v.given_at}
            for v in waiver.votes.all()
            if v.verdict == "approve"
        ],
        "settled_at": waiver.settled_at,
        "expires_at": waiver.expires_at,
    }


def _breaches(review: Review, decision: Decision) -> Iterable[BreachDecision]:
    """What had been decided after breaches of the system by then."""
    rows = BreachDecision.objects.filter(use_case=review.use_case, decided_at__lte=decision.decided_at)
    rows = rows.filter(state=BreachDecision.State.DECIDED)
    return rows.select_related("alert", "proposed_by", "decided_by").order_by("number")


def _breach(row: BreachDecision) -> dict[str, Any]:
    return {
        "label": str(row),
        "message": row.alert.message,
        "outcome": row.outcome,
        "outcome_name": str(row.get_outcome_display()),
        "reason": row.reason,
        "accepted_until": row.accepted_until,
        "proposed_by": _person(row.proposed_by) if row.proposed_by else None,
        "decided_by": _person(row.decided_by) if row.decided_by else None,
        "decided_at": row.decided_at,
        "facts": row.facts,
        "facts_digest": row.digest,
    }


def _minuted(review: Review) -> Iterable[Any]:
    """Items of closed meetings that talked about the review."""
    rows = review.agenda_items.filter(meeting__state=Meeting.State.CLOSED)
    return rows.select_related("meeting__chair").order_by("meeting__closed_at")


def _rounds(review: Review) -> Iterable[dict[str, Any]]:
    """Earlier attempts at the same gate, the newest first."""
    rows = Review.objects.filter(use_case_id=review.use_case_id, gate=review.gate, submitted_at__lt=review.submitted_at)
    for earlier in rows.select_related("decision").order_by("-submitted_at")[:20]:
        decision = getattr(earlier, "decision", None)
        yield {
            "number": earlier.number,
            "round": earlier.round,
            "state": earlier.state,
            "submitted_at": earlier.submitted_at,
            "digest": earlier.digest,
            "outcome": decision.outcome if decision else None,
            "reason": decision.reason if decision else "",
            "decision_digest": decision.body_digest if decision else None,
        }


def _events(review: Review, decision: Decision, votes: Iterable[SignOff]) -> list[dict[str, Any]]:
    """What the ledger says of the review, its sign-offs and its decision: body and leaf hash (RFC 6962)."""
    keys = [str(review.pk), str(decision.pk), *(str(v.pk) for v in votes)]
    about = Q(subject_type="gates.review") | Q(subject_type="gates.decision") | Q(subject_type="gates.signoff")
    rows = Event.objects.filter(about, subject_id__in=keys).order_by("index")
    names = ("index", "action", "body", "leaf_hash")
    return [dict(zip(names, row, strict=True)) for row in rows.values_list(*names)]


def _person(person: Any) -> dict[str, Any]:
    return {"id": person.pk, "name": person.full_name}
