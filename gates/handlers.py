"""What gates do when a lower app announces a change: put the use case in the queue and wake a worker."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gates.assessment import ask_again
from gates.tasks import assess_all, lapse_votes, wake


def on_facts_changed(sender: Any, *, use_case_id: UUID, what: str, **_more: Any) -> None:
    ask_again([use_case_id])
    wake(use_case_id)


def on_portfolio_changed(sender: Any, *, use_case_ids: tuple[UUID, ...], **_more: Any) -> None:
    """Many at once, as after an import: one message for all of them."""
    ask_again(use_case_ids)
    assess_all.apply_async()


def on_alert_changed(sender: Any, *, use_case_id: UUID, **_more: Any) -> None:
    ask_again([use_case_id])
    wake(use_case_id)


def on_roles_changed(sender: Any, *, scope_kind: str, scope_ids: set[UUID], what: str, **_more: Any) -> None:
    """Who lost a role, or left: their votes on open reviews count no more."""
    if what == "ended":
        lapse_votes.apply_async((scope_kind, sorted(str(pk) for pk in scope_ids)))


def on_delegation_changed(sender: Any, *, what: str, **_more: Any) -> None:
    """What was signed by a delegation that was taken back counts no more."""
    if what == "ended":
        lapse_votes.apply_async()
