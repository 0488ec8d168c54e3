"""Carrying out a plan: everything in one unit of work, so that a file comes in whole or not at all.

Rows are written in bulk, and each use case that is made or changed has its event. Imports wait for each other at the
root unit, so that a plan is made and carried out against the same state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from django.utils import timezone

from kernel.database import lock_rows
from ledger import UnitOfWork, state, unit_of_work
from portfolio.importing.fields import FIELDS
from portfolio.importing.mapping import MappedRow
from portfolio.importing.merging import UNIT, source_values
from portfolio.importing.plan import Outcome, Plan, PlannedRow
from portfolio.importing.planning import make_plan
from portfolio.importing.profile import Kind, Profile
from portfolio.importing.sink import DeclaredChange, sinks
from portfolio.models import BusinessUnit, Stage, StageChange, Status, UseCase
from portfolio.signals import announce_changes

if TYPE_CHECKING:
    from accounts.models import User

Actor: TypeAlias = "User | str"

BATCH = 500
ENDED = frozenset({Stage.RETIRED, Stage.STOPPED})
UNIT_FIELDS = ("code", "name", "path", "description")
SOURCE_FIELDS = ("source_profile", "source_key", "source_digest", "source_row", "source_data", "source_values")
RECORDED_SOURCE = ("source_profile", "source_key", "source_digest", "source_row")


def import_rows(
    profile: Profile,
    mapped: Sequence[MappedRow],
    *,
    by: Actor,
    note: str = "",
    check: Callable[[Plan], object] | None = None,
) -> Plan:
    """Import the rows. ``check`` sees the plan before anything is written and may raise to stop it all."""
    with unit_of_work(by=by) as uow:
        _wait_for_other_imports()
        plan = make_plan(profile, mapped)
        if check:
            check(plan)
        write = _Writing(plan, uow, by, note or f"Imported with {profile.name}")
        write.units()
        write.new()
        write.changed()
        write.moved()
        write.declared()
        announce_changes(uow, write.touched, "import")
    return plan


def _wait_for_other_imports() -> None:
    list(lock_rows(BusinessUnit.objects.filter(parent=None)).values_list("pk", flat=True))


class _Writing:
    """One plan being written."""

    def __init__(self, plan: Plan, uow: UnitOfWork, by: Actor, note: str) -> None:
        self._plan, self._uow, self._note = plan, uow, note
        self._person = None if isinstance(by, str) else by
        self._units = dict(plan.units)
        self._now = timezone.now()
        self.touched: list[UUID] = []

    def units(self) -> None:
        """The organisation itself, if there is none yet, and the units that the rows name."""
        plan = self._plan
        root = next((unit for unit in self._units.values() if unit.parent_id is None), None)
        if root is None:
            root = self._add_unit(plan.profile.root_code, plan.profile.root_name, None)
        for code, name in plan.new_units.items():
            if code not in self._units:
                self._add_unit(code, name, root)

    def _add_unit(self, code: str, name: str, parent: BusinessUnit | None) -> BusinessUnit:
        unit = BusinessUnit(code=code, name=name, parent=parent)
        unit.path = unit.path_below(parent)
        unit.save(force_insert=True)
        self._units[code] = unit
        self._uow.record("unit.created", subject=unit, unit=unit, after=state(unit, UNIT_FIELDS), note=self._note)
        return unit

    def new(self) -> None:
        """Use cases that were not there, each with the stage it begins in."""
        rows = [each for each in self._plan.rows if each.outcome is Outcome.CREATE]
        keys = _free_keys(each.row.unit_code for each in rows if not each.row.key)
        made = [self._made(each, each.row.key or next(keys[each.row.unit_code])) for each in rows]
        UseCase.objects.bulk_create(made, batch_size=BATCH)
        StageChange.objects.bulk_create(
            [self._stage_change(use_case, "", use_case.stage_since) for use_case in made], batch_size=BATCH
        )
        for each, use_case in zip(rows, made, strict=True):
            each.use_case = use_case
            after = state(
                use_case, ("key", "name", *_stated_fields(each.row), "status", "tier_source", *RECORDED_SOURCE)
            )
            after[UNIT] = use_case.unit.code
            self._record("use_case.imported", use_case, None, {**after, **_said(each)})

    def _made(self, each: PlannedRow, key: str) -> UseCase:
        use_case = UseCase(
            key=key,
            unit=self._units[each.row.unit_code],
            created_by=self._person,
            created_at=self._now,
            stage_since=self._now,
        )
        for name, value in each.row.values.items():
            if value is not None:
                setattr(use_case, name, in_python(name, value))
        _settle(use_case)
        self._keep_source(use_case, each)
        return use_case

    def changed(self) -> None:
        """Use cases that the file corrects: what changed is in the event, before and after."""
        for each in self._plan.rows:
            use_case = each.use_case
            if each.outcome is not Outcome.UPDATE or use_case is None:
                continue
            before, after = self._change(each, use_case)
            for section, answers in each.declared.items():
                standing = use_case.source_values.get(section, {})
                for target, answer in answers.items():
                    name = f"{section}.{target}"
                    before[name] = standing[target][0] if target in standing else None
                    after[name] = answer.answer if answer else None
            if each.source_key:
                self._keep_source(use_case, each)
            use_case.save(update_fields=[*self._columns_of(each), "updated_at"])
            self._record("use_case.updated_by_import", use_case, before, after)

    def _change(self, each: PlannedRow, use_case: UseCase) -> tuple[dict[str, Any], dict[str, Any]]:
        names = [name for name in each.fields if name != UNIT]
        fields = [*names, "status", "tier_source"]
        before, was = state(use_case, fields), use_case.stage
        for name in names:
            setattr(use_case, name, in_python(name, each.fields[name].after))
        _settle(use_case)
        if use_case.stage != was:
            use_case.stage_since = self._now if "stage_since" not in names else use_case.stage_since
            self._stage_change(use_case, was, self._now).save(force_insert=True)
        after = state(use_case, fields)
        if UNIT in each.fields:
            before[UNIT], after[UNIT] = use_case.unit.code, each.row.unit_code
            use_case.unit = self._units[each.row.unit_code]
        for column, cell in each.columns.items():
            before[f"source.{column}"], after[f"source.{column}"] = cell.before, cell.after
        return before, after

    def _columns_of(self, each: PlannedRow) -> list[str]:
        names = [*each.fields, "status", "tier_source"]
        if "stage" in each.fields:
            names.append("stage_since")
        return sorted({*names, *(SOURCE_FIELDS if each.source_key else ())})

    def moved(self) -> None:
        """Rows that say the same from another place in the file: their number is kept, and nothing has happened."""
        moved = []
        for each in self._plan.rows:
            use_case = each.use_case
            if each.outcome is not Outcome.UNCHANGED or use_case is None or not each.source_key:
                continue
            if each.rebased or use_case.source_row != each.row.number:
                self._keep_source(use_case, each)
                moved.append(use_case)
        UseCase.objects.bulk_update(moved, ["source_row", "source_values"], batch_size=BATCH)

    def declared(self) -> None:
        """What the rows declare goes to the apps that asked for it."""
        for section in self._plan.profile.declarations:
            sinks.get(section)().write(list(self._declared_changes(section)), uow=self._uow)

    def _declared_changes(self, section: str) -> Iterator[DeclaredChange]:
        columns = {each.target: each.rule.column for each in self._plan.profile.declarations[section]}
        for each in self._plan.rows:
            if each.outcome in {Outcome.CREATE, Outcome.UPDATE} and each.use_case:
                for target, after in each.declared.get(section, {}).items():
                    source = f"{self._plan.profile.name}: {columns.get(target, '')}"
                    yield DeclaredChange(each.use_case.pk, target, after, source[:300])

    def _keep_source(self, use_case: UseCase, each: PlannedRow) -> None:
        use_case.source_profile = self._plan.profile.name
        use_case.source_key = each.source_key
        use_case.source_digest = each.row.digest
        use_case.source_row = each.row.number
        use_case.source_data = each.row.data
        use_case.source_values = source_values(each.row)

    def _stage_change(self, use_case: UseCase, from_stage: str, at: datetime) -> StageChange:
        return StageChange(
            use_case=use_case,
            from_stage=from_stage,
            to_stage=use_case.stage,
            at=at,
            by=self._person,
            reason=self._note[:500],
        )

    def _record(self, action: str, use_case: UseCase, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        self._uow.record(action, subject=use_case, use_case=use_case, before=before, after=after, note=self._note)
        self.touched.append(use_case.pk)


def in_python(name: str, value: Any) -> Any:
    """A stated value as the model holds it; nothing stated is the field's own emptiness."""
    match FIELDS[name]:
        case Kind.DATE:
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        case Kind.LIST:
            return list(value or ())
        case Kind.BOOLEAN:
            return bool(value) if name == "legal_hold" else value
    return value or ""


