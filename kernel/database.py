"""The few places where PostgreSQL and SQLite differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

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


class Statement(NamedTuple):
    """SQL with its values, to be carried out by whoever gets it."""

    sql: str
    values: Sequence[Any]


def carry_out(statements: Sequence[Statement], using: str = DEFAULT_DB_ALIAS) -> list[tuple[Any, ...]]:
    """Carry the statements out in their order and return the rows that the last one answers, if it answers any.

    PostgreSQL gets them in one round trip, which is felt where a statement takes less time than its way there.
    """
    if not statements:
        return []
    connection = connections[using]
    if connection.vendor == "postgresql":
        statements = [
            Statement("; ".join(one.sql for one in statements), [v for one in statements for v in one.values])
        ]
    with connection.cursor() as cursor:
        for one in statements:
            cursor.execute(one.sql, one.values)
        return cursor.fetchall() if cursor.description else []


def insertion(objects: Sequence[models.Model], using: str = DEFAULT_DB_ALIAS) -> Statement:
    """The statement that inserts new objects of one model whose primary keys are set, at a fifth of what
    ``bulk_create`` costs; the objects count as stored from now on.

    The ORM plans the same INSERT anew each time, which is felt where one row or two are inserted with every call. No
    defaults of the database, no signals; the caller keeps the number of objects within what one statement takes.
    """
    connection, model = connections[using], type(objects[0])
    start, row = _insert_of(model, using)
    fields = model._meta.local_concrete_fields
    values = [
        field.get_db_prep_save(field.pre_save(one, True), connection)  # add=True
        for one in objects
        for field in fields
    ]
    for one in objects:
        one._state.adding, one._state.db = False, using
    return Statement(start + ", ".join([row] * len(objects)), values)


@lru_cache(maxsize=64)
def _insert_of(model: type[models.Model], using: str) -> tuple[str, str]:
    """The statement up to its values, and the places of one row."""
    quote = connections[using].ops.quote_name
    fields = model._meta.local_concrete_fields
    names = ", ".join(quote(str(field.column)) for field in fields)
    start = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES "  # noqa: S608  # names of the model
    return start, f"({', '.join(['%s'] * len(fields))})"


def checking_references(using: str = DEFAULT_DB_ALIAS) -> list[Statement]:
    """Statements that check on PostgreSQL the foreign keys that it would check at commit, and lock the rows they point
    to.

    Whoever is about to take a lock that everybody queues for says this first: a check that has to wait at commit,
    with that lock held, would wait for somebody who waits for the lock. SQLite has one writer and nothing to wait for.
    """
    if connections[using].vendor != "postgresql":
        return []
    return [Statement("SET CONSTRAINTS ALL IMMEDIATE", []), Statement("SET CONSTRAINTS ALL DEFERRED", [])]


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
