"""Who must be told what: notices, and their deliveries over channels."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Notice(models.Model):
    """One message to one person. Written in the transaction that caused it; sent later by a worker."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=60, help_text=_("Such as review.submitted."))
    title = models.CharField(max_length=300)
    body = models.TextField(blank=True)
    url = models.CharField(max_length=500, blank=True)
    dedupe_key = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[tuple[str, ...]] = ("-created_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("recipient", "dedupe_key"), condition=~models.Q(dedupe_key=""), name="notice_once"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("recipient", "read_at", "-created_at"), name="notice_inbox")
        ]

    def __str__(self) -> str:
        return self.title


class Delivery(models.Model):
    """One notice over one channel. The row is written before the I/O, the result after."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed for good")

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    error = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[tuple[str, ...]] = ("due_at",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("notice", "channel"), name="delivery_once_per_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.state}"


class ChannelChoice(models.Model):
    """Whether one person wants notices about one topic over one channel. No row: as the topic itself says."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="channel_choices")
    channel = models.CharField(max_length=20)
    topic = models.CharField(max_length=40)
    wanted = models.BooleanField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("user", "channel", "topic"), name="channel_choice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.channel}: {self.wanted}"
