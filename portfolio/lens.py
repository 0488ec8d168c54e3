"""The contract of a lens: a set of use cases that a higher app knows, such as those waiting for a decision.

One file in ``<app>/lenses`` adds one. It becomes a number above the list and a filter of it (``only=<key>``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.db.models import Q

from accounts.models import User
from kernel.registry import Registry


class Lens(ABC):
    """A named condition on use cases. ``tone`` and ``icon`` are used while there are any."""

    key: ClassVar[str]
    label: ClassVar[Any]
    order: ClassVar[int] = 100
    icon: ClassVar[str] = ""
    tone: ClassVar[str] = ""

    @abstractmethod
    def condition(self, user: User) -> Q:
        """The condition on a use case, ready for ``UseCase.objects.filter``."""


lenses: Registry[type[Lens]] = Registry("portfolio lens")
