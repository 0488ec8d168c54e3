"""How a delivery is carried out: claimed by a conditional UPDATE, sent outside any transaction, the result noted.

A claim counts the attempt and moves ``due_at`` to the time of the next one. So two workers never carry out the same
attempt, a worker that dies in the middle leaves a row that comes due again, and one that kills its worker every time
ends after ``ATTEMPTS`` like any other.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urljoin

import structlog
from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from notify.channel import Channel, DeliveryError, Message, channels
from notify.models import Delivery

log = structlog.get_logger(__name__)

BACKOFF = (
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
ATTEMPTS = len(BACKOFF) + 1
BATCH = 100


def send_due(limit: int = 1000) -> int:
    """Send deliveries that are due, oldest first; returns how many were handed over."""
    sent = tried = 0
    while tried < limit:
        due = Delivery.objects.filter(state=Delivery.State.QUEUED, due_at__lte=timezone.now())
        rows = list(due.select_related("notice__recipient").order_by("due_at", "pk")[:BATCH])
        if not rows:
            break
        for row in rows:
            tried += 1
            sent += claim(row) and carry_out(row)
    return sent


def claim(row: Delivery) -> bool:
    """Take the next attempt of this delivery; False when another worker has it."""
    now = timezone.now()
    unchanged = Delivery.objects.filter(pk=row.pk, state=Delivery.State.QUEUED, attempts=row.attempts)
    if row.attempts >= ATTEMPTS:  # its last attempt never came back
        unchanged.update(state=Delivery.State.FAILED, error=row.error or "The worker stopped while sending.")
        return False
    wait = BACKOFF[min(row.attempts, len(BACKOFF) - 1)]
    if not unchanged.filter(due_at__lte=now).update(attempts=F("attempts") + 1, due_at=now + wait):
        return False
    row.attempts += 1
    return True


def carry_out(row: Delivery) -> bool:
    """Send a claimed delivery and note how it went; whether it was handed over."""
    try:
        _channel(row).send(_message(row))
    except DeliveryError as error:
        _note_failure(row, str(error), permanent=error.permanent)
    except Exception as error:
        # A defect in one channel must not keep the others from being sent.
        log.exception("notify.delivery_failed", delivery=row.pk, channel=row.channel)
        _note_failure(row, f"{type(error).__name__}: {error}", permanent=False)
    else:
        _result(row).update(state=Delivery.State.SENT, sent_at=timezone.now(), error="")
        return True
    return False


def _channel(row: Delivery) -> Channel:
    if row.channel not in channels:
        raise DeliveryError(f"There is no channel {row.channel!r} in this installation.", permanent=True)
    if not row.notice.recipient.is_active:
        raise DeliveryError("The account is not active any more.", permanent=True)
    return channels.get(row.channel)


def _message(row: Delivery) -> Message:
    notice = row.notice
    base = f"{settings.TOLLGATE_PUBLIC_URL}/"
    url = urljoin(base, notice.url) if notice.url else ""
    return Message(notice.recipient, notice.kind, notice.title, notice.body, url)


def _note_failure(row: Delivery, reason: str, *, permanent: bool) -> None:
    over = permanent or row.attempts >= ATTEMPTS
    state = Delivery.State.FAILED if over else Delivery.State.QUEUED
    _result(row).update(state=state, error=reason[:500])
    if over:
        log.warning("notify.delivery_given_up", delivery=row.pk, channel=row.channel, reason=reason[:200])


def _result(row: Delivery) -> QuerySet[Delivery]:
    """The row as our claim left it: a late answer never overwrites that of a later attempt."""
    return Delivery.objects.filter(pk=row.pk, attempts=row.attempts, state=Delivery.State.QUEUED)
