"""Ask for the verdict of a gate, wait for it if wanted, and say it in words."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

from tollgate_client.api import Tollgate

LONGEST_WAIT = 60
"""Seconds that one request may wait at the other end; a longer wait is several requests."""
SLACK = 15.0
"""Seconds that an answer may take beyond the wait."""


def ask(
    tollgate: Tollgate, use_case: str, gate: str, *, at: str = "", strict: bool = False, wait: int = 0
) -> dict[str, Any]:
    """The verdict. With `wait` the first one that allows, or the last one before the time is up."""
    path = f"use-cases/{urllib.parse.quote(use_case, safe='')}/gates/{urllib.parse.quote(gate, safe='')}/verdict"
    query = {name: value for name, value in (("at", at), ("strict", "true" if strict else "")) if value}
    found: dict[str, Any] = tollgate.get(path, query)
    end = time.monotonic() + wait
    patience = tollgate.timeout
    while wait and not found["allowed"] and (left := int(end - time.monotonic())) > 0:
        turn = min(left, LONGEST_WAIT)
        tollgate.timeout = max(patience, turn + SLACK)
        found = tollgate.get(path, {**query, "wait": str(turn)})
    tollgate.timeout = patience
    return found


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The verdict as a person reads it in the log of a pipeline."""
    words = "ALLOWED" if found["allowed"] else "DENIED"
    basis = " by an emergency release" if found["basis"] == "emergency" else ""
    tier = found["tier"] or "unclassified"
    yield f"{words}{basis}: {found['use_case']} {found['name']}, {found['title']} (stage {found['stage']}, tier {tier})"
    decision = found["decision"]
    if decision:
        who = ", ".join(f"{vote['name']} ({vote['role']})" for vote in decision["sign_offs"])
        when = f"{decision['decided_at']}, {decision['decided_by']}"
        yield f"  decision   {decision['review']} {decision['outcome']}, {when}"
        yield f"  signed by  {who}" if who else "  signed by  nobody"
        yield f"  digest     {decision['digest']}"
    if found["live"]:
        yield f"  live       {found['live']['model']} {found['live']['version']} since {found['live']['since']}"
    for name, word in (("reasons", "denied"), ("warnings", "warning")):
        for reason in found[name]:
            yield f"  {word:<10} {reason['text']}"
    for row in found["failing"]:
        yield f"  {row['outcome']:<10} {row['criterion']} {row['title']}: {row['reason']}"
        if row["required"]:
            yield f"  {'':<10} observed {row['observed'] or 'nothing'}, required {row['required']}"
        yield f"  {'to do':<10} {row['owner_name']}: {row['remedy']}"
    for condition in found["conditions"]:
        late = ", overdue" if condition["overdue"] else ""
        yield f"  condition  {condition['text']} ({condition['owner']}, due {condition['due_on']}{late})"
    for waiver in found["waivers"]:
        yield f"  waiver     {waiver['waiver']} of {waiver['criterion']} until {waiver['expires_at']}"
    for text in found["reconstructed"]:
        yield f"  note       {text}"
    policy = found["policy"]
    yield f"  policy     {policy['key']} {policy['version']}, sha256 {policy['digest']}"
