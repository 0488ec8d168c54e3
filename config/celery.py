"""The Celery app and the whole beat schedule.

The same tasks run on the embedded broker and on Redis. A scheduled message expires when the next one is due, so a
worker that was away for an hour does each sweep once and not a hundred times.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, Task
from celery.signals import beat_init, setup_logging, worker_init
from django_structlog.celery.steps import DjangoStructLogInitStep

from config import broker
from config.env import DATA_DIR, REDIS_URL
from ledger.context import WORKER, ledger_context

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Task, and every how many seconds.
SCHEDULE: dict[str, int] = {
    "monitoring.tasks.pull_due": 30,
    "monitoring.tasks.judge_silence": 60,
    "monitoring.tasks.make_owed_profiles": 60,
    "monitoring.tasks.chase_alerts": 60,
    "monitoring.tasks.roll_up_points": 60,
    "monitoring.tasks.forget_points": 3600,
    "monitoring.tasks.measure_reviews": 120,
    "monitoring.tasks.forget_payloads": 3600,
    "monitoring.tasks.forget_dashboards": 3600,
    "monitoring.tasks.watch_retraining": 60,
    "gates.tasks.sweep": 30,
    "gates.tasks.expire": 300,
    "gates.tasks.escalate": 600,
    "gates.tasks.watch_conditions": 900,
    "gates.tasks.call_reviews": 900,
    "gates.tasks.watch_breaches": 300,
    "gates.tasks.end_emergencies": 60,
    "gates.tasks.chase_reviews": 900,
    "notify.tasks.deliver": 15,
    "notify.tasks.deliver_webhooks": 15,
    "portfolio.tasks.sweep_imports": 60,
    "accounts.tasks.forget_answers": 3600,
}


class RecordedTask(Task):
    """What a task changes is recorded as done by a worker, under the id of the request that caused it if one did."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        cause = getattr(self.request, "__django_structlog__", None) or {}
        request_id = cause.get("request_id") or self.request.id or ""
        with ledger_context(request_id=request_id, auth_method=WORKER):
            return super().__call__(*args, **kwargs)


def _broker_settings() -> dict[str, Any]:
    if REDIS_URL:
        # Longer than any task may run, or Redis hands a running task to a second worker.
        options = {"visibility_timeout": 3600, "socket_connect_timeout": 3, "socket_keepalive": True}
        return {"broker_url": REDIS_URL, "broker_transport_options": options}
    return {"broker_url": broker.URL, "broker_transport_options": broker.transport_options(DATA_DIR)}


app = Celery("tollgate", task_cls=RecordedTask)
app.conf.update(
    **_broker_settings(),
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=600,
    task_soft_time_limit=540,
    # A request must not wait long for a broker that is away: the sweep does the work later.
    task_publish_retry_policy={"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
    task_default_queue="tollgate",
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    worker_soft_shutdown_timeout=10,
    worker_max_tasks_per_child=2000,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
    beat_scheduler="celery.beat:Scheduler",  # kept in memory: every entry is a sweep, none needs yesterday's time
    beat_schedule={
        name: {"task": name, "schedule": float(seconds), "options": {"expires": seconds}}
        for name, seconds in SCHEDULE.items()
    },
)
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logging(**kwargs: Any) -> None:
    """Celery would replace the log handlers that the settings have just made; connecting this stops it."""


@worker_init.connect
@beat_init.connect
def _refuse_misconfiguration(**kwargs: Any) -> None:
    """Celery runs no system checks, and swallows what a signal's receiver raises unless it is an exit."""
    from django.core.exceptions import ImproperlyConfigured

    from config.checks import refuse_misconfiguration

    try:
        refuse_misconfiguration()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error
