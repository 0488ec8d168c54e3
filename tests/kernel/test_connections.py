"""A kept connection is checked without asking, and replaced once the server has ended it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from kernel.database import is_postgresql

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kept_connections() -> None:
    if not is_postgresql():
        pytest.skip("SQLite's connections end with the process")


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def begin_request() -> None:
    """What Django does at the beginning of every request."""
    kept: Any = connection
    kept.health_check_enabled = True
    kept.close_if_unusable_or_obsolete()
    kept.health_check_done = False


def test_a_living_connection_is_kept_and_not_asked() -> None:
    before = backend()
    begin_request()
    with CaptureQueriesContext(connection) as captured:
        assert backend() == before
    assert len(captured) == 1
    assert connection.is_usable()


def test_a_connection_that_the_server_ended_is_replaced() -> None:
    before = backend()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [before])
    finally:
        other.close()
    deadline = time.monotonic() + 10
    while connection.is_usable() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not connection.is_usable()
    begin_request()
    assert backend() != before
