"""Leases: a worker takes a job up, says that it still works on it, and makes sure at the end that it is its own.

1. ``claim`` takes a lease under the row's lock.
2. The work runs outside any transaction, as long as it takes; ``teller`` moves the lease on and tells how far it came.
3. What came of it is stored in one transaction that begins with ``held``. A worker that died leaves a lease that runs
   out; after ``MOST_ATTEMPTS`` the job is given up by whoever makes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from kernel.database import lock_rows
from monitoring.models.jobs import Job

J = TypeVar("J", bound=Job)
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 3
TELL_EVERY = 1.0
"""Seconds between two notes of how far a job came."""
TAKEN = ("state", "lease", "leased_until", "attempts", "progress", "started_at")


class Lost(Exception):
    """The lease is no longer ours: somebody cancelled, or another worker took over."""


def claimable(jobs: QuerySet[J], now: datetime) -> QuerySet[J]:
    """Jobs that wait for a worker, or whose worker was lost."""
    lost = Q(state=Job.JobState.RUNNING, leased_until__lt=now)
    return jobs.filter(Q(state=Job.JobState.WAITING) | lost)


def claim(jobs: QuerySet[J], pk: UUID) -> UUID | None:
    """A lease on this job; None if it is done, or somebody else's."""
    now, lease = timezone.now(), uuid4()
    with transaction.atomic():
        row = lock_rows(claimable(jobs, now).filter(pk=pk)).first()
        if row is None:
            return None
        row.state, row.lease, row.leased_until = Job.JobState.RUNNING, lease, now + LEASE
        row.attempts, row.progress, row.started_at = row.attempts + 1, 0, now
        row.save(update_fields=TAKEN)
    return lease


def teller(jobs: QuerySet[J], pk: UUID, lease: UUID) -> Callable[[int, int], None]:
    """Notes how many of how many parts are done and moves the lease on, about once a second. Raises ``Lost``."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last < TELL_EVERY:
            return
        last = time.monotonic()
        share = min(99, 100 * done // total) if total else 0
        if not jobs.filter(pk=pk, lease=lease).update(progress=share, leased_until=timezone.now() + LEASE):
            raise Lost

    return tell


def held(jobs: QuerySet[J], pk: UUID, lease: UUID) -> J:
    """The job, locked, while the lease is still ours. Raises ``Lost``."""
    row = lock_rows(jobs.filter(pk=pk, lease=lease)).first()
    if row is None:
        raise Lost
    return row
