"""What the PDFs say: a decision pack and the minutes of a meeting in words, from the same data as the files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gates.criterion import Outcome
from gates.models import Meeting
from gates.packs.decision import evidence_in
from gates.packs.documents import moment, render_pdf
from gates.packs.minutes import minutes_of
from gates.presenting import stored_rows
from gates.services.boards.reading import Item, seats_of

TONES = {"go": "met", "go_with_conditions": "attention", "return": "attention", "pivot": "attention"}
GROUPS = (
    (Outcome.ERROR, "Error", "blocked"),
    (Outcome.NOT_MET, "Not met", "blocked"),
    (Outcome.STALE, "Stale", "attention"),
    (Outcome.MISSING, "Missing", "attention"),
    (Outcome.WAIVED, "Waived", "attention"),
    (Outcome.MET, "Met", "met"),
    (Outcome.NOT_APPLICABLE, "Not applicable", "neutral"),
)


def pack_pdf(pack: Mapping[str, Any]) -> bytes:
    """The decision pack on paper."""
    at = datetime.fromisoformat(pack["decision"]["decided_at"])
    return render_pdf("decision", pack_words(pack), at=at)


def pack_words(pack: Mapping[str, Any]) -> dict[str, Any]:
    """What the template sets, from the JSON pack."""
    review, decision, policy = pack["review"], pack["decision"], pack["policy"]
    body = json.loads(pack["snapshot"]["text"])
    findings = stored_rows(body["findings"])
    passed = sum(1 for f in findings if f["mandatory"] and f["outcome"] in ("met", "waived"))
    asked = sum(1 for f in findings if f["mandatory"] and f["outcome"] != "not_applicable")
    return {
        "label": review["label"],
        "digest": pack["snapshot"]["digest"],
        "tail": f"{review['label']} · snapshot {pack['snapshot']['digest'][:16]} · decision {decision['digest'][:16]}",
        "use_case": f"{review['use_case']['key']} {review['use_case']['name']}",
        "gate": f"{review['gate']['title']} · {review['use_case']['unit']} · {review['tier']} tier",
        "outcome": decision["outcome_name"],
        "tone": TONES.get(decision["outcome"], "blocked"),
        "decided_by": decision["decided_by"]["name"],
        "decided_at": moment(decision["decided_at"]),
        "reason": decision["reason"],
        "plan": [{"name": _words(key), "text": str(text)} for key, text in decision["plan"].items()],
        "facts": [
            ("Review", f"{review['label']}, round {review['round']}", False),
            ("Submitted", f"{review['submitted_by']['name']}, {moment(review['submitted_at'])}", False),
            ("Facts frozen", moment(pack["snapshot"]["taken_at"]), False),
            ("Policy", f"{policy['title']} {policy['version']}", False),
            *([("Message", review["message"], False)] if review["message"] else []),
        ],
        "votes": [_vote(v) for v in pack["sign_offs"]],
        "dissent": [_vote(v) for v in pack["dissent"]],
        "lapsed": [_vote(v) for v in pack["lapsed"]],
        "conditions": [_condition(c) for c in pack["conditions"]],
        "waivers": [_waiver(w) for w in pack["waivers"]],
        "breaches": [_breach(b) for b in pack["breaches"]],
        "counted": f"{passed} of {asked} mandatory criteria passed, frozen on {moment(pack['snapshot']['taken_at'])}.",
        "findings": list(_grouped(findings)),
        "evidence": [
            {**e, "kind": _words(e["kind"]).lower(), "criteria": ", ".join(e["criteria"])} for e in evidence_in(body)
        ],
        "minutes": [_minutes(m, review["number"]) for m in pack["minutes"]],
        "rounds": [
            {
                "label": f"R-{r['number']}, round {r['round']}:",
                "state": _words(r["outcome"] or r["state"]).lower(),
                "at": moment(r["submitted_at"]),
                "reason": r["reason"],
            }
            for r in pack["previous_rounds"]
        ],
        "digests": [
            ("Pack (JSON)", pack["digest"]),
            ("Snapshot", pack["snapshot"]["digest"]),
            ("Decision", decision["digest"]),
            ("Policy", policy["digest"]),
        ],
    }


def _breach(row: dict[str, Any]) -> dict[str, Any]:
    until = f" until {row['accepted_until']}" if row["accepted_until"] else ""
    people = [p["name"] for p in (row["proposed_by"], row["decided_by"]) if p]
    return {
        "label": row["label"],
        "message": row["message"],
        "decided": f"{row['outcome_name']}{until}",
        "reason": row["reason"],
        "who": f"{' and '.join(people) or 'covered by an acceptance'}, {moment(row['decided_at'])}",
    }


def minutes_pdf(meeting: Meeting, items: Iterable[Item]) -> bytes:
    """The minutes of a closed meeting on paper."""
    assert meeting.closed_at is not None
    return render_pdf("minutes", minutes_words(meeting, items), at=meeting.closed_at)


def minutes_words(meeting: Meeting, items: Iterable[Item]) -> dict[str, Any]:
    seats = seats_of(meeting)
    kept = minutes_of(meeting)
    return {
        "label": str(meeting),
        "digest": meeting.minutes_digest,
        "tail": f"{meeting} · minutes {meeting.minutes_digest[:16]}",
        "title": meeting.title,
        "lead": f"{moment(meeting.starts_at)}{' · ' + meeting.place if meeting.place else ''}",
        "facts": [
            ("Meeting", str(meeting), False),
            ("Chair", meeting.chair.full_name, False),
            ("Opened", moment(meeting.opened_at), False),
            ("Closed", moment(meeting.closed_at), False),
            ("Digest", kept["digest"], True),
        ],
        "people": [{"name": s.person.full_name, "chair": s.chairs} for s in seats if s.present],
        "absent": ", ".join(s.person.full_name for s in seats if not s.present),
        "minutes": meeting.minutes,
        "items": [_item(item) for item in items],
    }


def _item(item: Item) -> dict[str, Any]:
    decision = item.decision
    return {
        "position": item.row.position,
        "label": str(item.review),
        "use_case": item.review.use_case.name,
        "gate": item.gate,
        "digest": item.review.digest,
        "minutes": item.row.minutes,
        "votes": [
            {
                "name": v.signer_name,
                "verdict": str(v.get_verdict_display()),
                "tone": _tone(v.verdict),
                "reason": v.reason,
            }
            for v in item.votes
        ],
        "count": f"{sum(1 for v in item.votes if v.verdict != 'reject')} for, "
        f"{sum(1 for v in item.votes if v.verdict == 'reject')} against"
        if item.votes
        else "",
        "recused": [{"name": a.person.full_name, "reason": a.reason} for a in item.absent],
        "outcome": str(decision.get_outcome_display()) if decision else "",
        "tone": TONES.get(decision.outcome, "blocked") if decision else "neutral",
        "reason": decision.reason if decision else "",
    }


def _vote(vote: Mapping[str, Any]) -> dict[str, Any]:
    lapsed = f"lapsed {moment(vote['lapsed_at'])}: {vote['lapsed_because']}" if vote["lapsed_at"] else ""
    return {
        "name": vote["person"]["name"],
        "role": vote["role_name"],
        "on_behalf_of": vote["on_behalf_of"]["name"] if vote["on_behalf_of"] else "",
        "at": moment(vote["signed_at"]),
        "verdict": vote["verdict_name"],
        "tone": "neutral" if lapsed else _tone(vote["verdict"]),
        "meaning": vote["meaning"],
        "reason": vote["reason"],
        "method": vote["method"],
        "digest": vote["digest"][:32],
        "lapsed": lapsed,
    }


def _tone(verdict: str) -> str:
    return {"approve": "met", "reject": "blocked"}.get(verdict, "attention")


def _condition(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("position", "text", "scope")},
        "owner": row["owner"]["name"],
        "due": row["due_on"],
        "evidence": row["evidence_wanted"],
        "state": row["state_name"],
        "tone": {"closed": "met", "dropped": "neutral"}.get(row["state"], "attention"),
    }


def _waiver(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("label", "criterion", "reason")},
        "control": row["compensating_control"],
        "expires": moment(row["expires_at"]),
        "requested_by": row["requested_by"]["name"],
        "approved_by": ", ".join(v["name"] for v in row["approved_by"]),
    }


def _grouped(findings: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for outcome, name, tone in GROUPS:
        rows = [
            {name: f[name] for name in ("criterion", "title", "mandatory", "reason", "observed", "required")}
            for f in findings
            if f["outcome"] == outcome
        ]
        if rows:
            yield {"name": name, "tone": tone, "rows": rows}


def _minutes(row: Mapping[str, Any], review: int) -> dict[str, Any]:
    body = json.loads(row["text"])
    item = next(i for i in body["items"] if i["review"] == review)
    people = row["people"]
    return {
        "title": f"{row['label']} {body['title']}, {moment(body['starts_at'])}",
        "present": ", ".join(sorted(people.get(who, who) for who in body["present"])),
        "recused": ", ".join(sorted(people.get(who, who) for who in item["recused"])),
        "text": item["minutes"],
        "digest": row["digest"],
    }


def _words(key: str) -> str:
    found = key.replace("_", " ")
    return found[:1].upper() + found[1:]
