"""Settings as an operator meets them: what is missing is named, what is given is used, what is secret stays secret."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from config import env
from config.celery import SCHEDULE, app
from config.env import BASE_DIR
from config.logs import hide_secrets

PRODUCTION = {
    "TOLLGATE_ENV": "production",
    "TOLLGATE_SECRET_KEY": "test-key-of-a-production-installation-0123456789-abcdefghij",
    "TOLLGATE_PUBLIC_URL": "https://tollgate.example.org",
    "DATABASE_URL": "postgres://tollgate@127.0.0.1:5432/tollgate",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}


def _manage(data_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOLLGATE_")}
    settled = {"DJANGO_SETTINGS_MODULE": "config.settings", "TOLLGATE_DATA_DIR": str(data_dir), **environment}
    command = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
    return subprocess.run(command, env={**clean, **settled}, capture_output=True, text=True, timeout=120)


def test_production_deploys_without_a_warning(tmp_path: Path) -> None:
    result = _manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"TOLLGATE_SECRET_KEY": ""}, "tollgate.E001"),
        ({"TOLLGATE_PUBLIC_URL": ""}, "tollgate.E002"),
        ({"TOLLGATE_DEMO": "1"}, "tollgate.E003"),
        ({"TOLLGATE_DEBUG": "1"}, "tollgate.E004"),
        ({"TOLLGATE_OIDC_SERVER_URL": "http://login.example.org"}, "tollgate.E005"),
    ],
)
def test_production_refuses_to_start_half_configured(tmp_path: Path, change: dict[str, str], number: str) -> None:
    result = _manage(tmp_path, "check", **{**PRODUCTION, **change})
    assert result.returncode == 1
    assert number in result.stderr
    assert "HINT" in result.stderr


def test_production_in_clear_text_is_warned_about(tmp_path: Path) -> None:
    result = _manage(tmp_path, "check", **{**PRODUCTION, "TOLLGATE_PUBLIC_URL": "http://tollgate.example.org"})
    assert "tollgate.W001" in result.stderr


def test_production_on_embedded_parts_is_warned_about(tmp_path: Path) -> None:
    result = _manage(tmp_path, "check", **{**PRODUCTION, "DATABASE_URL": "", "REDIS_URL": ""})
    assert "tollgate.W002" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import config.wsgi"],
        ["-m", "celery", "--app", "config", "worker"],
        ["-m", "celery", "--app", "config", "beat", "--pidfile="],
    ],
    ids=["web", "worker", "scheduler"],
)
def test_no_process_starts_where_the_checks_find_an_error(tmp_path: Path, command: list[str]) -> None:
    environment = {**os.environ, **PRODUCTION, "TOLLGATE_SECRET_KEY": "", "TOLLGATE_DATA_DIR": str(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    result = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, cwd=BASE_DIR, timeout=60
    )
    assert result.returncode == 1
    assert "TOLLGATE_SECRET_KEY is not set" in result.stderr


def test_an_embedded_installation_makes_its_key_once_and_for_itself_alone(tmp_path: Path) -> None:
    first, second = env._kept_secret(tmp_path / "secret_key"), env._kept_secret(tmp_path / "secret_key")
    assert first == second
    assert len(first) > 50
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret_key"]


def test_secrets_are_blanked_in_logs() -> None:
    event = {"event": "signed in", "password": "hunter2", "api_key": "tg_1", "Authorization": "Bearer x", "unit": "HR"}
    hidden = hide_secrets(None, "info", event)
    assert hidden == {
        "event": "signed in",
        "password": "(hidden)",
        "api_key": "(hidden)",
        "Authorization": "(hidden)",
        "unit": "HR",
    }


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()
    assert [name for name in SCHEDULE if name not in app.tasks] == []


def test_every_scheduled_message_expires_when_the_next_is_due() -> None:
    for entry in app.conf.beat_schedule.values():
        assert entry["options"]["expires"] == entry["schedule"]


def test_tasks_survive_a_worker_and_speak_json_alone() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.accept_content == ["json"]
    assert not app.conf.task_always_eager
    assert app.conf.task_time_limit


def test_no_request_is_one_transaction() -> None:
    assert settings.DATABASES["default"]["ATOMIC_REQUESTS"] is False
    assert settings.TIME_ZONE == "UTC"
    assert settings.USE_TZ


@pytest.mark.django_db
def test_sqlite_runs_with_the_options_that_make_it_safe() -> None:
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("this run is on another database")
    with connection.cursor() as cursor:
        wanted = {"journal_mode": "wal", "foreign_keys": 1, "recursive_triggers": 1}
        assert {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_the_process_says_that_it_is_alive_without_asking_the_database(client: Client) -> None:
    answer = client.get("/healthz", headers={"host": "10.0.0.7"})  # a probe asks the machine, not the name
    assert answer.status_code == 200
    assert json.loads(answer.content) == {"status": "ok"}


@pytest.mark.django_db
def test_ready_means_that_the_tables_are_those_of_this_version(client: Client) -> None:
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/accounts/login/", "/admin/", "/no-such-page/"])
def test_every_answer_carries_the_security_headers(client: Client, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
