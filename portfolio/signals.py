"""Announcements to higher apps, sent after the transaction that caused them has committed."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.dispatch import Signal

from ledger import UnitOfWork

facts_changed = Signal()
"""Facts of one use case changed. Arguments: ``use_case_id: UUID``, ``what: str`` (evidence, kpi, model, ...)."""

portfolio_changed = Signal()
"""Facts of many use cases changed at once, as by an import. Arguments: ``use_case_ids: tuple[UUID, ...]``, ``what``."""


def announce_change(uow: UnitOfWork, use_case_id: UUID, what: str) -> None:
    """Send ``facts_changed`` once the outermost unit of work has committed.

    ``what`` is a word of the policy's ``invalidated_by`` where one fits: purpose, data, model, prompt,
    integration, oversight, owner, vendor, incident, evidence; else the noun that changed.
    """
    uow.after_commit(lambda: facts_changed.send_robust(sender=None, use_case_id=use_case_id, what=what))


def announce_changes(uow: UnitOfWork, use_case_ids: Iterable[UUID], what: str) -> None:
    """The same for many use cases, in one announcement: thousands of single ones would keep the workers from others."""
    ids = tuple(use_case_ids)
    if ids:
        uow.after_commit(lambda: portfolio_changed.send_robust(sender=None, use_case_ids=ids, what=what))