def _settle(use_case: UseCase) -> None:
    """What follows from what is stated."""
    if use_case.stage in ENDED:
        use_case.status = Status.CLOSED
    elif use_case.status == Status.CLOSED:
        use_case.status = Status.ACTIVE
    if use_case.tier_source in ("", "declared"):
        use_case.tier_source = "declared" if use_case.tier else ""


def _stated_fields(row: MappedRow) -> list[str]:
    return [name for name, value in row.values.items() if value is not None]


def _said(each: PlannedRow) -> dict[str, str]:
    """What is declared, for the event: "practices.OMB-4b-i" -> "yes"."""
    return {
        f"{section}.{target}": declared.answer
        for section, answers in each.declared.items()
        for target, declared in answers.items()
        if declared
    }


def _free_keys(codes: Iterable[str]) -> dict[str, Iterator[str]]:
    """For each unit the keys that follow the highest that there is: DOI-017 after DOI-016."""
    wanted = {code: f"{code.upper()[:30]}-" for code in codes}
    highest: dict[str, int] = defaultdict(int)
    if wanted:
        for key in UseCase.objects.values_list("key", flat=True).iterator():
            prefix, dash, number = key.upper().rpartition("-")
            if number.isascii() and number.isdecimal() and len(number) < 10:
                highest[prefix + dash] = max(highest[prefix + dash], int(number))
    numbered = {prefix: _numbered(prefix, highest[prefix]) for prefix in wanted.values()}
    return {code: numbered[prefix] for code, prefix in wanted.items()}


def _numbered(prefix: str, highest: int) -> Iterator[str]:
    while True:
        highest += 1
        yield f"{prefix}{highest:03d}"
