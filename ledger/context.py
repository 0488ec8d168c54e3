"""Where a change came from: the request and the way its actor proved who they are.

Held in a context variable, one per thread and per task. The network address is never stored.
Authentication methods: ``session``, ``token:<prefix>``, ``command`` (the default: no request is running), ``worker``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

SYSTEM = "system"  # the actor of what nobody asked for: schedules, sweeps, ingestion
SESSION = "session"
COMMAND = "command"
WORKER = "worker"


@dataclass(frozen=True, slots=True)
class LedgerContext:
    """What every event of one request, command or task has in common."""

    request_id: str = ""
    auth_method: str = COMMAND


_NO_REQUEST = LedgerContext()
_context: ContextVar[LedgerContext] = ContextVar("ledger_context", default=_NO_REQUEST)


def current_context() -> LedgerContext:
    return _context.get()


def set_auth_method(auth_method: str) -> None:
    """Say how the actor of the running request signed in, once authentication knows (``token:<prefix>``)."""
    _context.set(replace(_context.get(), auth_method=auth_method))


@contextmanager
def ledger_context(*, request_id: str | None = None, auth_method: str | None = None) -> Iterator[LedgerContext]:
    """Use this request id and authentication method inside; what is not given stays as it is outside."""
    outside = _context.get()
    inside = LedgerContext(
        request_id=outside.request_id if request_id is None else request_id,
        auth_method=outside.auth_method if auth_method is None else auth_method,
    )
    token = _context.set(inside)
    try:
        yield inside
    finally:
        _context.reset(token)
