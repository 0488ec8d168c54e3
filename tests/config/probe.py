"""A Celery app for tests of the worker: the product's own, with one task that leaves a trace."""

from __future__ import annotations

import os
import time
from pathlib import Path

from config.celery import app

__all__ = ["app", "leave_trace"]


@app.task(name="tests.leave_trace")
def leave_trace(number: int, seconds: float) -> None:
    time.sleep(seconds)
    with Path(os.environ["TOLLGATE_DATA_DIR"], "traces").open("a") as traces:
        traces.write(f"{number}\n")
