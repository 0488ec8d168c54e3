"""Verify a decision pack: recompute every digest in it, and hold its parts against the texts that were signed.

Nothing is asked of anybody: what is compared lies in the file. Who has the digest of the snapshot or of the decision
from somewhere else (the printed pack, the ledger) gives it with ``--digest``, and it has to be one of the file's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

FORMAT = "tollgate.decision-pack"
VERSIONS = (1,)
MAX_BYTES = 200_000_000


class NotAPack(ValueError):
    """The file is no decision pack that this version can read."""


def read_pack(path: str) -> dict[str, Any]:
    """The pack in a file. ``NotAPack`` says what is wrong with it as a file."""
    with open(path, "rb") as handle:
        raw = handle.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise NotAPack(f"{path}: larger than {MAX_BYTES} bytes")
    try:
        pack = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_twice)
    except (UnicodeDecodeError, ValueError, RecursionError) as wrong:
        raise NotAPack(f"{path}: not JSON in UTF-8: {wrong}") from wrong
    if not isinstance(pack, dict) or pack.get("format") != FORMAT:
        raise NotAPack(f"{path}: not a decision pack")
    if pack.get("v") not in VERSIONS:
        raise NotAPack(f"{path}: written in version {pack.get('v')!r}; this knows {', '.join(map(str, VERSIONS))}")
    return pack


def differences(pack: dict[str, Any], digest: str = "") -> list[str]:
    """What does not hold, in words; empty for a pack that is whole."""
    try:
        return list(_check(pack, digest))
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as wrong:
        return [f"a part is missing or malformed: {type(wrong).__name__} {wrong}"]


def _check(pack: dict[str, Any], digest: str) -> Iterator[str]:
    yield from _digests(pack)
    snapshot, decision = json.loads(pack["snapshot"]["text"]), json.loads(pack["decision"]["text"])
    yield from _snapshot(pack, snapshot)
    yield from _decision(pack, decision)
    yield from _votes(pack, decision)
    yield from _conditions(pack, decision)
    yield from _minutes(pack)
    yield from _ledger(pack, decision)
    known = (pack["digest"], pack["snapshot"]["digest"], pack["decision"]["digest"])
    if digest and digest.lower() not in known:
        yield f"none of its digests is {digest}"


def _digests(pack: dict[str, Any]) -> Iterator[str]:
    whole = {key: value for key, value in pack.items() if key != "digest"}
    yield from _same("the pack's digest", _sha(canonical(whole)), pack["digest"])
    texts = [
        ("the snapshot", pack["snapshot"]["text"], pack["snapshot"]["digest"]),
        ("the decision", pack["decision"]["text"], pack["decision"]["digest"]),
        ("the policy", pack["policy"]["data"], pack["policy"]["digest"]),
        *((f"the minutes of {m['label']}", m["text"], m["digest"]) for m in pack["minutes"]),
        *((f"an earlier snapshot ({s['taken_at']})", s["text"], s["digest"]) for s in pack["earlier_snapshots"]),
    ]
    for name, text, digest in texts:
        yield from _same(f"the digest of {name}", _sha(text.encode()), digest)


def _snapshot(pack: dict[str, Any], body: dict[str, Any]) -> Iterator[str]:
    review = pack["review"]
    yield from _same("the use case", body["use_case"]["key"], review["use_case"]["key"])
    yield from _same("the gate", body["gate"], review["gate"]["key"])
    yield from _same("the tier", body["tier"], review["tier"])
    yield from _same("the policy's digest in the snapshot", body["policy"]["digest"], pack["policy"]["digest"])
    yield from _same("when the facts were frozen", body["taken_at"][:19], pack["snapshot"]["taken_at"][:19])
    refs = {(ref["kind"], ref["id"], ref["label"], ref["digest"]) for f in body["findings"] for ref in f["evidence"]}
    shown = {(e["kind"], e["id"], e["label"], e["digest"]) for e in pack["evidence"]}
    yield from _same("the list of evidence", sorted(refs), sorted(shown))
    for entry in pack["evidence"]:
        serves = [
            f["criterion"]
            for f in body["findings"]
            if any((ref["kind"], ref["id"]) == (entry["kind"], entry["id"]) for ref in f["evidence"])
        ]
        yield from _same(f"what {entry['label']} is evidence for", sorted(serves), sorted(entry["criteria"]))


def _decision(pack: dict[str, Any], body: dict[str, Any]) -> Iterator[str]:
    shown, review = pack["decision"], pack["review"]
    yield from _same("the snapshot that was decided on", body["digest"], pack["snapshot"]["digest"])
    yield from _same("the policy that was decided under", body["policy"], pack["policy"]["digest"])
    yield from _same("the review", body["review"], review["number"])
    yield from _same("the use case of the decision", body["use_case"], review["use_case"]["key"])
    yield from _same("the gate of the decision", body["gate"], review["gate"]["key"])
    for name in ("outcome", "reason", "reason_code", "decided_at"):
        yield from _same(f"the decision's {name}", body[name], shown[name])
    yield from _same("who decided", body["decided_by"], shown["decided_by"]["id"])
    if "plan" in body:
        yield from _same("the plan", body["plan"], shown["plan"])


def _votes(pack: dict[str, Any], body: dict[str, Any]) -> Iterator[str]:
    signed = sorted(_signed(v, v["person"]) for v in body["sign_offs"])
    shown = sorted(_signed(v, v["person"]["id"]) for v in pack["sign_offs"])
    yield from _same("the sign-offs that were counted", signed, shown)
    for vote in pack["sign_offs"]:
        yield from _same(f"what {vote['person']['name']} signed", vote["digest"], pack["snapshot"]["digest"])
    against = [v for v in pack["sign_offs"] if v["verdict"] == "reject"]
    yield from _same("the dissent", against, pack["dissent"])


def _conditions(pack: dict[str, Any], body: dict[str, Any]) -> Iterator[str]:
    """What was decided stands in the decision's text; how far each condition is stands beside it."""
    if "conditions" not in body:
        return
    words = ("position", "text", "scope", "due_on", "evidence_wanted")
    shown = [{name: c[name] for name in words} for c in pack["conditions"]]
    decided = [{name: c[name] for name in words} for c in body["conditions"]]
    yield from _same("the conditions", decided, sorted(shown, key=lambda c: c["position"]))
    owners = {c["position"]: c["owner"] for c in body["conditions"]}
    for condition in pack["conditions"]:
        name = f"who owes condition {condition['position']}"
        yield from _same(name, owners[condition["position"]], condition["owner"]["id"])


