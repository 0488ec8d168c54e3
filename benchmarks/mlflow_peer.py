"""MLflow beside it: its tracking server logs the same batches on the same PostgreSQL, pinned the same way.

Tuned as far as its documentation goes: gunicorn with two workers, basic-auth with its cache of checked passwords on.
``BENCH_MLFLOW`` names the ``mlflow`` command of an environment of its own, which also holds psycopg2.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from benchmarks.installation import HEARTBEATS, POSTGRES, free_port, wait_for

COMMAND = os.environ.get("BENCH_MLFLOW", "")
NAME, PASSWORD = "admin", "a-password-for-a-benchmark"
LOG_BATCH = "/api/2.0/mlflow/runs/log-batch"


class Peer:
    """A running server, and one run in it that takes metrics."""

    def __init__(self, address: str) -> None:
        self.place = urlsplit(address).netloc
        self.headers = {
            "Authorization": "Basic " + base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode(),
            "Content-Type": "application/json",
        }
        self.connection = http.client.HTTPConnection(self.place, timeout=120)
        experiment = self.ask("/api/2.0/mlflow/experiments/create", {"name": "benchmark"})["experiment_id"]
        run = self.ask("/api/2.0/mlflow/runs/create", {"experiment_id": experiment, "start_time": 1})
        self.run: str = run["run"]["info"]["run_id"]

    def ask(self, path: str, body: dict[str, object]) -> dict[str, dict[str, dict[str, str]]]:
        self.connection.request("POST", path, json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"MLflow answers {answer.status} to {path}: {content[:500].decode()}")
        found: dict[str, dict[str, dict[str, str]]] = json.loads(content)
        return found

    def batch(self, first: int, count: int) -> bytes:
        """As many metrics under ten names, each at a time and step of its own."""
        began = 1_577_836_800_000
        metrics = [
            {
                "key": f"f1-{(first + i) % 10}",
                "value": (first + i) % 997 / 1000,
                "timestamp": began + (first + i) // 10 * 1000,
                "step": (first + i) // 10,
            }
            for i in range(count)
        ]
        return json.dumps({"run_id": self.run, "metrics": metrics}).encode()


@contextmanager
def served(*, core: int | None) -> Iterator[Peer]:
    """A server of its own, on a database of its own."""
    name = f"mlflow_bench_{os.getpid()}"
    psql = ["psql", "--quiet", POSTGRES, "--command"]
    subprocess.run([*psql, f"CREATE DATABASE {name}"], check=True)
    try:
        with tempfile.TemporaryDirectory(prefix="mlflow-bench-") as folder:
            yield from _running(Path(folder), name, core)
    finally:
        subprocess.run([*psql, f"DROP DATABASE {name} WITH (FORCE)"], check=True)


def _running(folder: Path, database: str, core: int | None) -> Iterator[Peer]:
    server = urlsplit(POSTGRES)
    store = urlunsplit(server._replace(scheme="postgresql+psycopg2", path=f"/{database}"))
    settings = folder / "auth.ini"
    settings.write_text(
        "[mlflow]\ndefault_permission = READ\n"
        f"database_uri = sqlite:///{folder}/auth.db\nadmin_username = {NAME}\nadmin_password = {PASSWORD}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        "auth_cache_ttl_seconds = 300\n"
    )
    port = free_port()
    command = [COMMAND, "server", "--app-name", "basic-auth", "--backend-store-uri", store]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "2", "--gunicorn-opts", " ".join(["--log-level error", *HEARTBEATS])]
    environment = {
        **os.environ,
        "PATH": f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_AUTH_CONFIG_PATH": str(settings),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": PASSWORD,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    log = (folder / "log").open("w")
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, {core})
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        time.sleep(2)  # both workers
        yield Peer(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=30)
