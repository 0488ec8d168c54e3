"""What a preview shows, kept in a file beside the upload: a page of it must not read the inventory again."""

from __future__ import annotations

from typing import Any

import orjson
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from portfolio.importing.plan import Outcome, Plan, PlannedRow
from portfolio.models import ImportRun

SHOWN = ("stage", "tier", "personal_data", "affects_people", "third_party")


def save_preview(run: ImportRun, plan: Plan) -> None:
    name = _name(run)
    default_storage.delete(name)
    default_storage.save(name, ContentFile(orjson.dumps([_row(each) for each in plan.rows])))


def load_preview(run: ImportRun) -> list[dict[str, Any]]:
    """One mapping a row; nothing once the run is over."""
    try:
        with default_storage.open(_name(run), "rb") as handle:
            rows: list[dict[str, Any]] = orjson.loads(handle.read())
    except FileNotFoundError:
        return []
    return rows


def drop_files(run: ImportRun) -> None:
    """The upload and its preview are kept for as long as the run may still need them."""
    default_storage.delete(_name(run))
    if run.file:
        run.file.delete(save=False)


def _name(run: ImportRun) -> str:
    return f"imports/{run.pk}.preview.json"


def _row(each: PlannedRow) -> dict[str, Any]:
    row = each.row
    values = {name: row.values.get(name) for name in SHOWN}
    return {
        "row": row.number,
        "outcome": each.outcome,
        "repeats": each.repeats,
        "key": each.use_case.key if each.use_case else row.key,
        "name": row.values.get("name") or "",
        "unit": row.unit_code,
        "unit_name": row.unit_name,
        **values,
        "declared": sum(1 for answers in row.declared.values() for _ in answers),
        "changes": _changes(each) if each.outcome is Outcome.UPDATE else [],
    }


def _changes(each: PlannedRow) -> list[dict[str, Any]]:
    found = [{"what": name, "before": change.before, "after": change.after} for name, change in each.fields.items()]
    found += [
        {"what": target, "before": None, "after": answer.answer if answer else None}
        for answers in each.declared.values()
        for target, answer in answers.items()
    ]
    return found + [
        {"what": column, "before": change.before, "after": change.after} for column, change in each.columns.items()
    ]