def _minutes(pack: dict[str, Any]) -> Iterator[str]:
    for entry in pack["minutes"]:
        body = json.loads(entry["text"])
        yield from _same(f"the meeting of {entry['label']}", body["meeting"], entry["meeting"])
        if pack["review"]["number"] not in [item["review"] for item in body["items"]]:
            yield f"the minutes of {entry['label']} are not about this review"


def _ledger(pack: dict[str, Any], decision: dict[str, Any]) -> Iterator[str]:
    """Leaf hashes recompute (RFC 6962), and what the ledger says of decision and votes is what the pack says."""
    votes = {v["id"]: v for v in [*pack["sign_offs"], *pack["lapsed"]]}
    for event in pack["ledger"]["events"]:
        name = f"event {event['index']} of the ledger"
        yield from _same(f"the leaf hash of {name}", _sha(b"\x00" + event["body"].encode()), event["leaf_hash"])
        body = json.loads(event["body"])
        yield from _same(f"the index of {name}", body["index"], event["index"])
        yield from _same(f"the action of {name}", body["action"], event["action"])
        after = {key: change["after"] for key, change in body["changes"].items()}
        if body["action"] == "decision.made" and body["subject"]["id"] == decision["decision"]:
            told = {"outcome": decision["outcome"], "digest": decision["digest"]}
            told["body_digest"] = pack["decision"]["digest"]
            for key, value in told.items():
                if key in after:
                    yield from _same(f"the decision's {key} in {name}", after[key], value)
        if body["action"] == "sign_off.given" and body["subject"]["id"] in votes:
            vote = votes[body["subject"]["id"]]
            for key in ("role", "verdict", "digest", "reason"):
                if key in after:
                    yield from _same(f"a sign-off's {key} in {name}", after[key] or "", vote[key])


def canonical(value: Any) -> bytes:
    """The canonical JSON of a pack (RFC 8785; its keys are ASCII or sort alike, and it holds no floats)."""
    text = json.dumps(_ordered(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    if isinstance(value, float):
        raise TypeError("a number with a point has no canonical form")
    return value


def _signed(vote: dict[str, Any], person: str) -> tuple[str, ...]:
    return (vote["role"], str(person), vote["verdict"], vote["digest"], vote["signed_at"])


def _same(name: str, expected: Any, found: Any) -> Iterator[str]:
    if expected != found:
        yield f"{name}: {_short(expected)} by the text that was signed, {_short(found)} in the pack"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _sha(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
