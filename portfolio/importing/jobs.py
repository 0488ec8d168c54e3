"""An import that somebody confirmed, carried out by a worker. Claimed once; it ends done or failed, never half."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from kernel.errors import DomainError
from ledger import SYSTEM, unit_of_work
from portfolio.importing.applying import Actor
from portfolio.importing.plan import Plan
from portfolio.importing.previews import drop_files
from portfolio.importing.profiles import named_profile
from portfolio.importing.reach import within_reach
from portfolio.importing.reading import sha256
from portfolio.importing.runs import Read, carry_out, read_inventory
from portfolio.models import ImportRun

STATE = ImportRun.State
LOST_AFTER = timedelta(minutes=15)
"""Longer than a task may run: whoever claimed it has died."""
PREVIEW_KEPT = timedelta(days=7)

log = logging.getLogger(__name__)


def execute(run_id: UUID) -> ImportRun | None:
    """Carry out a queued run; None if it is not queued (done already, cancelled, or another worker has it)."""
    claimed = ImportRun.objects.filter(pk=run_id, state=STATE.QUEUED)
    if not claimed.update(state=STATE.RUNNING, claimed_at=timezone.now(), rows_done=0):
        return None
    run = ImportRun.objects.select_related("started_by").get(pk=run_id)
    try:
        _import(run)
    except (DomainError, PermissionDenied) as error:
        _fail(run, str(error))
    except Exception:
        log.exception("import failed", extra={"run": str(run.pk)})
        _fail(run, "Something went wrong that is not the file's fault. Nothing was imported; the log says more.")
    drop_files(run)
    return run


def import_at_once(read: Read, content: bytes, file_name: str, *, by: Actor) -> Plan:
    """Import what was read, here and now. What changed something is listed among the imports, with its report."""
    note = f"Imported from {file_name} with {read.profile.name}"
    with unit_of_work(by=by) as uow:
        plan = carry_out(read, by=by, note=note, check=within_reach(by))
        run = ImportRun(
            profile=read.profile.name,
            file_name=file_name[-255:],
            file_sha256=sha256(content),
            state=STATE.DONE,
            started_by=None if isinstance(by, str) else by,
            finished_at=timezone.now(),
        )
        take_totals(run, plan, encoding=read.table.encoding, kind=read.table.kind)
        run.rows_done = run.rows
        if run.created or run.updated:
            run.save(force_insert=True)
            uow.record("import.finished", subject=run, after=_outcome(run))
    return plan


def lost_runs() -> list[UUID]:
    """Runs whose message or worker was lost; those that a worker had are queued again first."""
    now = timezone.now()
    ImportRun.objects.filter(state=STATE.RUNNING, claimed_at__lt=now - LOST_AFTER).update(state=STATE.QUEUED)
    return list(ImportRun.objects.filter(state=STATE.QUEUED).values_list("pk", flat=True))


def give_up_old_previews() -> int:
    """Cancel what nobody confirmed for a week: an upload is not kept for ever."""
    old = ImportRun.objects.filter(state=STATE.PREVIEW, created_at__lt=timezone.now() - PREVIEW_KEPT)
    given_up = 0
    for run in old:
        with unit_of_work(by=SYSTEM) as uow:
            if not old.filter(pk=run.pk).update(state=STATE.CANCELLED, finished_at=timezone.now()):
                continue
            uow.record(
                "import.cancelled", subject=run, after={"state": "cancelled"}, note="Nobody confirmed it in time."
            )
        drop_files(run)
        given_up += 1
    return given_up


def take_totals(run: ImportRun, plan: Plan, *, encoding: str = "", kind: str = "") -> None:
    """The plan's totals into the run, which is not saved."""
    totals = plan.summary()
    run.rows, run.created, run.updated = totals["rows"], totals["created"], totals["updated"]
    run.unchanged, run.duplicates = totals["unchanged"], totals["duplicates"]
    run.problems = totals["problems"]
    run.details = {
        **run.details,
        "title": plan.profile.title,
        "new_units": [{"code": code, "name": name} for code, name in plan.new_units.items()],
        "absent": plan.absent,
        "repeats": [[each.row.number, each.repeats] for each in plan.rows if each.repeats],
        **({"encoding": encoding, "kind": kind} if kind else {}),
    }


TOTALS = ("rows", "created", "updated", "unchanged", "duplicates", "problems", "details")


def _import(run: ImportRun) -> None:
    def progress(done: int) -> None:
        ImportRun.objects.filter(pk=run.pk).update(rows_done=done)

    profile = named_profile(run.profile)
    with run.file.open("rb") as handle:
        read = read_inventory(handle.read(), profile, progress)
    ImportRun.objects.filter(pk=run.pk).update(rows=len(read.rows), rows_done=len(read.rows))
    by = run.started_by or SYSTEM
    with unit_of_work(by=by) as uow:
        plan = carry_out(read, by=by, note=f"Imported from {run.file_name} with {run.profile}", check=within_reach(by))
        take_totals(run, plan, encoding=read.table.encoding, kind=read.table.kind)
        run.state, run.finished_at, run.rows_done = STATE.DONE, timezone.now(), run.rows
        run.save(update_fields=[*TOTALS, "state", "finished_at", "rows_done"])
        uow.record("import.finished", subject=run, after=_outcome(run))


def _outcome(run: ImportRun) -> dict[str, object]:
    counted = {name: getattr(run, name) for name in ("rows", "created", "updated", "unchanged", "duplicates")}
    return {**counted, "problems": len(run.problems), "file_sha256": run.file_sha256, "profile": run.profile}


def _fail(run: ImportRun, said: str) -> None:
    by = run.started_by or SYSTEM
    with unit_of_work(by=by) as uow:
        run.state, run.error, run.finished_at = STATE.FAILED, said, timezone.now()
        run.save(update_fields=["state", "error", "finished_at"])
        uow.record("import.failed", subject=run, after={"error": said, "profile": run.profile})
