"""What monitoring does when a lower app announces something: receivers only enqueue."""

from __future__ import annotations

from typing import Any

import structlog

log = structlog.get_logger(__name__)
SUBJECT = "retraining:"


def on_webhook_settled(sender: Any, *, subject: str, state: str, message_id: Any = "", **_more: Any) -> None:
    """A message about a request was given up: somebody has to hear of it."""
    from monitoring.tasks import tell_undelivered

    if state != "failed" or not subject.startswith(SUBJECT):
        return
    try:
        tell_undelivered.apply_async((subject.removeprefix(SUBJECT), str(message_id)), retry=False)
    except Exception as error:  # the broker is away; the request's page shows the failed attempts all the same
        log.warning("monitoring.undelivered_not_told", reason=str(error))
