"""Deleted dashboards can be had back for a while; then they go, one by one, each on record."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from kernel.database import lock_rows
from ledger import SYSTEM, unit_of_work
from monitoring.models import Dashboard
from monitoring.models.dashboards import KEPT

AT_ONCE = 500


def forget_deleted(now: datetime) -> int:
    """Delete for good what was deleted longer than ``KEPT`` ago; returns how many."""
    due = Dashboard.objects.filter(deleted_at__lte=now - KEPT).order_by("deleted_at")
    return sum(_forget(pk, now) for pk in due.values_list("pk", flat=True)[:AT_ONCE])


def _forget(pk: UUID, now: datetime) -> bool:
    with unit_of_work(by=SYSTEM) as uow:
        row = lock_rows(Dashboard.objects.filter(pk=pk, deleted_at__lte=now - KEPT)).first()
        if row is None:  # had back meanwhile
            return False
        before = {"name": row.name, "owner": str(row.owner_id), "deleted_at": row.deleted_at}
        uow.record("dashboard.purged", subject=row, use_case=row.use_case, before=before)
        row.delete()
    return True
