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


class WebhookEndpoint(models.Model):
    """An address of another system that signed messages go to. The secret is sealed and never shown again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    url = models.URLField(max_length=500)
    secret = models.TextField(blank=True, help_text=_("Sealed; see kernel.sealing."))
    enabled = models.BooleanField(default=True)
    disabled_because = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[tuple[str, ...]] = ("name",)

    def __str__(self) -> str:
        return self.name


class WebhookMessage(models.Model):
    """One message to one endpoint. The key is the message's own id, which stays the same for every attempt."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENT = "sent", _("Delivered")
        FAILED = "failed", _("Failed for good")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=60, help_text=_("Such as retraining.requested."))
    subject = models.CharField(max_length=80, db_index=True, help_text=_("What it is about: kind and id."))
    body = models.TextField(help_text=_("The JSON exactly as it is sent and signed."))
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    tried_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[tuple[str, ...]] = ("-created_at",)
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=("state", "due_at"), name="webhook_due")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.state}"
