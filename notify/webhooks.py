"""Signed messages to other systems, as Standard Webhooks describes them (https://www.standardwebhooks.com, version 1).

A message is written in the transaction that causes it and sent afterwards by a worker, again and again with growing
pauses until the receiver answers 2xx. Its id stays the same, so that a receiver knows a repetition; its signature is
HMAC-SHA-256 over ``id.timestamp.body``, so that a receiver knows the sender and an old message. Redirects are not
followed; an answer of 410 switches the endpoint off. What goes out passes ``kernel.http``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx2
import structlog
from django.db.models import F, QuerySet
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel import sealing
from kernel.canonical import canonical_bytes
from kernel.errors import Invalid
from kernel.http import OutboundRefused, guarded_client
from notify.delivery import ATTEMPTS, BACKOFF
from notify.models import WebhookEndpoint, WebhookMessage

log = structlog.get_logger(__name__)

PURPOSE = b"tollgate: secrets of webhook endpoints"
PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret, as the standard asks for."""
MAX_ANSWER = 64 * 1024
MAX_SECONDS = 15.0
GONE = 410

webhook_settled = Signal()
"""A message was delivered or given up. Arguments: ``message_id: UUID``, ``subject: str``, ``state: str``."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How one attempt went."""

    ok: bool
    status_code: int | None
    error: str


def new_secret() -> str:
    """A secret of 32 random bytes, spelled as the standard does."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> bytes:
    """The bytes of a secret; ``Invalid`` unless it is ``whsec_`` and 24 to 64 bytes in base64."""
    said = _("A secret begins with whsec_, followed by 24 to 64 bytes in base64.")
    try:
        raw = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(raw) <= LONGEST:
        raise Invalid(said, errors={"secret": [said]})
    return raw


def seal(secret: str) -> str:
    check_secret(secret)
    return sealing.seal(secret.encode(), purpose=PURPOSE)


def signature(secret: str, message_id: str, at: datetime, body: str) -> str:
    """The value of the header ``webhook-signature``."""
    signed = f"{message_id}.{int(at.timestamp())}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(check_secret(secret), signed, hashlib.sha256).digest()).decode()


def send_due(limit: int = 200) -> int:
    """Send messages that are due, oldest first; returns how many were delivered."""
    due = WebhookMessage.objects.filter(state=WebhookMessage.State.QUEUED, due_at__lte=timezone.now())
    sent = 0
    for row in list(due.filter(endpoint__enabled=True).select_related("endpoint").order_by("due_at", "pk")[:limit]):
        if _claim(row):
            sent += _carry_out(row)
    return sent


def send_now(endpoint: WebhookEndpoint) -> Tried:
    """One message of the kind ``tollgate.test``, at once and once: for a person who tries the endpoint."""
    body = canonical_bytes({"type": "tollgate.test", "timestamp": timezone.now(), "data": {"name": endpoint.name}})
    return _post(endpoint, f"test_{secrets.token_hex(8)}", body.decode())


def _claim(row: WebhookMessage) -> bool:
    """Take the next attempt; False when another worker has it, or the last one never came back."""
    now = timezone.now()
    unchanged = WebhookMessage.objects.filter(
        pk=row.pk, state=WebhookMessage.State.QUEUED, attempts=row.attempts, due_at__lte=now
    )
    if row.attempts >= ATTEMPTS:
        if unchanged.update(state=WebhookMessage.State.FAILED, error=row.error or "The worker stopped while sending."):
            _settled(row, WebhookMessage.State.FAILED)
        return False
    wait = BACKOFF[min(row.attempts, len(BACKOFF) - 1)]
    if not unchanged.update(attempts=F("attempts") + 1, due_at=now + wait, tried_at=now):
        return False
    row.attempts += 1
    return True


def _carry_out(row: WebhookMessage) -> bool:
    tried = _post(row.endpoint, str(row.pk), row.body)
    gone = tried.status_code == GONE
    over = gone or row.attempts >= ATTEMPTS
    state = WebhookMessage.State.SENT if tried.ok else WebhookMessage.State.FAILED if over else row.State.QUEUED
    values: dict[str, Any] = {"state": state, "status_code": tried.status_code, "error": tried.error}
    if tried.ok:
        values["sent_at"] = timezone.now()
    changed = _result(row).update(**values)
    if gone:
        said = "It answered 410: the receiver does not want messages any more."
        WebhookEndpoint.objects.filter(pk=row.endpoint_id).update(enabled=False, disabled_because=said)
    if changed and state != row.State.QUEUED:
        _settled(row, state)
    return tried.ok


def _post(endpoint: WebhookEndpoint, message_id: str, body: str) -> Tried:
    now = timezone.now()
    try:
        secret = sealing.unseal(endpoint.secret, purpose=PURPOSE).decode()
    except sealing.SecretLost:
        return Tried(False, None, "The secret cannot be read any more: set a new one.")
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature(secret, message_id, now, body),
    }
    try:
        with guarded_client(max_bytes=MAX_ANSWER, max_seconds=MAX_SECONDS, follow_redirects=False) as client:
            answer = client.post(endpoint.url, content=body.encode(), headers=headers)
    except OutboundRefused as error:
        return Tried(False, None, f"{error} {error.hint}".strip()[:500])
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        return Tried(False, None, f"{type(error).__name__}: {error}".replace(secret, "•••")[:500])
    code = int(answer.status_code)
    if 200 <= code < 300:
        return Tried(True, code, "")
    return Tried(False, code, f"It answered {code}.")


def _settled(row: WebhookMessage, state: str) -> None:
    if state == WebhookMessage.State.FAILED:
        log.warning("notify.webhook_given_up", message=str(row.pk), kind=row.kind)
    webhook_settled.send_robust(sender=None, message_id=row.pk, subject=row.subject, state=str(state))


def _result(row: WebhookMessage) -> QuerySet[WebhookMessage, WebhookMessage]:
    """The row as our claim left it: a late answer never overwrites that of a later attempt."""
    return WebhookMessage.objects.filter(pk=row.pk, attempts=row.attempts, state=WebhookMessage.State.QUEUED)


def parsed(message: WebhookMessage) -> dict[str, Any]:
    """The body as data, for pages."""
    found: dict[str, Any] = json.loads(message.body)
    return found
