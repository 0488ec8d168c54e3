"""What differs between two frozen snapshots, fact by fact, in words that a signer can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from gates.fact import fact_loaders

GROUPS = {
    "profile": _("Use case"),
    "kpis": _("KPIs"),
    "risks": _("Risk"),
    "evidence": _("Evidence"),
    "documents": _("Documents"),
    "validation": _("Validation"),
    "models": _("Model"),
    "controls": _("Controls"),
    "issues": _("Incidents and findings"),
    "questionnaires": _("Questionnaires"),
    "people": _("People"),
    "waivers": _("Waivers"),
    "conditions": _("Conditions"),
}
QUIET = frozenset({"id", "pk", "stage_since", "use_case_id", "series_id"})
"""Keys that identify or repeat: they say nothing to a reader."""
NAMES = ("title", "name", "label", "key", "kind", "criterion", "doc_type")
LONGEST = 160
MOST = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact before and after; None where it was, or is, not there."""

    group: str
    name: str
    before: str | None
    after: str | None


def fact_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Facts and tier that differ between two snapshot bodies, grouped by kind of fact.

    Of facts that change by themselves all day (metrics, monitors, alerts) only outcomes count, so they are left out.
    """
    found: list[Difference] = []
    if old["tier"] != new["tier"]:
        found.append(Difference(str(GROUPS["profile"]), str(_("Risk tier")), old["tier"], new["tier"]))
    for key in new["facts"]:
        if key not in fact_loaders or fact_loaders.get(key).volatile:
            continue
        group = str(GROUPS.get(key, _words(key)))
        pairs = _walk(old["facts"].get(key), new["facts"][key], "")
        found += [Difference(group, name or group, before, after) for name, before, after in pairs]
    return found[:MOST]


def _walk(old: Any, new: Any, name: str) -> Iterator[tuple[str, str | None, str | None]]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*new, *(k for k in old if k not in new)]:
            if key not in QUIET:
                yield from _walk(old.get(key), new.get(key), _joined(name, _words(key)))
    elif isinstance(old, list) and isinstance(new, list) and _are_records(old) and _are_records(new):
        before, after = _by_identity(old), _by_identity(new)
        for key in [*after, *(k for k in before if k not in after)]:
            yield from _record(before.get(key), after.get(key), name)
    else:
        yield name, _shown(old), _shown(new)


def _record(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, name: str) -> Iterator[Any]:
    row = new if new is not None else old
    called = _joined(name, _called(row or {}))
    if old is None or new is None:
        yield called, _shown(old), _shown(new)
    else:
        yield from _walk(old, new, called)


def _are_records(rows: list[Any]) -> bool:
    return all(isinstance(row, Mapping) for row in rows)


def _by_identity(rows: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Rows by what tells them apart; rows without an id by their place, so that none is lost."""
    return {str(row.get("id") or row.get("key") or f"{_called(row)}#{place}"): row for place, row in enumerate(rows)}


def _called(row: Mapping[str, Any]) -> str:
    return next((str(row[key]) for key in NAMES if row.get(key)), "")


def _shown(value: Any) -> str | None:
    if value is None or value in ("", [], {}):
        return None
    if isinstance(value, bool):
        return str(_("yes")) if value else str(_("no"))
    if isinstance(value, Mapping):
        return _cut(", ".join(f"{_words(k)}: {_shown(v)}" for k, v in value.items() if k not in QUIET and _shown(v)))
    if isinstance(value, list):
        return _cut(", ".join(_called(v) if isinstance(v, Mapping) else str(_shown(v)) for v in value))
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _joined(first: str, second: str) -> str:
    return f"{first}: {second}" if first and second else first or second


def _words(key: str) -> str:
    return str(key).removesuffix("_id").replace("_", " ").strip().capitalize()
