"""The contract of a fact loader: one file in ``gates/facts`` adds one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from kernel.registry import Registry

M = TypeVar("M", bound=Model)
MANY = 5000
"""From this many ids on the whole table is read instead of an IN list."""


class FactLoader(ABC):
    """Loads one kind of fact for a whole set of use cases in a constant number of queries.

    Facts are plain data (text, int, Decimal, bool, datetime, date, list, dict), absolute rather than relative
    to now (a date, never an age), so that the same record gives the same facts and the same digest.
    """

    key: ClassVar[str]
    volatile: ClassVar[bool] = False
    """True when values change by themselves all the time (metrics): they are frozen in a snapshot, but a new
    value only voids it when an outcome turns."""

    @abstractmethod
    def load(self, use_case_ids: Sequence[UUID] | None, at: datetime) -> dict[UUID, Any]:
        """id -> facts; ``None`` means every use case. Ids without rows may be left out."""

    def empty(self) -> Any:
        """What a use case without rows has."""
        return {}


def within(rows: QuerySet[M], use_case_ids: Sequence[UUID] | None, path: str = "use_case") -> QuerySet[M]:
    """Narrow ``rows`` to the asked use cases; of very many ids all rows are read, which is faster."""
    ids = asked(use_case_ids)
    return rows if ids is None else rows.filter(**{f"{path}__in": ids})


def asked(use_case_ids: Sequence[UUID] | None) -> Sequence[UUID] | None:
    """The ids to narrow a query to; None where reading everything is the better plan."""
    return None if use_case_ids is None or len(use_case_ids) > MANY else use_case_ids


fact_loaders: Registry[type[FactLoader]] = Registry("fact loader")
