"""Announcements to higher apps, sent after the transaction that caused them has committed."""

from __future__ import annotations

from uuid import UUID

from django.dispatch import Signal

from ledger import UnitOfWork

roles_changed = Signal()
"""Who holds which role changed. Arguments: ``scope_kind`` ("unit", "use_case"), ``scope_ids``: set of UUID,
``assignment_ids``: list of UUID, ``what`` ("assigned", "ended")."""


delegation_changed = Signal()
"""Somebody stands in for somebody, or does so no longer. Arguments: ``delegation_id``: UUID, ``what`` ("given",
"ended")."""


def announce_roles(
    uow: UnitOfWork, *, scope_kind: str, scope_ids: set[UUID], assignment_ids: list[UUID], what: str
) -> None:
    uow.after_commit(
        lambda: roles_changed.send_robust(
            sender=None, scope_kind=scope_kind, scope_ids=scope_ids, assignment_ids=assignment_ids, what=what
        )
    )


def announce_delegation(uow: UnitOfWork, *, delegation_id: UUID, what: str) -> None:
    uow.after_commit(lambda: delegation_changed.send_robust(sender=None, delegation_id=delegation_id, what=what))
