"""Work of the portfolio that a request does not wait for."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from portfolio.importing.jobs import execute, give_up_old_previews, lost_runs

log = logging.getLogger(__name__)


def wake_for_import(run_id: UUID) -> None:
    """Tell a worker of a queued import. If the broker is away, the sweep takes the import up later."""
    try:
        import_inventory.apply_async((str(run_id),), retry=False)
    except OperationalError:
        log.warning("broker away, the sweep will take up import %s", run_id)


@shared_task
def import_inventory(run_id: str) -> None:
    """Carry out an import that somebody confirmed."""
    execute(UUID(run_id))


@shared_task
def sweep_imports() -> None:
    """Take up imports whose message or worker was lost, and give up those that nobody confirmed."""
    give_up_old_previews()
    for run_id in lost_runs():
        execute(run_id)
