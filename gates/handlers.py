"""What gates do when a lower app announces a change: put the use case in the queue and wake a worker."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gates.assessment import ask_again
from gates.tasks import assess_all, wake


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
