"""A worker that is stopped in the middle of its work loses none of it and does none of it twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from config.env import BASE_DIR
from config.management.commands.up import background

TASKS = 40
BROKERS = ["", os.environ["REDIS_URL"]] if os.environ.get("REDIS_URL") else [""]


def _environment(data_dir: Path, redis_url: str) -> dict[str, str]:
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "TOLLGATE_DATA_DIR": str(data_dir), "REDIS_URL": redis_url}
    return {**os.environ, **own, "DATABASE_URL": ""}


def _send(environment: dict[str, str]) -> None:
    code = f"from tests.config.probe import leave_trace\nfor n in range({TASKS}): leave_trace.delay(n, 0.1)"
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=BASE_DIR, check=True, timeout=60)


def _start_worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [part for part in background(2)[-1].command if part != "--beat"]
    command[command.index("config")] = "tests.config.probe"
    return subprocess.Popen(command, env=environment, cwd=BASE_DIR)


def _wait_for(traces: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while not traces.exists() or len(traces.read_text().split()) < count:
        assert time.monotonic() < deadline, f"fewer than {count} tasks were done in a minute"
        time.sleep(0.05)


@pytest.mark.parametrize("redis_url", BROKERS, ids=["embedded", "redis"][: len(BROKERS)])
def test_a_worker_stopped_half_way_loses_no_task_and_repeats_none(tmp_path: Path, redis_url: str) -> None:
    environment, traces = _environment(tmp_path, redis_url), tmp_path / "traces"
    _send(environment)
    worker = _start_worker(environment)
    try:
        _wait_for(traces, 5)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
        assert len(traces.read_text().split()) < TASKS, "the worker was not stopped half-way"

        worker = _start_worker(environment)
        _wait_for(traces, TASKS)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    finally:
        if worker.poll() is None:
            worker.kill()
    done = Counter(int(number) for number in traces.read_text().split())
    assert done == Counter(range(TASKS))
