"""Who sends points, remembered from call to call: a pipeline that sends every second is looked up once.

What is remembered (the token's account, the series that it may send to) holds while nothing but points was recorded in
the ledger: every change of a token, a role, a delegation, a unit or a use case is recorded in the transaction that
makes it, so a revoked token is refused by the next call. What time alone changes is asked again after a few seconds.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

from rest_framework.request import Request

import ledger
from accounts.api.authentication import TokenAuthentication
from accounts.models import ApiToken, User
from ledger.quiet import quiet_since
from ledger.recording import next_index
from monitoring.addressing import Target
from monitoring.ingest import RECEIVED
from monitoring.wire import Address

SECONDS = 5.0
MOST_SENDERS = 1000
MOST_SERIES = 10_000


@dataclass(slots=True)
class Sender:
    """An account that was let in by its token. ``targets`` are series that it was found to be allowed to send to."""

    user: User
    token: ApiToken
    index: int
    until: float
    targets: dict[Address, Target] = field(default_factory=dict)

    def is_current(self) -> bool:
        return time.monotonic() < self.until and self.token.is_usable() and quiet_since(self.index, but=RECEIVED)


AUTHENTICATION: Any = [{"token": []}, {"cookieAuth": []}]
"""What the API's description says of it: remembered or not, it is the token of everywhere else."""

_remembered: dict[bytes, Sender] = {}


class SenderAuthentication(TokenAuthentication):
    """Bearer tokens as everywhere; ``request.sender`` is who was recognised."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        key = hashlib.sha256(request.headers.get("Authorization", "").encode()).digest()
        sender = _remembered.get(key)
        if sender is None or not sender.is_current():
            _remembered.pop(key, None)
            index, until = next_index(), time.monotonic() + SECONDS  # before anything is read
            signed_in = super().authenticate(request)
            if signed_in is None:
                return None
            sender = Sender(*signed_in, index, until)
            if len(_remembered) >= MOST_SENDERS:
                _remembered.clear()
            _remembered[key] = sender
        else:
            ledger.set_auth_method(f"token:{sender.token.prefix}")
        if len(sender.targets) > MOST_SERIES:
            sender.targets.clear()
        request.sender = sender  # type: ignore[attr-defined]  # read by known_targets
        return sender.user, sender.token


def known_targets(request: Request) -> dict[Address, Target] | None:
    """The memory of whoever sent this request; None for somebody who signed in by session."""
    sender = getattr(request, "sender", None)
    return sender.targets if isinstance(sender, Sender) else None
