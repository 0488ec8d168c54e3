"""What the page of one review shows: like a pull request, checks, reviewers, timeline and the box that closes it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.access import actions_on
from accounts.models import User
from accounts.roles import role_name
from gates.duties import BOARD, SlotState
from gates.models import Review
from gates.presenting import evidence_url, stored_rows
from gates.selectors import policy_of, snapshot_body, votes_of
from gates.services.decisions import readiness
from gates.services.scenes import Room, room_of
from ledger.selectors import events_for


def review_context(review: Review, user: User) -> dict[str, Any]:
    """Everything the review page and its steps show."""
    policy = policy_of(review)
    body = snapshot_body(review)
    room = room_of(review)
    ready = readiness(review, room, body) if review.is_open else None
    rows = [_finding(row, policy.gates[review.gate], review.use_case.key) for row in stored_rows(body["findings"])]
    may = actions_on(user, review.use_case) if review.is_open else frozenset()
    other = user.pk != review.submitted_by_id
    return {
        "review": review,
        "use_case": review.use_case,
        "policy": policy,
        "gate": policy.gates[review.gate],
        "snapshot": {**body, "taken_at": parse_datetime(body["taken_at"])},
        "findings": rows,
        "blocking": [row for row in rows if row["blocks"]],
        "slots": [_slot(s, room, user) for s in (ready.slots if ready else _closed_slots(room))],
        "lapsed": [v for v in votes_of(review) if v.lapsed_at],
        "readiness": ready,
        "roles_to_sign": roles_to_sign(review, user, room),
        "may_decide": other and "gate.record_decision" in may,
        "may_stop": other and "use_case.stop" in may,
        "may_withdraw": "gate.submit" in may,
        "decision": getattr(review, "decision", None),
        "kpis": _kpis(body),
        "changes": _since_last_round(review, body),
        "events": _events(review),
    }


def roles_to_sign(review: Review, user: User, room: Room | None = None) -> list[str]:
    """Roles in which the person may sign this review now."""
    if not review.is_open:
        return []
    seen = room or room_of(review)
    return [role for role in seen.scene.slots if not seen.refusal(user, role)]


def why_not_sign(review: Review, user: User) -> str:
    """In words, why there is no signature that the person may give."""
    if not review.is_open:
        return _("%(review)s is closed: nothing more can be signed on it.") % {"review": review}
    seen = room_of(review)
    asked = [role for role in seen.scene.slots if role in seen.held_by(user)]
    if reasons := [seen.refusal(user, role) for role in asked]:
        return " ".join(dict.fromkeys(reasons))
    if user.pk == review.submitted_by_id:
        return _("You cannot sign this: you submitted it (SOD-01).")
    names = ", ".join(role_name(role) for role in seen.scene.slots)
    return _("%(review)s asks for the signatures of: %(roles)s. You hold none of these roles here.") % {
        "review": review,
        "roles": names,
    }


def _events(review: Review) -> list[Any]:
    """What was done to this review, newest first."""
    about = Q(action__startswith="review.") | Q(action__startswith="sign_off.") | Q(action__startswith="decision.")
    found = events_for(use_case=review.use_case_id, since=review.submitted_at - timedelta(seconds=5))
    if review.closed_at is not None:
        found = found.filter(at__lte=review.closed_at + timedelta(seconds=5))
    return list(found.filter(about)[:40])


def _finding(row: dict[str, Any], gate: Any, use_case_key: str) -> dict[str, Any]:
    criterion = next((c for c in gate.criteria if c.id == row["criterion"]), None)
    evidence = [{"label": e["label"], "url": evidence_url(e["kind"], e["id"], use_case_key)} for e in row["evidence"]]
    passes = row["outcome"] in ("met", "waived", "not_applicable")
    return {
        **row,
        "title": f"{row['criterion']} {row['title']}",
        "owner": role_name(row["owner"]),
        "evidence": evidence,
        "question": criterion.question if criterion else "",
        "source": ", ".join(criterion.standards[:6]) if criterion else "",
        "blocks": row["mandatory"] and not passes,
    }


def _slot(slot: SlotState, room: Room, user: User) -> dict[str, Any]:
    people: tuple[User, ...] = ()
    note = slot.note
    if slot.state == "waiting":
        people = room.people.get(slot.role, ())[:4]
        if room.review.is_open and slot.role in room.held_by(user):
            note = room.refusal(user, slot.role) or note
        if not people:
            note = _("Nobody holds this role here yet.")
    return {"slot": slot, "votes": slot.votes, "people": people, "note": note, "board": slot.role == BOARD}


def _closed_slots(room: Room) -> tuple[SlotState, ...]:
    """Of a closed review: who signed, not whether that would be enough today."""
    found = []
    for role in room.scene.slots:
        cast = tuple(v for v in room.votes if v.role == role)
        state = "signed" if cast else "waiting"
        if any(v.verdict == "reject" for v in cast):
            state = "rejected"
        found.append(SlotState(role, role_name(role), state, cast))
    return tuple(found)


def _kpis(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Promised against measured, as frozen."""
    found = []
    for kpi in body["facts"].get("kpis") or []:
        newest = kpi["measurements"][-1] if kpi["measurements"] else None
        found.append(
            {
                **kpi,
                "measured": newest["value"] if newest else None,
                "measured_at": newest["window_end"] if newest else "",
            }
        )
    return found


def _since_last_round(review: Review, body: dict[str, Any]) -> list[dict[str, str]]:
    """Criteria whose outcome differs from the round or snapshot before."""
    before = review.snapshots.exclude(digest=review.digest).order_by("-taken_at").first()
    if before is None and review.previous_id:
        before = review.previous.snapshots.order_by("-taken_at").first() if review.previous else None
    if before is None:
        return []
    old = {row["criterion"]: row["outcome"] for row in json.loads(before.body)["findings"]}
    return [
        {"name": f"{row['criterion']} {row['title']}", "before": old[row["criterion"]], "after": row["outcome"]}
        for row in body["findings"]
        if row["criterion"] in old and old[row["criterion"]] != row["outcome"]
    ]
