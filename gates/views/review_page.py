"""What the page of one review shows: like a pull request, checks, reviewers, timeline and the box that closes it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.access import actions_on
from accounts.models import User
from accounts.roles import role_name
from gates.breach_reading import breaches_of
from gates.differences import Difference, fact_differences
from gates.dossier import Preview, costs_of, issues_of, kpis_of, previews_of, risks_of, rounds_before
from gates.duties import BOARD, SlotState
from gates.forms import CommentForm
from gates.models import Condition, Review
from gates.owed import conditions_of
from gates.presenting import evidence_url, stored_rows
from gates.selectors import policy_of, snapshot_body, votes_of
from gates.services.boards.reading import minutes_about
from gates.services.decisions import readiness
from gates.services.scenes import Room, room_of
from gates.waiving import frozen_waivers
from ledger import lookups, wording
from ledger.selectors import events_for

ABOUT = ("review", "sign_off", "decision", "condition", "waiver", "recusal", "agenda_item")
MOST_EVENTS = 60


def review_context(review: Review, user: User, room: Room | None = None) -> dict[str, Any]:
    """Everything the review page and its steps show."""
    policy = policy_of(review)
    body = snapshot_body(review)
    room = room or room_of(review)
    ready = readiness(review, room, body) if review.is_open else None
    previews = previews_of(body["findings"], review.use_case.key)
    gate = policy.gates[review.gate]
    rows = [_finding(row, gate, review.use_case.key, previews) for row in stored_rows(body["findings"])]
    before = _body_before(review)
    may = actions_on(user, review.use_case) if review.is_open else frozenset()
    other = user.pk != review.submitted_by_id
    return {
        "review": review,
        "use_case": review.use_case,
        "policy": policy,
        "gate": policy.gates[review.gate],
        "snapshot": {**body, "taken_at": parse_datetime(body["taken_at"])},
        "findings": rows,
        "finding_groups": _groups(rows),
        "blocking": [row for row in rows if row["blocks"]],
        "slots": [_slot(s, room, user) for s in (ready.slots if ready else _closed_slots(room))],
        "lapsed": [v for v in votes_of(review) if v.lapsed_at],
        "readiness": ready,
        "roles_to_sign": roles_to_sign(review, user, room),
        "may_decide": other and "gate.record_decision" in may,
        "may_stop": other and "use_case.stop" in may,
        "may_withdraw": "gate.submit" in may,
        "decision": getattr(review, "decision", None),
        "kpis": kpis_of(body),
        "costs": costs_of(body),
        "risks": risks_of(body),
        "issues": issues_of(body),
        "outcome_changes": _outcome_changes(before, body),
        "fact_changes": _fact_groups(fact_differences(before, body)) if before else [],
        "waivers": frozen_waivers(body),
        "conditions": _conditions(review),
        "breaches": breaches_of(review.use_case),
        "minutes": minutes_about(review),
        "rounds": rounds_before(review),
        "comments": list(review.comments.select_related("author")),
        "comment_form": CommentForm(criteria=criteria_choices(review)),
        "events": _events(review),
    }


def _conditions(review: Review) -> list[Condition]:
    """What the decision of this review imposed, and what the use case still owes from earlier ones."""
    found = conditions_of(review.use_case)
    return [row for row in found if row.is_owed or row.decision.review_id == review.pk]


def criteria_choices(review: Review) -> list[tuple[str, str]]:
    """The criteria of a review's gate, for a comment to be about."""
    return [(c.id, f"{c.id} {c.title}") for c in policy_of(review).gates[review.gate].criteria]


def roles_to_sign(review: Review, user: User, room: Room | None = None) -> list[str]:
    """Roles in which the person may sign this review now."""
    if not review.is_open:
        return []
    seen = room or room_of(review)
    return [role for role, _giver in seen.capacities(user)]


def why_not_sign(review: Review, user: User) -> str:
    """In words, why there is no signature that the person may give."""
    if not review.is_open:
        return _("%(review)s is closed: nothing more can be signed on it.") % {"review": review}
    seen = room_of(review)
    asked = [role for role in seen.scene.slots if role in seen.held_by(user)]
    reasons = [seen.refusal(user, role) for role in asked]
    reasons += [seen.refusal(user, d.role, d.giver) for d in seen.scene.stand_ins if d.stand_in_id == user.pk]
    if reasons := [reason for reason in reasons if reason]:
        return " ".join(dict.fromkeys(reasons))
    if user.pk == review.submitted_by_id:
        return _("You cannot sign this: you submitted it (SOD-01).")
    names = ", ".join(role_name(role) for role in seen.scene.slots)
    return _("%(review)s asks for the signatures of: %(roles)s. You hold none of these roles here.") % {
        "review": review,
        "roles": names,
    }


def _events(review: Review) -> list[dict[str, Any]]:
    """What was done about this review, newest first, by whom."""
    about = Q()
    for noun in ABOUT:
        about |= Q(action__startswith=f"{noun}.")
    found = events_for(use_case=review.use_case_id, since=review.submitted_at - timedelta(seconds=5))
    if review.closed_at is not None:
        found = found.filter(at__lte=review.closed_at + timedelta(seconds=5))
    rows = list(found.filter(about)[:MOST_EVENTS])
    actors = lookups.names("actor", (event.actor_id for event in rows))
    return [
        {
            "text": wording.title(event.action),
            "at": event.at,
            "person": str(actors.get(str(event.actor_id), _("Tollgate"))),
            "machine": event.actor_kind != "person",
            "icon": wording.icon(event.action, event.actor_kind),
            "url": reverse("ledger:event", args=[event.index]),
            "note": event.note,
            "extra": f"#{event.index}",
        }
        for event in rows
    ]


