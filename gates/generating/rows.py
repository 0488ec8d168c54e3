"""Chance that repeats itself, and rows that wait to be written together with their events."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model
from django.utils import timezone

from ledger import UnitOfWork
from portfolio.models import UseCase

BATCH = 500
M = TypeVar("M", bound=Model)
T = TypeVar("T")


class Chance(random.Random):
    """Random numbers from a seed, and what is drawn with them. Days count back from this morning."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.morning = datetime.combine(timezone.now().date(), time(), tzinfo=timezone.get_default_timezone())

    def key(self) -> UUID:
        return UUID(int=self.getrandbits(128), version=4)

    def one(self, weighted: Sequence[tuple[T, int]]) -> T:
        return self.choices([value for value, _weight in weighted], [weight for _value, weight in weighted])[0]

    def happens(self, share: float) -> bool:
        return self.random() < share

    def ago(self, most: int, least: int = 1) -> datetime:
        return self.morning - timedelta(days=self.randint(least, most), minutes=self.randrange(1440))


class Rows:
    """New rows, written model by model in the order in which they first came, and then recorded."""

    def __init__(self) -> None:
        self._rows: dict[type[Model], list[Model]] = {}
        self._events: list[tuple[str, Model, UseCase, Mapping[str, Any]]] = []

    def add(self, row: M) -> M:
        self._rows.setdefault(type(row), []).append(row)
        return row

    def tell(self, action: str, row: Model, use_case: UseCase, after: Mapping[str, Any]) -> None:
        """An event about a row that was added."""
        self._events.append((action, row, use_case, after))

    def of(self, model: type[M]) -> list[M]:
        """The rows of one model, which are in the database once they are saved."""
        return self._rows.get(model, [])  # type: ignore[return-value]  # add() keeps them apart by type

    def save(self, uow: UnitOfWork) -> None:
        for model, rows in self._rows.items():
            manager: Any = model._default_manager
            manager.bulk_create(rows, batch_size=BATCH)
        for action, row, use_case, after in self._events:
            uow.record(action, subject=row, use_case=use_case, after=after, note="Synthetic portfolio")
        self._rows, self._events = {}, []
