"""Queries that are asked with every request, planned by the ORM once a process instead of each time.

Django builds and compiles a query anew whenever it is asked, which costs more than the database needs to answer a small
one. A ``Prepared`` query is written as any other; it is compiled once with stand-ins for its parameters and from then
on only the parameters are put in. It is for queries whose text never depends on what they are asked with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import DateTimeField, Field, QuerySet, UUIDField
from django.db.models.query import ValuesIterable

_FIELDS: dict[type, tuple[Field[Any, Any], Any]] = {
    UUID: (UUIDField(), UUID("5eed0000-0000-4000-8000-000000000000")),
    datetime: (DateTimeField(), datetime(1601, 1, 1, tzinfo=UTC)),
}
"""Kinds of parameter, each with the field that prepares it for a database and a value that nobody uses."""
_MARKS = ("1601", "5eed0000")
"""What any other value would show that was worked out from these."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    params: list[Any]
    names: list[str | None]
    """Of each parameter of the statement, which of ours stands there; None for what is always the same."""
    compiler: Any
    converters: Mapping[int, Any]
    columns: list[str] | None
    """Keys of the answers where they are mappings."""


class Prepared:
    """``build(**parameters)`` makes the query, of ``values`` or ``values_list``; ``kinds`` are the types of these."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], **kinds: type) -> None:
        if len(set(kinds.values())) != len(kinds):
            raise TypeError("one parameter of each type: two could not be told apart")
        self.build = build
        self.kinds = kinds
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, **parameters: Any) -> list[Any]:
        """What the query answers: mappings or tuples, as the query itself would give them."""
        connection = connections[DEFAULT_DB_ALIAS]
        known = self._compiled.get(connection.vendor)
        if known is None:
            known = self._compiled[connection.vendor] = self._compile()
        ready = {
            name: _FIELDS[kind][0].get_db_prep_value(parameters[name], connection) for name, kind in self.kinds.items()
        }
        with connection.cursor() as cursor:
            given = [p if n is None else ready[n] for p, n in zip(known.params, known.names, strict=True)]
            cursor.execute(known.sql, given)
            found: Iterable[Any] = cursor.fetchall()
        if known.converters:
            found = known.compiler.apply_converters(found, known.converters)
        if known.columns is not None:
            return [dict(zip(known.columns, row, strict=True)) for row in found]
        return [tuple(row) for row in found]

    def _compile(self) -> _Compiled:
        connection = connections[DEFAULT_DB_ALIAS]
        queryset = self.build(**{name: _FIELDS[kind][1] for name, kind in self.kinds.items()})
        query = queryset.query
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        written = {
            name: _FIELDS[kind][0].get_db_prep_value(_FIELDS[kind][1], connection) for name, kind in self.kinds.items()
        }
        names = [next((name for name, value in written.items() if value == p), None) for p in params]
        for param, name in zip(params, names, strict=True):
            if name is None and any(mark in str(param) for mark in _MARKS):
                raise TypeError("a parameter is worked into another value: it could not be put in again")
        columns = None
        if queryset._iterable_class is ValuesIterable:
            columns = list(query.selected or (*query.extra_select, *query.values_select, *query.annotation_select))
        converters = compiler.get_converters([column for column, _sql, _alias in compiler.select])
        return _Compiled(sql, list(params), names, compiler, converters, columns)


class Question:
    """A query about objects at a moment, ``build(ids, at)``: prepared for one object, planned anew for several or all
    (``ids`` None). Its text must not depend on the moment."""

    def __init__(self, build: Callable[[Sequence[UUID] | None, datetime], QuerySet[Any, Any]]) -> None:
        self._all = build
        self._one = Prepared(lambda one, at: build([one], at), one=UUID, at=datetime)

    def of(self, ids: Sequence[UUID] | None, at: datetime) -> Iterable[Any]:
        return self._one.rows(one=ids[0], at=at) if ids is not None and len(ids) == 1 else self._all(ids, at)