def _finding(
    row: dict[str, Any], gate: Any, use_case_key: str, previews: dict[tuple[str, str], Preview]
) -> dict[str, Any]:
    criterion = next((c for c in gate.criteria if c.id == row["criterion"]), None)
    seen = [(e, previews.get((e["kind"], e["id"]))) for e in row["evidence"]]
    evidence = [
        {"label": e["label"], "url": evidence_url(e["kind"], e["id"], use_case_key)}
        for e, preview in seen
        if not preview
    ]
    passes = row["outcome"] in ("met", "waived", "not_applicable")
    return {
        **row,
        "title": f"{row['criterion']} {row['title']}",
        "owner": role_name(row["owner"]),
        "evidence": evidence,
        "previews": [preview for _ref, preview in seen if preview],
        "question": criterion.question if criterion else "",
        "source": ", ".join(criterion.standards[:6]) if criterion else "",
        "blocks": row["mandatory"] and not passes,
        "passes": passes,
    }


def _slot(slot: SlotState, room: Room, user: User) -> dict[str, Any]:
    people: tuple[User, ...] = ()
    note = slot.note
    if slot.state == "waiting":
        people = room.people.get(slot.role, ())[:4]
        if room.review.is_open and slot.role in room.held_by(user):
            note = room.refusal(user, slot.role) or note
        note = " ".join(filter(None, [note, *_who_is_away(slot, room)]))
        if not people:
            note = _("Nobody holds this role here yet.")
    return {"slot": slot, "votes": slot.votes, "people": people, "note": note, "board": slot.role == BOARD}


def _who_is_away(slot: SlotState, room: Room) -> list[str]:
    """Who of those waited for is away until when, and who may sign in their place."""
    if not room.review.is_open:
        return []
    found = []
    standing = {d.giver_id: d for d in room.standing_in(slot.role)}
    for person in room.people.get(slot.role, ()):
        absence, delegation = (room.away or {}).get(person.pk), standing.get(person.pk)
        until = absence.ends_on if absence else None
        if delegation is not None:
            said = {"name": person, "stand_in": delegation.stand_in, "day": f"{until:%-d %b %Y}" if until else ""}
            away = _("%(name)s is away until %(day)s; %(stand_in)s may sign in their place.")
            here = _("%(stand_in)s may sign in the place of %(name)s.")
            found.append((away if until else here) % said)
        elif absence is not None:
            said = {"name": person, "day": f"{absence.ends_on:%-d %b %Y}", "stand_in": absence.stand_in}
            named = _("%(name)s is away until %(day)s; ask %(stand_in)s.")
            found.append((named if absence.stand_in else _("%(name)s is away until %(day)s.")) % said)
    return found


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


def _groups(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Findings as a signer reads them: what stands against passing is open, what is met waits behind one press."""
    kinds = (
        ("blocking", _("Stands against passing"), lambda r: r["blocks"]),
        ("advisory", _("Advice that is not met: to be acknowledged"), lambda r: not r["passes"] and not r["blocks"]),
        ("waived", _("Excused by a waiver"), lambda r: r["outcome"] == "waived"),
        ("met", _("Met"), lambda r: r["outcome"] == "met"),
        ("other", _("Does not apply here"), lambda r: r["outcome"] == "not_applicable"),
    )
    groups = [{"key": key, "title": title, "rows": [r for r in rows if belongs(r)]} for key, title, belongs in kinds]
    return [{**group, "open": group["key"] != "other"} for group in groups if group["rows"]]


def _body_before(review: Review) -> dict[str, Any] | None:
    """The snapshot to compare with: the one this review had before, else the last one of the round before."""
    before = review.snapshots.exclude(digest=review.digest).order_by("-taken_at").first()
    if before is None and review.previous is not None:
        before = review.previous.snapshots.filter(digest=review.previous.digest).first()
    if before is None:
        return None
    found: dict[str, Any] = json.loads(before.body)
    return found


def _outcome_changes(before: dict[str, Any] | None, body: dict[str, Any]) -> list[dict[str, str]]:
    """Criteria whose outcome differs from the round or snapshot before."""
    if before is None:
        return []
    old = {row["criterion"]: row["outcome"] for row in before["findings"]}
    return [
        {
            "name": f"{row['criterion']} {row['title']}",
            "before": _said(old[row["criterion"]]),
            "after": _said(row["outcome"]),
        }
        for row in body["findings"]
        if row["criterion"] in old and old[row["criterion"]] != row["outcome"]
    ]


def _said(outcome: str) -> str:
    return outcome.replace("_", " ")


def _fact_groups(changes: list[Difference]) -> list[dict[str, Any]]:
    found: dict[str, list[Difference]] = {}
    for change in changes:
        found.setdefault(change.group, []).append(change)
    return [{"title": title, "changes": rows} for title, rows in found.items()]
