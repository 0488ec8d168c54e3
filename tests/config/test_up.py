"""`manage.py up` as a person meets it: started in a shell, stopped with Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.env import BASE_DIR

MANAGE = [sys.executable, str(BASE_DIR / "manage.py")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(data_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {**kept, "DJANGO_SETTINGS_MODULE": "config.settings", "TOLLGATE_DATA_DIR": str(data_dir)}


@contextmanager
def _running(data_dir: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*MANAGE, "up", "--port", str(port), "--web-workers", "1", "--concurrency", "1"],
        env=_environment(data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _wait_for_answer(port)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait_for_answer(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < deadline, "nobody answered within a minute"
            time.sleep(0.2)


def _processes_with(text: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if text.encode() in environment and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for left-over processes in /proc")
def test_ctrl_c_stops_every_part_and_exits_with_0(tmp_path: Path) -> None:
    with _running(tmp_path, _free_port()) as process:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    lines = output.splitlines()
    stopped = [line.split("|")[0].strip() for line in lines if line.endswith("| stopping")]
    assert stopped == (["web", "scheduler", "worker"] if os.environ.get("REDIS_URL") else ["web", "worker"]), (
        output
    )  # no new work comes in while the worker finishes
    assert lines[-1].endswith("| stopped")
    assert _processes_with(f"TOLLGATE_DATA_DIR={tmp_path}") == []


def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    port = _free_port()
    with _running(tmp_path, port) as process:
        master = subprocess.run(["pgrep", "-P", str(process.pid), "-f", "gunicorn"], capture_output=True, text=True)
        os.kill(int(master.stdout.split()[0]), signal.SIGKILL)
        time.sleep(1.5)
        _wait_for_answer(port)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "ended with code -9; starting it again" in output


def test_a_taken_port_is_refused_with_advice(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(
            [*MANAGE, "up", "--port", str(port)], env=_environment(tmp_path), capture_output=True, text=True, timeout=60
        )
    assert result.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "--port" in result.stderr


def test_a_second_up_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with _running(tmp_path, _free_port()):
        result = subprocess.run(
            [*MANAGE, "up", "--port", str(_free_port())],
            env=_environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert result.returncode == 1
    assert "already running" in result.stderr
