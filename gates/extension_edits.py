"""Where a form's changes stand in the text of a business unit's extension, which says only what it adds or tightens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gates.policy import Gate
from gates.policy_edits import REMOVE, Edit
from kernel.errors import Invalid
from kernel.located import Path, read_located


def criterion_place(source: str, name: str, gate: Gate, position: int) -> Path:
    """The place of one criterion of the merged gate: among those added here, or among the changes to inherited ones."""
    criterion = gate.criteria[position].id
    added = _at(read_located(source, name).data, ("gates", gate.key, "add")) or []
    for here, row in enumerate(added):
        if row.get("id") == criterion:
            return ("gates", gate.key, "add", here)
    return ("gates", gate.key, "change", criterion)


def kept_within(source: str, name: str, edits: Iterable[Edit]) -> list[Edit]:
    """The same edits. ``Invalid`` when one takes away what is not said here: the organisation asks for it."""
    data = read_located(source, name).data
    found = list(edits)
    for place, value in found:
        if value is REMOVE and _at(data, place) is None:
            raise Invalid(
                f"{' '.join(str(step).replace('_', ' ') for step in place[-2:])}: the organisation sets this, "
                "and a unit cannot take it away."
            )
    return found


def signer_edits(source: str, name: str, place: Path, was: Iterable[str], wanted: Iterable[str]) -> list[Edit]:
    """Ticked signers as what the extension adds. ``Invalid`` names inherited signers that were unticked."""
    added = [str(role) for role in _at(read_located(source, name).data, (*place, "add_signers")) or []]
    inherited = [role for role in was if role not in added]
    ticked = list(wanted)
    if gone := [role for role in inherited if role not in ticked]:
        raise Invalid(
            f"This would loosen who signs: the organisation, or the least tier, asks for {', '.join(gone)}.",
        )
    more = [role for role in ticked if role not in inherited]
    if set(more) == set(added):
        return []
    return [((*place, "add_signers"), more or REMOVE)]


def _at(data: Any, place: Path) -> Any:
    for step in place:
        if isinstance(data, dict):
            data = data.get(str(step), data.get(step))
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data
