"""The few places where PostgreSQL and SQLite differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def check_references_now(using: str = DEFAULT_DB_ALIAS) -> None:
    """Have PostgreSQL check the foreign keys that it would check at commit, and lock the rows they point to, now.

    Whoever is about to take a lock that everybody queues for says this first: a check that has to wait at commit,
    with that lock held, would wait for somebody who waits for the lock. SQLite has one writer and nothing to wait for.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


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
