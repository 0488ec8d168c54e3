"""The contract of the work list on the home page: one file in ``<app>/worklist`` adds a kind of item."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from accounts.models import User
from kernel.registry import Registry


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One thing that waits for one person."""

    title: str
    url: str
    detail: str = ""
    use_case_key: str = ""
    use_case_name: str = ""
    due_at: datetime | None = None
    tone: str = "info"
    """info, attention or blocked."""
    verb: str = ""
    """What pressing it does, such as "Sign off"."""


class WorkSource(ABC):
    """Finds what waits for a person, in a constant number of queries."""

    key: ClassVar[str]
    title: ClassVar[Any]
    order: ClassVar[int]

    @abstractmethod
    def items(self, user: User) -> Iterator[WorkItem]: ...


work_sources: Registry[type[WorkSource]] = Registry("work list source")
