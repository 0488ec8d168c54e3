"""Lets transactional tests empty the events between them, which the product's triggers refuse.

``TransactionTestCase`` (``@pytest.mark.django_db(transaction=True)``, ``live_server``) flushes all tables when a test
ends. The triggers are dropped for just that long. ``without_triggers`` does the same for a test that plays the
database administrator who tampers with a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test import TransactionTestCase

from ledger.triggers import CREATE, DROP, TABLE


@contextmanager
def without_triggers() -> Iterator[None]:
    """The events without their protection."""
    _settle_constraints()
    _execute(DROP[connection.vendor])
    try:
        yield
    finally:
        _settle_constraints()
        _execute(CREATE[connection.vendor])


def _settle_constraints() -> None:
    """PostgreSQL alters no table that still owes a deferred check."""
    if connection.vendor == "postgresql":
        connection.check_constraints()


def _execute(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def pytest_configure() -> None:
    case: Any = TransactionTestCase
    flush = case._fixture_teardown

    def flush_without_triggers(self: TransactionTestCase) -> None:
        if TABLE not in connection.introspection.table_names():
            flush(self)
            return
        with without_triggers():
            flush(self)

    case._fixture_teardown = flush_without_triggers
