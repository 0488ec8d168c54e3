"""A row that comes again, against its use case: the file's correction is taken, what was changed here stays.

Three states meet: what the file said last time (kept in ``source_values``), what it says now, and what is here. Where
the file says the same as last time, it asks for nothing. Where it says something new and nobody has touched the field
here since, the new value is taken. Where both changed, ours stays and the row is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID

from portfolio.importing.fields import FIELDS, SETTLED_BY_GATES, is_one_line
from portfolio.importing.mapping import MappedRow
from portfolio.importing.plan import Changed, Outcome, PlannedRow
from portfolio.importing.problems import Problem, quoted
from portfolio.importing.profile import Kind, Profile, Value
from portfolio.importing.sink import Declared
from portfolio.models import UseCase

UNIT = "unit"
FIELDS_KEY = "fields"


@dataclass(frozen=True, slots=True)
class Standing:
    """What an import must respect."""

    decided: set[UUID]
    """Use cases whose stage a gate has decided."""
    declared: Mapping[str, Mapping[UUID, Mapping[str, Declared]]]
    """Section -> use case -> target -> what is declared."""


def merge(profile: Profile, row: MappedRow, use_case: UseCase, standing: Standing) -> PlannedRow:
    """What the row changes of its use case."""
    planned = PlannedRow(row, Outcome.UNCHANGED, use_case=use_case)
    ours = use_case.source_profile == profile.name and bool(use_case.source_key)
    base = use_case.source_values if ours else {}
    _merge_fields(planned, profile, base.get(FIELDS_KEY, {}), use_case.pk in standing.decided)
    for section, answers in standing.declared.items():
        _merge_declared(planned, section, base.get(section, {}), answers.get(use_case.pk, {}))
    if ours and use_case.source_digest != row.digest:
        planned.columns = _changed_columns(use_case.source_data, row.data)
    planned.rebased = ours and base != source_values(row)
    if planned.fields or planned.columns or any(planned.declared.values()):
        planned.outcome = Outcome.UPDATE
    return planned


def stated(row: MappedRow) -> dict[str, Any]:
    """The fields as the row states them, in JSON, with the unit it belongs to."""
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in row.values.items()}
    return {**values, UNIT: row.unit_code}


def source_values(row: MappedRow) -> dict[str, Any]:
    """What is kept with the use case, so that the next import knows what the file said this time."""
    said: dict[str, Any] = {
        section: {target: [each.answer, each.detail] for target, each in answers.items()}
        for section, answers in row.declared.items()
    }
    return {FIELDS_KEY: stated(row), **said}


def current(use_case: UseCase, name: str) -> Any:
    """A field as ``stated`` would say it."""
    if name == UNIT:
        return use_case.unit.code
    value = getattr(use_case, name)
    if FIELDS[name] is Kind.DATE:
        return value.astimezone(UTC).date().isoformat()
    if isinstance(value, str):
        value = " ".join(value.split()) if is_one_line(name) else value.replace("\r\n", "\n").strip()
    return (value or None) if isinstance(value, str | list) else value


def _merge_fields(planned: PlannedRow, profile: Profile, base: Mapping[str, Any], decided: bool) -> None:
    use_case, row = planned.use_case, planned.row
    assert use_case is not None
    for name, wanted in stated(row).items():
        here = current(use_case, name)
        if _asks_nothing(name, wanted, here) or (name in base and base[name] == wanted):
            continue
        if decided and name in SETTLED_BY_GATES:
            _keep(planned, name, wanted, here, "a gate has decided about it")
        elif name in profile.kept:
            _keep(planned, name, wanted, here, "the profile says that it changes in Tollgate alone")
        elif name == "tier" and use_case.tier_source not in ("", "declared"):
            _keep(planned, name, wanted, here, "it was classified here")
        elif _changed_here(name, base, here):
            _keep(planned, name, wanted, here, "it was changed here since the last import")
        else:
            planned.fields[name] = Changed(here, wanted)


def _changed_here(name: str, base: Mapping[str, Any], here: Any) -> bool:
    """Whether somebody gave the field another value than the one that the last import gave it."""
    if name not in base or (name in _ALWAYS and base[name] is None):
        return False
    return bool(base[name] != here)


def _asks_nothing(name: str, wanted: Value, here: Any) -> bool:
    """Equal already; or nothing is said of a field that always holds something."""
    return wanted == here or (wanted in (None, [], "") and (here in (None, [], "") or name in _ALWAYS))


_ALWAYS = frozenset({"name", "stage", "stage_since", "status", "legal_hold"})


def _keep(planned: PlannedRow, name: str, wanted: Any, here: Any, why: str) -> None:
    message = f"the file says {_shown(wanted)}, here it is {_shown(here)}, and it stays so: {why}"
    planned.row.problems.append(Problem(planned.row.number, name, message))


def _shown(value: Any) -> str:
    if value in (None, "", []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return quoted("; ".join(value) if isinstance(value, list) else str(value))


def _merge_declared(
    planned: PlannedRow, section: str, base: Mapping[str, list[str]], here: Mapping[str, Declared]
) -> None:
    said = planned.row.declared.get(section, {})
    changes = planned.declared.setdefault(section, {})
    for target in dict.fromkeys([*base, *said]):
        before = Declared(*base[target]) if target in base else None
        wanted, standing = said.get(target), here.get(target)
        if wanted in (before, standing):
            continue
        if standing not in (before, None) or (standing is None and before is not None):
            _keep(planned, target, wanted and wanted.answer, standing and standing.answer, "it was declared here since")
        else:
            changes[target] = wanted


def _changed_columns(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Changed]:
    return {
        label: Changed(before.get(label), after.get(label))
        for label in dict.fromkeys([*before, *after])
        if before.get(label) != after.get(label)
    }
