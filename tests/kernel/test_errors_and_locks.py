"""Domain errors resolve their words when shown; locks need a transaction."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, migrations, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext_lazy, override

from kernel.database import RunSQLPerVendor, is_postgresql, lock_rows
from kernel.errors import Conflict, DomainError, Invalid, NotReady


def test_each_error_has_its_status() -> None:
    assert (DomainError("x").status, Invalid("x").status, Conflict("x").status, NotReady("x").status) == (
        400,
        422,
        409,
        409,
    )
    assert issubclass(NotReady, Conflict)


def test_words_are_those_of_whoever_reads() -> None:
    error = Invalid(gettext_lazy("Yes"), hint=gettext_lazy("No"), errors={"field": [gettext_lazy("Yes")]})
    with override("de"):
        assert (error.message, str(error), error.hint, error.errors) == ("Ja", "Ja", "Nein", {"field": ["Ja"]})


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionManagementError, match="unit of work"):
        lock_rows(ContentType.objects.all())


@pytest.mark.django_db
def test_rows_are_locked_where_the_database_has_row_locks() -> None:
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        list(lock_rows(ContentType.objects.all()))
    assert ("FOR UPDATE OF" in queries[-1]["sql"]) == is_postgresql()


@pytest.mark.django_db(transaction=True)
def test_an_operation_runs_the_statements_of_its_database() -> None:
    create = {vendor: ["CREATE TABLE tests_percent (c text)", "INSERT INTO tests_percent VALUES ('100%')"]
              for vendor in ("postgresql", "sqlite")}  # fmt: skip
    operation = RunSQLPerVendor(forward=create, reverse=dict.fromkeys(create, "DROP TABLE tests_percent"))
    state: Any = None
    with connection.schema_editor() as editor:
        operation.database_forwards("tests", editor, state, state)
    with connection.cursor() as cursor:
        cursor.execute("SELECT c FROM tests_percent")
        assert cursor.fetchall() == [("100%",)]
    with connection.schema_editor() as editor:
        operation.database_backwards("tests", editor, state, state)
    assert "tests_percent" not in connection.introspection.table_names()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_named_is_refused() -> None:
    operation = RunSQLPerVendor(forward={"oracle": "SELECT 1"}, reverse={})
    state: Any = None
    with pytest.raises(NotImplementedError, match="oracle"), connection.schema_editor() as editor:
        operation.database_forwards("tests", editor, state, state)
    assert not operation.reversible


def test_an_operation_can_be_written_into_a_migration() -> None:
    operation = RunSQLPerVendor(forward={"sqlite": "SELECT 1"}, reverse={"sqlite": "SELECT 2"})
    name, args, kwargs = operation.deconstruct()
    rebuilt = RunSQLPerVendor(*args, **kwargs)
    assert name == "RunSQLPerVendor"
    assert (rebuilt.forward, rebuilt.reverse) == (operation.forward, operation.reverse)
    assert isinstance(rebuilt, migrations.operations.base.Operation)
