"""Rows collected while the story is told, and written in one go."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID, uuid5

from django.db.models import Model

M = TypeVar("M", bound=Model)
NAMESPACE = UUID("6f1b1a52-9c1f-4d56-9a0f-5f5d7c1c0d11")


def stable_id(*parts: object) -> UUID:
    """The same key for the same thing, every time the demonstration is made."""
    return uuid5(NAMESPACE, "/".join(str(part) for part in parts))


class Rows:
    """New rows by model, in the order in which their models were first used."""

    def __init__(self) -> None:
        self._rows: dict[type[Model], list[Model]] = {}

    def add(self, row: M) -> M:
        self._rows.setdefault(type(row), []).append(row)
        return row

    def of(self, model: type[M]) -> list[M]:
        return self._rows.get(model, [])  # type: ignore[return-value]  # add() keeps them apart by type

    def save(self, *order: type[Model]) -> None:
        """Write everything, the named models first and in that order: others may point to them."""
        rest = [model for model in self._rows if model not in order]
        for model in (*order, *rest):
            manager: Any = model._default_manager
            manager.bulk_create(self._rows.pop(model, []), batch_size=500)
