"""Announcements to higher apps, sent after the transaction that caused them has committed."""

from __future__ import annotations

from uuid import UUID

from django.dispatch import Signal

from ledger import UnitOfWork

alert_changed = Signal()
"""An alert was opened, became a breach, was acknowledged, decided or resolved.

Arguments: ``use_case_id: UUID``, ``alert_id: UUID``, ``level: str`` (warn, act), ``state: str`` (open, acknowledged,
resolved).
"""


def announce_alert(uow: UnitOfWork, *, use_case_id: UUID, alert_id: UUID, level: str, state: str) -> None:
    """Send ``alert_changed`` once the outermost unit of work has committed."""
    uow.after_commit(
        lambda: alert_changed.send_robust(
            sender=None, use_case_id=use_case_id, alert_id=alert_id, level=level, state=state
        )
    )
