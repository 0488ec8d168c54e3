"""What the environment says about this installation, read once and in one place.

Three modes: *embedded* (the default: SQLite, no Redis, one machine), *demonstration* (embedded, with one-click
sign-in) and *production* (`TOLLGATE_ENV=production`: nothing is guessed, and what is missing is a system check error).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

PRODUCTION: bool = env.str("TOLLGATE_ENV", default="embedded") == "production"
DEMO: bool = env.bool("TOLLGATE_DEMO", default=False)
DEBUG: bool = env.bool("TOLLGATE_DEBUG", default=False)
DATA_DIR: Path = (BASE_DIR / env.str("TOLLGATE_DATA_DIR", default="var")).resolve()
REDIS_URL: str = env.str("REDIS_URL", default="")
SECRET_KEY_GIVEN: bool = bool(env.str("TOLLGATE_SECRET_KEY", default=""))
PUBLIC_URL: str = env.str("TOLLGATE_PUBLIC_URL", default="").rstrip("/")


def secret_key() -> str:
    """The signing key: from the environment, or made once into the data directory outside production.

    In production an absent key is an error that `config.checks` reports and that web, worker and scheduler refuse to
    start with; until then the process has one that nobody else knows.
    """
    if SECRET_KEY_GIVEN:
        return str(env.str("TOLLGATE_SECRET_KEY"))
    return secrets.token_urlsafe(64) if PRODUCTION else _kept_secret(DATA_DIR / "secret_key")


def _kept_secret(path: Path) -> str:
    """Read the key, or create it readable by the owner alone; two processes starting at once agree on one key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    candidate = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_urlsafe(64))
        try:
            os.link(candidate, path)  # fails if somebody else was first: then theirs is the key
        except FileExistsError:
            pass
        finally:
            candidate.unlink()
    return path.read_text().strip()


def allowed_hosts() -> list[str]:
    hosts: list[str] = env.list("TOLLGATE_ALLOWED_HOSTS", default=[])
    public_host = urlsplit(PUBLIC_URL).hostname
    if public_host and public_host not in hosts:
        hosts.append(public_host)
    if not PRODUCTION:
        hosts += ["localhost", "127.0.0.1", "[::1]"]
    return hosts


def database(conn_max_age: int = 60) -> dict[str, Any]:
    """PostgreSQL from `DATABASE_URL`, or SQLite in the data directory with the options that make it safe to share."""
    url = env.str("DATABASE_URL", default="")
    if not url:
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{DATA_DIR / 'tollgate.sqlite3'}"
    settings: dict[str, Any] = dict(environ.Env.db_url_config(url))
    if "sqlite" in str(settings["ENGINE"]):
        settings["OPTIONS"] = {
            # A write transaction takes its lock at BEGIN, so two writers queue instead of failing half-way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # recursive_triggers: without it INSERT OR REPLACE deletes a row past its DELETE trigger.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
                "PRAGMA recursive_triggers=ON; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
            ),
        }
    else:
        settings["ENGINE"] = "kernel.postgresql"
        settings["CONN_HEALTH_CHECKS"] = True
        # Compiling a query takes longer than any of ours runs, and the planner overrates what LATERAL look-ups cost.
        settings["OPTIONS"] = {"options": "-c jit=off", **settings.get("OPTIONS", {})}
    # Also for SQLite: closing the last connection to a file in WAL mode writes the whole log back, at every request.
    settings["CONN_MAX_AGE"] = conn_max_age
    settings["ATOMIC_REQUESTS"] = False
    return settings


def identity_providers() -> dict[str, object]:
    """One OpenID Connect provider when the environment names one, for `SOCIALACCOUNT_PROVIDERS`."""
    server = env.str("TOLLGATE_OIDC_SERVER_URL", default="")
    if not server:
        return {}
    app = {
        "provider_id": "oidc",
        "name": env.str("TOLLGATE_OIDC_NAME", default="Single sign-on"),
        "client_id": env.str("TOLLGATE_OIDC_CLIENT_ID", default=""),
        "secret": env.str("TOLLGATE_OIDC_CLIENT_SECRET", default=""),
        "settings": {"server_url": server},
    }
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}


def identity_origins() -> list[str]:
    """Where a sign-in form may end, for the Content-Security-Policy."""
    server = urlsplit(env.str("TOLLGATE_OIDC_SERVER_URL", default=""))
    return [f"{server.scheme}://{server.netloc}"] if server.netloc else []
