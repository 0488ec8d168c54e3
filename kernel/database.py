"""The few places where PostgreSQL and SQLite differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=models.Model)


def is_postgresql(using: str = DEFAULT_DB_ALIAS) -> bool:
    return connections[using].vendor == "postgresql"


def lock_rows(queryset: models.QuerySet[M, M], *, skip_locked: bool = False) -> models.QuerySet[M, M]:
    """Lock the rows of a queryset until the transaction ends.

    ``SELECT … FOR UPDATE`` of the model's own table on PostgreSQL. On SQLite every transaction begins IMMEDIATE
    and is the only writer already. Outside a transaction a lock would be released at once: that is refused on both.
    """
    connection = connections[queryset.db]
    if not connection.in_atomic_block:
        raise TransactionManagementError("lock_rows needs a transaction: open a unit of work first.")
    if connection.vendor != "postgresql":
        return queryset
    return queryset.select_for_update(of=("self",), skip_locked=skip_locked)


def insert_rows(objects: Sequence[models.Model], using: str = DEFAULT_DB_ALIAS) -> None:
    """Insert new objects of one model whose primary keys are set, as ``bulk_create`` does, at a fifth of its cost.

    The ORM plans the same INSERT anew each time, which is felt where one row or two are inserted with every call. No
    defaults of the database, no signals; the caller keeps the number of objects within what one statement takes.
    """
    if not objects:
        return
    connection, model = connections[using], type(objects[0])
    start, row = _insert_of(model, using)
    fields = model._meta.local_concrete_fields
    values = [
        field.get_db_prep_save(field.pre_save(one, True), connection)  # add=True
        for one in objects
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(start + ", ".join([row] * len(objects)), values)
    for one in objects:
        one._state.adding, one._state.db = False, using


@lru_cache(maxsize=64)
def _insert_of(model: type[models.Model], using: str) -> tuple[str, str]:
    """The statement up to its values, and the places of one row."""
    quote = connections[using].ops.quote_name
    fields = model._meta.local_concrete_fields
    names = ", ".join(quote(str(field.column)) for field in fields)
    start = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES "  # noqa: S608  # names of the model
    return start, f"({', '.join(['%s'] * len(fields))})"


def having_checked_references(statement: str, using: str = DEFAULT_DB_ALIAS) -> str:
    """The statement, before which PostgreSQL checks the foreign keys that it would check at commit, and locks the rows
    they point to; in the same round trip.

    Whoever is about to take a lock that everybody queues for says this first: a check that has to wait at commit,
    with that lock held, would wait for somebody who waits for the lock. SQLite has one writer and nothing to wait for.
    """
    if connections[using].vendor != "postgresql":
        return statement
    return f"SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; {statement}"


class RunSQLPerVendor(Operation):
    """A migration operation that runs its own statements on each database.

    ``forward`` and ``reverse`` map a vendor ("postgresql", "sqlite") to one statement or several. A vendor that is
    not named is refused: a safeguard that silently is not there would be worse than none.
    """

    reduces_to_sql = True
    atomic = False

    def __init__(self, forward: Mapping[str, str | Sequence[str]], reverse: Mapping[str, str | Sequence[str]]) -> None:
        self.forward = forward
        self.reverse = reverse

    @property
    def reversible(self) -> bool:  # type: ignore[override]  # the base class has a plain attribute
        return bool(self.reverse)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return (type(self).__name__, [], {"forward": self.forward, "reverse": self.reverse})

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models do not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._run(schema_editor, self.forward)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._run(schema_editor, self.reverse)

    def describe(self) -> str:
        return "SQL for " + " and ".join(sorted(self.forward))

    def _run(self, schema_editor: BaseDatabaseSchemaEditor, by_vendor: Mapping[str, str | Sequence[str]]) -> None:
        vendor = schema_editor.connection.vendor
        if vendor not in by_vendor:
            raise NotImplementedError(f"This migration knows {sorted(by_vendor)}, not {vendor}.")
        statements = by_vendor[vendor]
        for statement in [statements] if isinstance(statements, str) else statements:
            # params=None: a percent sign in the statement is a percent sign.
            schema_editor.execute(statement, params=None)
