"""The contract of the next step: what is missing first on a use case, for lists that show many of them.

One file in ``<app>/next_steps`` adds a source.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from kernel.registry import Registry
from portfolio.models import UseCase


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing that is missing: ``title`` in a few words, ``url`` where it is explained."""

    title: str
    url: str


class NextSteps(ABC):
    """Knows what is missing first."""

    key: ClassVar[str]

    @abstractmethod
    def steps(self, use_cases: Sequence[UseCase]) -> Mapping[UUID, NextStep]:
        """The first step of those that have one, in a constant number of queries."""


next_steps: Registry[type[NextSteps]] = Registry("next step source")
