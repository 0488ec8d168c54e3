"""Rows against what is there: which use case each one is, and what of it would change. Reads, never writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from kernel.canonical import digest
from portfolio.importing.mapping import MappedRow, identity_of
from portfolio.importing.matching import Pairs, pair, without_repeats
from portfolio.importing.merging import Standing, merge
from portfolio.importing.plan import Outcome, Plan, PlannedRow
from portfolio.importing.problems import BrokenFile, Problem
from portfolio.importing.profile import By, Profile
from portfolio.importing.sink import Declared, sinks
from portfolio.models import BusinessUnit, StageChange, UseCase

_SOURCE_FIELD = 64


def make_plan(profile: Profile, mapped: Sequence[MappedRow]) -> Plan:
    """What importing these rows would do now. ``BrokenFile`` if a row cannot be placed at all."""
    units = {unit.code: unit for unit in BusinessUnit.objects.all()}
    new_units = _new_units(profile, mapped, units)
    rows, repeats = without_repeats(mapped)
    known = list(UseCase.objects.filter(source_profile=profile.name).exclude(source_key="").select_related("unit"))
    pairs = _by_key(rows) if profile.by is By.KEY else pair(profile, rows, known)
    standing = _standing(profile, pairs)
    planned = [
        PlannedRow(row, Outcome.DUPLICATE, repeats=repeats[row.number])
        if row.number in repeats
        else _planned(profile, row, pairs.get(row.number), standing)
        for row in mapped
    ]
    _give_source_keys(profile, planned, known)
    met = {use_case.pk for use_case in pairs.values()}
    return Plan(
        profile=profile,
        rows=planned,
        problems=_problems(planned),
        units=units,
        new_units=new_units,
        absent=sorted(each.key for each in known if each.pk not in met),
    )


def _planned(profile: Profile, row: MappedRow, use_case: UseCase | None, standing: Standing) -> PlannedRow:
    if use_case is None:
        declared: dict[str, dict[str, Declared | None]] = {name: {**said} for name, said in row.declared.items()}
        return PlannedRow(row, Outcome.CREATE, declared=declared)
    return merge(profile, row, use_case, standing)


def _new_units(profile: Profile, mapped: Iterable[MappedRow], units: dict[str, BusinessUnit]) -> dict[str, str]:
    """Units that the rows name and that are not there yet, by code, under the name that comes first in the file."""
    found: dict[str, str] = {}
    unknown: list[Problem] = []
    for row in mapped:
        if row.unit_code in units:
            continue
        if not profile.unit.create:
            unknown.append(
                Problem(row.number, profile.unit.code.column, f"there is no business unit “{row.unit_code}”")
            )
        found.setdefault(row.unit_code, row.unit_name)
    if unknown:
        first = unknown[0]
        raise BrokenFile(
            f"Row {first.row}, {first.column}: {first.message}.",
            hint="Add the unit first, or correct the row.",
            problems=unknown,
        )
    return found


def _by_key(rows: Sequence[MappedRow]) -> Pairs:
    """Rows paired by the key of the use case; the case of its letters makes no difference."""
    numbers: dict[str, int] = {}
    for row in rows:
        folded = row.key.casefold()
        if folded in numbers:
            said = f"the key {row.key} is in row {numbers[folded]} already, with other values"
            raise BrokenFile(f"Row {row.number}: {said}.", problems=[Problem(row.number, "key", said)])
        numbers[folded] = row.number
    found = UseCase.objects.select_related("unit").in_bulk([row.key for row in rows], field_name="key")
    missing = set(numbers) - {key.casefold() for key in found}
    if missing:
        # Somebody's spreadsheet may have changed the case; keys are few enough to look at all of them.
        keys = [key for key in UseCase.objects.values_list("key", flat=True) if key.casefold() in missing]
        found.update(UseCase.objects.select_related("unit").in_bulk(keys, field_name="key"))
    return {numbers[key.casefold()]: use_case for key, use_case in found.items()}


def _standing(profile: Profile, pairs: Pairs) -> Standing:
    """What is settled or declared for the use cases that the file meets again, in a constant number of queries."""
    ids: list[UUID] = [use_case.pk for use_case in pairs.values()]
    decided = StageChange.objects.filter(decision_id__isnull=False).values_list("use_case_id", flat=True)
    return Standing(
        decided=set(decided) & set(ids),
        declared={name: sinks.get(name)().standing(ids) if ids else {} for name in profile.declarations},
    )


def _give_source_keys(profile: Profile, planned: Iterable[PlannedRow], known: Iterable[UseCase]) -> None:
    """A stable key for each row: the digest of its identity and of the lowest number that is free for it.

    A use case keeps its key for as long as its identity stays, so rows that are inserted above it change nothing.
    """
    taken: dict[str, str] = {use_case.source_key: "" for use_case in known}
    next_number: dict[str, int] = defaultdict(lambda: 1)
    for each in planned:
        if each.outcome is Outcome.DUPLICATE or not _is_ours(profile, each.use_case):
            continue
        if each.use_case and _same_identity(profile, each):
            each.source_key = each.use_case.source_key
            continue
        identity = each.row.identity
        while (key := source_key(identity, next_number[identity])) in taken:
            next_number[identity] += 1
        taken[key] = each.source_key = key


def _is_ours(profile: Profile, use_case: UseCase | None) -> bool:
    """Whether the use case is new or came through this profile; one that was opened here keeps its own history."""
    return use_case is None or (use_case.source_profile == profile.name and bool(use_case.source_key))


def _same_identity(profile: Profile, each: PlannedRow) -> bool:
    if each.use_case is None or profile.by is By.KEY:
        return True
    return identity_of(profile, each.use_case.source_data) == each.row.identity


def source_key(identity: str, number: int) -> str:
    """What ``UseCase.source_key`` holds for the nth row of one identity."""
    return digest([identity, number])[:_SOURCE_FIELD]


def _problems(planned: Iterable[PlannedRow]) -> list[Problem]:
    return [problem for each in planned for problem in each.row.problems]
