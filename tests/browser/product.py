"""The product as an operator runs it: prepared into an empty data directory, then `manage.py up` until Ctrl-C.

On the embedded default everything lives in that directory. With `DATABASE_URL` the product gets a database of its own
beside the one that is named, made anew.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from config.env import BASE_DIR

MANAGE = (sys.executable, str(BASE_DIR / "manage.py"))
PATIENCE = 90.0


@dataclass
class Product:
    """One running installation in demonstration mode."""

    data_dir: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port = self.port or free_port()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data_dir.parent / "product.log"

    @property
    def exports(self) -> Path:
        """The folder whose files sources and profiles may read."""
        return self.data_dir.parent / "exports"

    def environment(self) -> dict[str, str]:
        mine = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "TOLLGATE_DEMO": "1",
            "TOLLGATE_DATA_DIR": str(self.data_dir),
            "TOLLGATE_WEB_WORKERS": "1",
            "TOLLGATE_WORKERS": "1",
            "TOLLGATE_SOURCE_ROOTS": str(self.exports),
            "TOLLGATE_OUTBOUND_ALLOW": "127.0.0.1",  # receivers that stories bring with them
        }
        if os.environ.get("DATABASE_URL"):
            mine["DATABASE_URL"] = own_database(os.environ["DATABASE_URL"])
        return {**os.environ, **mine}

    def prepare(self) -> None:
        if "DATABASE_URL" in os.environ:
            make_anew(os.environ["DATABASE_URL"])
        done = self.manage("prepare")
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*MANAGE, "up", "--port", str(self.port)], env=self.environment(), stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)

    def stop(self) -> int:
        """As Ctrl-C does; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()

    def manage(self, *arguments: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MANAGE, *arguments], env=self.environment(), input=said, capture_output=True, text=True, timeout=600
        )

    def ask(self, code: str) -> Any:
        """What Python code in the product's own shell leaves in ``answer``."""
        done = self.manage("shell", "-v0", "-c", f"{code}\nimport json\nprint(json.dumps(answer))")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_database(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path}_browser"))


def make_anew(url: str) -> None:
    """An empty database for the product, on the server that the address names."""
    name = urlsplit(own_database(url)).path.lstrip("/")
    connection = psycopg2.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    finally:
        connection.close()
