"""An installation for one benchmark: a data directory or a PostgreSQL database of its own, gone when it is done."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
INVENTORY = Path(
    os.environ.get("TOLLGATE_SHARED_DATA", ROOT.parent / "shared" / "data"), "us_federal_ai_use_cases_2024.csv"
)
HEARTBEATS = ["--worker-tmp-dir", "/dev/shm"] if os.path.isdir("/dev/shm") else []  # as documented
POSTGRES = os.environ.get("BENCH_DATABASE_URL", "postgres://root@127.0.0.1:5432/postgres")


class Installation:
    def __init__(self, environment: dict[str, str]) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOLLGATE_")}
        clean.pop("REDIS_URL", None)
        clean.pop("DATABASE_URL", None)
        self.environment = {**clean, "DJANGO_SETTINGS_MODULE": "config.settings", **environment}
        self.environment["TOLLGATE_LOG_LEVEL"] = "ERROR"
        # The job queue of production where one is named: announcing a change is part of making it.
        if "DATABASE_URL" in environment and (redis := os.environ.get("BENCH_REDIS_URL")):
            self.environment["REDIS_URL"] = redis

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        result = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise SystemExit(f"{' '.join(arguments)}: {result.stderr.strip()[-2000:]}")
        return result.stdout

    def seconds(self, *arguments: str) -> float:
        began = time.perf_counter()
        self.manage(*arguments)
        return time.perf_counter() - began

    def fill(self, use_cases: int) -> float:
        """A portfolio of that size, unless there is one; seconds that it took."""
        self.manage("prepare")
        count = "from portfolio.models import UseCase; print('made', UseCase.objects.count())"
        there = int(self.manage("shell", "-v0", "-c", count).split("made ")[-1])
        if there:
            return 0.0
        return self.seconds("generate_portfolio", "--use-cases", str(use_cases), "--seed", "1")

    def cost(self, *arguments: str) -> tuple[float, float]:
        """Seconds that a command took, and seconds of processor time: the latter is little changed by other work."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = self.seconds(*arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    @contextmanager
    def web(self, *, processes: int = 1, threads: int = 8, core: int | None = None) -> Iterator[str]:
        """The web alone, on one core if one is named."""
        port = free_port()
        settled = self.served(
            "config.wsgi:application", port, "/healthz", processes=processes, threads=threads, core=core
        )
        with settled as address:
            yield address

    @contextmanager
    def served(
        self,
        application: str,
        port: int,
        ready: str,
        *,
        processes: int = 1,
        threads: int = 8,
        core: int | None = None,
    ) -> Iterator[str]:
        """Any WSGI application by gunicorn, once it answers at ``ready``."""
        command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"]
        command += ["--worker-class", "gthread", "--workers", str(processes), "--threads", str(threads)]
        command += ["--no-control-socket", "--log-level", "error", *HEARTBEATS]
        process = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        if core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, {core})
        try:
            wait_for(f"http://127.0.0.1:{port}{ready}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextmanager
def on_sqlite() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as folder:
        installation = Installation({"TOLLGATE_DATA_DIR": folder})
        installation.manage("migrate", "-v0")
        yield installation


@contextmanager
def on_postgres(url: str | None = None) -> Iterator[Installation]:
    """A database of its own on the server of `BENCH_DATABASE_URL`, or one that is kept."""
    if url is not None:
        with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as folder:
            kept = Installation({"TOLLGATE_DATA_DIR": folder, "DATABASE_URL": url})
            kept.manage("migrate", "-v0")
            yield kept
        return
    name = f"tollgate_bench_{os.getpid()}"
    server = urlsplit(POSTGRES)
    psql = ["psql", "--quiet", POSTGRES, "--command"]
    subprocess.run([*psql, f"CREATE DATABASE {name}"], check=True)
    try:
        with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as folder:
            url = urlunsplit(server._replace(path=f"/{name}"))
            installation = Installation({"TOLLGATE_DATA_DIR": folder, "DATABASE_URL": url})
            installation.manage("migrate", "-v0")
            yield installation
    finally:
        subprocess.run([*psql, f"DROP DATABASE {name} WITH (FORCE)"], check=True)


def postgres_answers() -> bool:
    try:
        return subprocess.run(["pg_isready", "--quiet", "--dbname", POSTGRES], check=False).returncode == 0
    except FileNotFoundError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, patience: float = 300.0) -> float:
    """Seconds until somebody answers there."""
    began = time.perf_counter()
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return time.perf_counter() - began
        except OSError:
            if time.perf_counter() - began > patience:
                raise
            time.sleep(0.1)
