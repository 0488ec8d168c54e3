"""`manage.py up`: web, worker and scheduler together, for one machine. Ctrl-C stops them and loses nothing."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from accounts.demo import demo_roles
from config import env
from config.env import PUBLIC_URL, REDIS_URL
from config.supervisor import Part, Supervisor

ROLES_TO_SHOW = (
    "business_sponsor",
    "use_case_lead",
    "technical_lead",
    "risk_compliance",
    "portfolio_manager",
    "auditor",
)
_LONGEST_SOCKET_PATH = 100  # the kernel allows 107 bytes for the path of a Unix socket


class Command(BaseCommand):
    help = "Runs web, worker and scheduler together and stops them cleanly on Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")
        parser.add_argument("--web-workers", type=int, default=env.env.int("TOLLGATE_WEB_WORKERS", default=2))
        parser.add_argument("--concurrency", type=int, default=env.env.int("TOLLGATE_WORKERS", default=2))

    def handle(self, *args: Any, host: str, port: int, web_workers: int, concurrency: int, **options: Any) -> None:
        run_dir = settings.TOLLGATE_DATA_DIR / "run"
        run_dir.mkdir(parents=True, exist_ok=True)
        refuse_taken_port(host, port)
        with only_one(run_dir / "up.lock"):
            parts = [web(host, port, web_workers, run_dir), *background(concurrency)]
            supervisor = Supervisor(parts, {**os.environ, "PYTHONUNBUFFERED": "1"})
            address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104  # compared, not bound
            threading.Thread(target=greet, args=(supervisor, address), daemon=True).start()
            supervisor.run()
            supervisor.say("stopped")


def web(host: str, port: int, workers: int, run_dir: Path) -> Part:
    control = run_dir / "gunicorn.ctl"
    short_enough = len(os.fsencode(control)) <= _LONGEST_SOCKET_PATH
    command = [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"{host}:{port}"]
    command += ["--worker-class", "gthread", "--workers", str(workers), "--threads", "8"]
    command += ["--worker-tmp-dir", _heartbeats(run_dir), "--graceful-timeout", "20", "--log-level", "warning"]
    command += ["--control-socket", str(control)] if short_enough else ["--no-control-socket"]
    return Part("web", command, grace=25)


def _heartbeats(run_dir: Path) -> str:
    """Where workers show that they live, several times a request: in memory where there is a place, for on a disk it
    takes as long as a small query.
    """
    memory = Path("/dev/shm")  # noqa: S108  # gunicorn removes the file's name as it opens it
    return str(memory if os.access(memory, os.W_OK) else run_dir)


def background(concurrency: int) -> list[Part]:
    """The scheduler lives inside the worker on the embedded broker, and beside it where Redis allows many workers."""
    celery = [sys.executable, "-m", "celery", "--app", "config", "--quiet"]
    # Workers do not talk to each other: there is one, and the embedded broker has nothing to talk over.
    worker = [*celery, "worker", "--concurrency", str(concurrency), "--loglevel", "INFO"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    if not REDIS_URL:
        return [Part("worker", [*worker, "--beat"])]
    return [Part("scheduler", [*celery, "beat", "--pidfile=", "--loglevel", "INFO"], grace=10), Part("worker", worker)]


def refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port}: {error.strerror}. Try --port {port + 1}.") from error


class only_one:  # noqa: N801  # reads as a verb where it is used
    """One `up` per data directory: two schedulers would do every sweep twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handle: IO[str] | None = None

    def __enter__(self) -> None:
        self.handle = self.path.open("w")
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.handle.close()
            message = f"Tollgate is already running on {settings.TOLLGATE_DATA_DIR}. Stop it first."
            raise CommandError(message) from error

    def __exit__(self, *exception: object) -> None:
        assert self.handle is not None
        self.handle.close()


def greet(supervisor: Supervisor, address: str) -> None:
    """Say where to go once somebody answers there."""
    while not supervisor.stopping.is_set():
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2):  # noqa: S310  # our own address
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    else:
        return
    supervisor.say(f"Open {PUBLIC_URL or address}  (Ctrl-C stops)")
    if settings.TOLLGATE_DEMO:
        supervisor.say(f"Demonstration mode: choose who to be on {address}/accounts/demo/, for example")
        for line in somebody_to_be():
            supervisor.say(line)


def somebody_to_be() -> list[str]:
    """One person for each role that the tour of the product needs, as far as there are any."""
    try:
        first = {group.role.key: (group.role.name, group.people[0].user.full_name) for group in demo_roles()}
    except DatabaseError:  # no tables yet: `prepare` makes them, and /readyz says so
        return []
    finally:
        connection.close()  # this is a thread of its own, and nobody else would close it
    return [f"  {first[key][0]:<30} {first[key][1]}" for key in ROLES_TO_SHOW if key in first]
