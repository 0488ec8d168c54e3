"""Background tasks record what they do as done by a worker, under the id of the request that sent them.

Connected to Celery's signals in ``ready()``, so that no task has to think of it.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun

from ledger.context import WORKER, current_context, ledger_context

HEADER = "tollgate_request_id"

_running: dict[str, ExitStack] = {}


def connect() -> None:
    before_task_publish.connect(_send_request_id, dispatch_uid="ledger.worker.publish")
    task_prerun.connect(_enter, dispatch_uid="ledger.worker.prerun")
    task_postrun.connect(_leave, dispatch_uid="ledger.worker.postrun")


def _send_request_id(headers: dict[str, Any] | None = None, **kwargs: Any) -> None:
    request_id = current_context().request_id
    if headers is not None and request_id:
        headers.setdefault(HEADER, request_id)


def _enter(task_id: str, task: Any, **kwargs: Any) -> None:
    # A task that runs in the process of its sender (eager) keeps the sender's request id; one from the schedule is
    # known by its own id.
    request_id = task.request.get(HEADER) or current_context().request_id or task_id
    stack = ExitStack()
    stack.enter_context(ledger_context(request_id=str(request_id)[:64], auth_method=WORKER))
    _running[task_id] = stack


def _leave(task_id: str, **kwargs: Any) -> None:
    stack = _running.pop(task_id, None)
    if stack is not None:
        stack.close()
