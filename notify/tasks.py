"""Sending what is due. A message over the broker only wakes a worker; the rows say what there is to do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from celery import shared_task

from notify import delegation_notices, delivery, role_notices, webhooks

log = structlog.get_logger(__name__)


@shared_task(time_limit=300, soft_time_limit=240)
def deliver() -> int:
    """Send everything that is due; the schedule repeats it, so a lost wake-up delays and loses nothing."""
    return delivery.send_due()


@shared_task(time_limit=300, soft_time_limit=240)
def deliver_webhooks() -> int:
    """Send the signed messages that are due; the schedule repeats it like the one above."""
    return webhooks.send_due()


@shared_task(time_limit=60, soft_time_limit=50)
def tell_of_roles(assignment_ids: list[str], what: str) -> None:
    """Tell people that they were given a role, or that one of theirs ended."""
    role_notices.tell_of_roles([UUID(key) for key in assignment_ids], what)
    delivery.send_due()


@shared_task(time_limit=60, soft_time_limit=50)
def tell_of_delegation(delegation_id: str, what: str) -> None:
    """Tell both people that one stands in for the other, or does so no longer."""
    delegation_notices.tell_of_delegation(UUID(delegation_id), what)
    delivery.send_due()


def wake() -> None:
    """Ask a worker to deliver now. A broker that does not answer is no reason to fail what has already committed."""
    _wake(deliver)


def wake_webhooks() -> None:
    """The same for signed messages."""
    _wake(deliver_webhooks)


def _wake(task: Any) -> None:
    try:
        task.apply_async(expires=60, retry=False)
    except Exception as error:
        log.warning("notify.worker_not_woken", reason=str(error))
