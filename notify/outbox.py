"""The outbox: a notice a person and a delivery a channel, written in the transaction that caused them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from notify.channel import Channel, channels
from notify.models import ChannelChoice, Delivery, Notice
from notify.topics import topic_of

BATCH = 500


@dataclass(frozen=True, slots=True)
class Letter:
    """What is told. The fields are those of a notice."""

    kind: str
    title: str
    body: str = ""
    url: str = ""
    dedupe_key: str = ""


def write(letter: Letter, recipients: Iterable[User]) -> tuple[list[Notice], bool]:
    """The notices that are new, and whether any of their deliveries has to be sent by a worker."""
    people = {user.pk: user for user in recipients if user.is_active and user.is_person}
    notices = _write(list(people), letter)
    return notices, bool(notices) and _queue(notices, people, letter.kind)


def _write(people: list[UUID], letter: Letter) -> list[Notice]:
    fields = {**asdict(letter), "title": str(letter.title)[:300], "dedupe_key": letter.dedupe_key[:200]}
    rows = [Notice(recipient_id=person, **fields) for person in people]
    Notice.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=bool(letter.dedupe_key))
    if not letter.dedupe_key:
        return rows
    # Which of them met an older notice is known only by asking what is there.
    written = set(Notice.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    return [row for row in rows if row.pk in written]


def _queue(notices: list[Notice], people: Mapping[UUID, User], kind: str) -> bool:
    """Write the deliveries; whether any of them has to be sent."""
    topic = topic_of(kind)
    choices = ChannelChoice.objects.filter(user__in=list(people), topic=topic.key)
    chosen = {(user, channel): wanted for user, channel, wanted in choices.values_list("user_id", "channel", "wanted")}
    now = timezone.now()
    rows = [
        _delivery(notice, channel, now)
        for notice in notices
        for channel in channels
        if channel.reaches(people[notice.recipient_id])
        and (channel.immediate or chosen.get((notice.recipient_id, channel.key), topic.by_email))
    ]
    Delivery.objects.bulk_create(rows, batch_size=BATCH)
    return any(row.state == Delivery.State.QUEUED for row in rows)


def _delivery(notice: Notice, channel: Channel, now: datetime) -> Delivery:
    if channel.immediate:
        return Delivery(notice=notice, channel=channel.key, state=Delivery.State.SENT, due_at=now, sent_at=now)
    return Delivery(notice=notice, channel=channel.key, due_at=now)
