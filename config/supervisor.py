"""Keeps the parts of one installation running together, and stops them in the order in which nothing is lost.

Each part is a process in a session of its own, so that a Ctrl-C in the terminal reaches only the supervisor, which
then stops the web first (no new work), the scheduler next (no new sweeps) and the worker last (it finishes its task).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

LIVED_LONG_ENOUGH = 60.0  # seconds after which a crash is no longer counted as one of a row
LONGEST_PAUSE = 30.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Part:
    """One process to keep running. `grace`: seconds it may take to stop before it is told again, and then killed."""

    name: str
    command: Sequence[str]
    grace: float = 30.0
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    crashes: int = 0
    restart_at: float = 0.0
    reader: threading.Thread | None = field(default=None, repr=False)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs `parts` until SIGINT or SIGTERM; they are stopped in the order in which they are given."""

    def __init__(self, parts: Sequence[Part], environment: Mapping[str, str]) -> None:
        self.parts = parts
        self.environment = dict(environment)
        self.stopping = threading.Event()
        self._print_lock = threading.Lock()
        self._width = max(len(part.name) for part in parts)

    def run(self) -> None:
        previous = {number: signal.signal(number, self._ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for part in self.parts:
                self._start(part)
            while not self.stopping.wait(0.2):
                for part in self.parts:
                    self._look_after(part)
        finally:
            for part in self.parts:
                self._stop(part)
            for number, handler in previous.items():
                signal.signal(number, handler)

    def say(self, line: str, name: str = "tollgate") -> None:
        with self._print_lock:
            sys.stdout.write(f"{name:<{self._width}} | {line}\n")
            sys.stdout.flush()

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stopping.is_set():  # asked twice: do not wait any longer
            for part in self.parts:
                if part.process is not None and part.running:
                    _signal_group(part.process, signal.SIGKILL)
        self.stopping.set()

    def _start(self, part: Part) -> None:
        part.started = time.monotonic()
        part.process = subprocess.Popen(  # noqa: S603  # our own commands
            part.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_stop_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # one call into libc
        )
        part.reader = threading.Thread(target=self._pass_on, args=(part, part.process), daemon=True)
        part.reader.start()

    def _pass_on(self, part: Part, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip():
                self.say(line.rstrip("\n"), part.name)

    def _look_after(self, part: Part) -> None:
        if part.process is None:
            if time.monotonic() >= part.restart_at:
                self._start(part)
            return
        code = part.process.poll()
        if code is None:
            return
        lived = time.monotonic() - part.started
        part.crashes = 1 if lived > LIVED_LONG_ENOUGH else part.crashes + 1
        pause = min(2.0 ** (part.crashes - 1), LONGEST_PAUSE)
        part.restart_at = time.monotonic() + pause
        part.process = None
        self.say(f"ended with code {code}; starting it again in {pause:.0f} s", part.name)

    def _stop(self, part: Part) -> None:
        if part.process is None:
            return
        if part.running:
            self.say("stopping", part.name)
        # TERM lets work in hand finish; QUIT makes a Celery worker hand its unfinished messages back; KILL is the end.
        for number, patience in ((signal.SIGTERM, part.grace), (signal.SIGQUIT, 15.0), (signal.SIGKILL, 5.0)):
            if not part.running:
                break
            part.process.send_signal(number)
            try:
                part.process.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                continue
        if part.reader is not None:
            part.reader.join(timeout=2)


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def _stop_with_parent() -> None:
    """Ask the kernel to stop this child if the supervisor itself is killed, or it would keep the port for ever."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
