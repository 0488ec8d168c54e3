"""Telling people: notices are written with what they tell of, and sent once that has committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from accounts.models import User
from kernel.canonical import canonical_bytes
from notify.channel import channels
from notify.models import ChannelChoice, Notice, WebhookEndpoint, WebhookMessage
from notify.outbox import Letter, write
from notify.tasks import wake, wake_webhooks
from notify.topics import TOPICS


def tell(
    *, recipients: Iterable[User], kind: str, title: str, body: str = "", url: str = "", dedupe_key: str = ""
) -> list[Notice]:
    """Write a notice for each recipient, inside the caller's unit of work; deliveries go out after it committed.

    ``kind`` is ``noun.verb_past`` (``review.submitted``), ``url`` a path within Tollgate. With a ``dedupe_key`` a
    person is told once, however often this is called: only new notices are returned. Machines and accounts that are
    not active are left out.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("tell() belongs inside the unit of work that it tells of.")
    letter = Letter(kind=kind, title=title, body=body, url=url, dedupe_key=dedupe_key)
    notices, has_to_be_sent = write(letter, recipients)
    if has_to_be_sent:
        transaction.on_commit(wake)
    return notices


def send_webhook(*, endpoint: WebhookEndpoint, kind: str, subject: str, data: Mapping[str, Any]) -> WebhookMessage:
    """Write a signed message inside the caller's unit of work; it goes out after that committed (``webhooks``).

    ``subject`` says what it is about (kind and id), so that whoever caused it hears how it ended.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("send_webhook() belongs inside the unit of work that it tells of.")
    now = timezone.now()
    body = canonical_bytes({"type": kind, "timestamp": now, "data": dict(data)}).decode()
    message = WebhookMessage.objects.create(endpoint=endpoint, kind=kind, subject=subject[:80], body=body, due_at=now)
    transaction.on_commit(wake_webhooks)
    return message


def retry_webhook(message: WebhookMessage) -> bool:
    """Send a message that failed for good again, from its first attempt on; False when it is not in that state."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("retry_webhook() belongs inside the unit of work that it tells of.")
    failed = WebhookMessage.objects.filter(pk=message.pk, state=WebhookMessage.State.FAILED)
    changed = failed.update(state=WebhookMessage.State.QUEUED, attempts=0, due_at=timezone.now(), error="")
    transaction.on_commit(wake_webhooks)
    return bool(changed)


def mark_read(*, user: User, notices: Iterable[UUID] | None = None) -> int:
    """Mark some of a person's notices as read, or all of them; returns how many were not before."""
    unread = Notice.objects.filter(recipient=user, read_at__isnull=True)
    if notices is not None:
        unread = unread.filter(pk__in=list(notices))
    return unread.update(read_at=timezone.now())


def choose_channels(*, user: User, channel: str, topics: Iterable[str]) -> None:
    """Keep by which topics ``user`` wants to be told over ``channel``; the others no longer go there."""
    if channel not in channels:
        raise KeyError(channel)
    wanted = set(topics)
    ChannelChoice.objects.bulk_create(
        [ChannelChoice(user=user, channel=channel, topic=topic, wanted=topic in wanted) for topic in TOPICS],
        update_conflicts=True,
        unique_fields=["user", "channel", "topic"],
        update_fields=["wanted"],
    )


def wanted_topics(user: User, channel: str) -> set[str]:
    """Topics that ``user`` gets over ``channel``: as chosen, else as the topic itself says."""
    chosen = dict(ChannelChoice.objects.filter(user=user, channel=channel).values_list("topic", "wanted"))
    return {key for key, topic in TOPICS.items() if chosen.get(key, topic.by_email)}
