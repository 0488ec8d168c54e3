"""Importing in the browser and over REST: read and preview, then confirm or cancel."""

from __future__ import annotations

from django.core.files.base import ContentFile, File
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import require
from accounts.models import User
from kernel.database import lock_rows
from kernel.errors import Conflict
from ledger import unit_of_work
from portfolio import tasks
from portfolio.importing.jobs import take_totals
from portfolio.importing.plan import Plan
from portfolio.importing.previews import drop_files, save_preview
from portfolio.importing.profiles import named_profile
from portfolio.importing.reach import ACTION, within_reach
from portfolio.importing.reading import MAX_BYTES, sha256
from portfolio.importing.runs import preview, read_inventory
from portfolio.models import ImportRun

STATE = ImportRun.State


def look_into(*, upload: File[bytes], profile: str, by: User) -> Plan:
    """What importing the file would do. Nothing is kept."""
    return _planned(upload, profile, by)[1]


def prepare_import(*, upload: File[bytes], profile: str, by: User) -> ImportRun:
    """Read a file and keep it with its preview, until somebody confirms or cancels. No use case is touched."""
    run, plan, content = _planned(upload, profile, by)
    run.file.save(f"{run.pk}.upload", ContentFile(content), save=False)
    save_preview(run, plan)
    try:
        with unit_of_work(by=by) as uow:
            run.save(force_insert=True)
            uow.record("import.prepared", subject=run, after=_named(run))
    except BaseException:
        drop_files(run)
        raise
    return run


def confirm_import(*, run: ImportRun, by: User) -> ImportRun:
    """Have a prepared import carried out by a worker."""
    require(by, ACTION)
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(ImportRun.objects.filter(pk=run.pk)).get()
        if fresh.state != STATE.PREVIEW:
            raise Conflict(_("This import was confirmed or cancelled already."))
        fresh.state, fresh.started_by = STATE.QUEUED, by
        fresh.save(update_fields=["state", "started_by"])
        uow.record("import.confirmed", subject=fresh, after=_named(fresh))
        uow.after_commit(lambda: tasks.wake_for_import(fresh.pk))
    return fresh


def cancel_import(*, run: ImportRun, by: User) -> ImportRun:
    """Give up an import that has not begun."""
    require(by, ACTION)
    with unit_of_work(by=by) as uow:
        fresh = lock_rows(ImportRun.objects.filter(pk=run.pk)).get()
        if fresh.state not in {STATE.PREVIEW, STATE.QUEUED}:
            raise Conflict(_("It is too late to cancel this import: it has begun or is over."))
        fresh.state, fresh.finished_at = STATE.CANCELLED, timezone.now()
        fresh.save(update_fields=["state", "finished_at"])
        uow.record("import.cancelled", subject=fresh, after=_named(fresh))
        uow.after_commit(lambda: drop_files(fresh))
    return fresh


def _planned(upload: File[bytes], profile_name: str, by: User) -> tuple[ImportRun, Plan, bytes]:
    require(by, ACTION)
    profile = named_profile(profile_name)
    content = upload.read(MAX_BYTES + 1)
    read = read_inventory(content, profile)
    plan = preview(read)
    within_reach(by)(plan)
    run = ImportRun(
        profile=profile.name,
        file_name=(upload.name or "")[-255:],
        file_sha256=sha256(content),
        started_by=by,
    )
    take_totals(run, plan, encoding=read.table.encoding, kind=read.table.kind)
    return run, plan, content


def _named(run: ImportRun) -> dict[str, object]:
    return {"file_name": run.file_name, "file_sha256": run.file_sha256, "profile": run.profile, "state": str(run.state)}
