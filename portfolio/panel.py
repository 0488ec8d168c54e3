"""What other apps put on the use case page: tabs, cards in the right column, names of decisions.

One file in ``<app>/panels`` adds one; each registers itself there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from kernel.registry import Registry
from portfolio.models import UseCase


class Panel(ABC):
    """A tab of the use case page. ``template`` is rendered with ``use_case`` and what ``context`` gives."""

    key: ClassVar[str]
    title: ClassVar[Any]
    order: ClassVar[int]
    template: ClassVar[str]
    on_home: ClassVar[bool] = False
    """Whether Home links to it beside each use case that a person answers for."""

    @abstractmethod
    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        """Template context in a constant number of queries."""

    def rows(self, use_case: UseCase) -> QuerySet[Any] | None:
        """What the number beside the title counts, if there is one. All tabs are counted in one query."""
        return None

    def count(self, use_case: UseCase) -> int | None:
        """The number beside the title for a tab whose number is no count of ``rows``, without a query."""
        return None

    def shown_to(self, user: User, use_case: UseCase) -> bool:
        """Whether the tab is shown to somebody who may already see the use case."""
        return True


panels: Registry[type[Panel]] = Registry("use case panel")


class AsidePanel(ABC):
    """A card in the right column, beside every tab. ``template`` is a whole ``<section class="card">``."""

    key: ClassVar[str]
    order: ClassVar[int]
    template: ClassVar[str]

    @abstractmethod
    def context(self, request: HttpRequest, use_case: UseCase) -> dict[str, Any]:
        """Template context in a constant number of queries."""

    def shown_to(self, user: User, use_case: UseCase) -> bool:
        """Whether the card is shown to somebody who may already see the use case."""
        return True


aside_panels: Registry[type[AsidePanel]] = Registry("use case aside")


@dataclass(frozen=True, slots=True)
class DecisionName:
    """What a decision is called ("D-0042") and where it can be read; ``url`` may be empty."""

    label: str
    url: str = ""


class DecisionNames(ABC):
    """Knows the decisions that moved use cases between stages."""

    key: ClassVar[str]

    @abstractmethod
    def names(self, ids: Iterable[UUID]) -> Mapping[UUID, DecisionName]:
        """Names of those it knows, in one query."""


decision_names: Registry[type[DecisionNames]] = Registry("decision names")
