"""Each request, command and task gives its events an id and a way of authentication."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from ledger.context import COMMAND, LedgerContext, current_context, ledger_context, set_auth_method
from ledger.middleware import RequestContextMiddleware

SEEN: list[LedgerContext] = []


def view(request: HttpRequest) -> HttpResponse:
    SEEN.append(current_context())
    return HttpResponse("fine")


def ask(**headers: str) -> tuple[LedgerContext, HttpResponse]:
    SEEN.clear()
    response = RequestContextMiddleware(view)(RequestFactory().get("/", headers=headers))
    assert isinstance(response, HttpResponse)
    return SEEN[0], response


def test_without_a_request_it_is_a_command() -> None:
    assert current_context() == LedgerContext("", COMMAND)


def test_a_request_gets_an_id_which_the_response_tells() -> None:
    context, response = ask()
    assert context.auth_method == "session"
    assert len(context.request_id) == 36
    assert response.headers["X-Request-ID"] == context.request_id


def test_a_sane_id_of_the_client_is_kept() -> None:
    context, response = ask(X_Request_ID="ci-run_42.7")
    assert context.request_id == response.headers["X-Request-ID"] == "ci-run_42.7"


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "a b c d e f", "línea-larga", "-starts-badly", "a\nb-injected"]
)
def test_any_other_id_is_replaced(given: str) -> None:
    context, _ = ask(X_Request_ID=given)
    assert context.request_id != given
    assert len(context.request_id) == 36


def test_nothing_of_a_request_outlives_it() -> None:
    def signs_in(request: HttpRequest) -> HttpResponse:
        set_auth_method("token:abc123")
        return view(request)

    SEEN.clear()
    RequestContextMiddleware(signs_in)(RequestFactory().get("/"))
    assert SEEN[0].auth_method == "token:abc123"
    assert current_context() == LedgerContext("", COMMAND)


def test_nothing_of_a_request_outlives_its_failure() -> None:
    def fails(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        RequestContextMiddleware(fails)(RequestFactory().get("/"))
    assert current_context() == LedgerContext("", COMMAND)


def test_an_inner_context_keeps_what_it_does_not_say() -> None:
    with ledger_context(request_id="outer-id", auth_method="session"):
        with ledger_context(auth_method="worker") as inner:
            assert inner == LedgerContext("outer-id", "worker")
        assert current_context() == LedgerContext("outer-id", "session")


@pytest.fixture
def celery() -> Celery:
    app = Celery("tests", broker="memory://", set_as_current=False)
    app.conf.task_always_eager = True
    app.conf.task_eager_propagates = True
    return app


def test_a_task_records_as_a_worker_under_the_id_of_its_sender(celery: Celery) -> None:
    @celery.task
    def look() -> None:
        SEEN.append(current_context())

    SEEN.clear()
    with ledger_context(request_id="request-9", auth_method="session"):
        look.delay()
        assert current_context() == LedgerContext("request-9", "session")
    assert list(SEEN) == [LedgerContext("request-9", "worker")]


def test_a_task_of_the_schedule_is_known_by_its_own_id(celery: Celery) -> None:
    @celery.task
    def look() -> None:
        SEEN.append(current_context())

    SEEN.clear()
    look.apply_async(task_id="task-17")
    assert list(SEEN) == [LedgerContext("task-17", "worker")]
    assert current_context() == LedgerContext("", COMMAND)


def test_a_task_that_fails_leaves_its_context(celery: Celery) -> None:
    @celery.task
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail.delay()
    assert current_context() == LedgerContext("", COMMAND)


def test_the_request_id_travels_in_the_message(celery: Celery) -> None:
    @celery.task
    def look() -> None:
        """Never runs here: only its message is looked at."""

    celery.conf.task_always_eager = False
    sent: dict[str, Any] = {}
    with ledger_context(request_id="request-9"), celery.connection_for_write() as connection:
        queue = connection.SimpleQueue("celery")
        look.apply_async(connection=connection)
        message = queue.get(timeout=1)
        sent.update(message.headers)
        message.ack()
        queue.close()
    assert sent["tollgate_request_id"] == "request-9"
