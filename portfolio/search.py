"""The contract of the search: one file in ``<app>/searching`` adds a kind of thing that is found everywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from accounts.models import User
from kernel.registry import Registry


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found. ``hint`` tells it apart from others of its name; ``icon`` is one of the sprite's."""

    title: str
    url: str
    hint: str = ""
    icon: str = "arrow-right"


class SearchSource(ABC):
    """Finds things by words, among those that the person may see."""

    key: ClassVar[str]
    title: ClassVar[Any]
    order: ClassVar[int]

    @abstractmethod
    def find(self, user: User, text: str, limit: int) -> Iterator[Hit]:
        """At most ``limit`` hits, the best first, in a constant number of queries. ``text`` is never empty."""


search_sources: Registry[type[SearchSource]] = Registry("search source")
