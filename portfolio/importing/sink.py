"""Where a higher app takes what an import declares for it: one file in ``<app>/import_sinks`` adds a profile section.

Portfolio reads and maps the section, compares it with what stands, and hands over what changes, inside the transaction
of the import. It never learns what a practice is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from kernel.registry import Registry
from ledger import UnitOfWork


@dataclass(frozen=True, slots=True)
class Declared:
    """An answer, and the words that it was given in."""

    answer: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredChange:
    """What a use case now declares about one target; ``after`` None: it declares nothing any more."""

    use_case_id: UUID
    target: str
    after: Declared | None
    source: str
    """Profile and column, for people."""


class Sink(ABC):
    """Takes one section of a profile, such as ``practices``."""

    key: ClassVar[str]
    """The section's key in the profile."""
    target: ClassVar[str]
    """The key in each entry that names what is declared about, such as ``practice``."""
    answers: ClassVar[Mapping[str, Any]]
    """What may be declared: answer -> label."""

    @abstractmethod
    def standing(self, use_case_ids: Sequence[UUID]) -> dict[UUID, dict[str, Declared]]:
        """What is declared now, in a constant number of queries."""

    @abstractmethod
    def write(self, changes: Sequence[DeclaredChange], *, uow: UnitOfWork) -> None:
        """Store the changes. The import records them with the use case they belong to."""


sinks: Registry[type[Sink]] = Registry("import sink")
