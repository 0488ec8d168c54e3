"""The contract of a report: one file in ``<app>/reports`` adds one, which can be read, exported and filtered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User
from kernel.registry import Registry
from kernel.tables import Column
from portfolio.models import UseCase


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to narrow a report's rows by: its name in the address, in words, what "all" is called, its values."""

    name: str
    label: Any
    everything: Any
    values: Sequence[tuple[str, Any]]


class Report(ABC):
    """Rows about the use cases that a person may see.

    ``columns`` are those of ``kernel.tables`` (only ``key``, ``label``, ``value`` and ``numeric`` are used). ``action``
    is the right that the report needs beside seeing the use cases; empty: none. ``page`` names the address of one that
    has a page of its own instead of a table.
    """

    key: ClassVar[str]
    title: ClassVar[Any]
    description: ClassVar[Any]
    order: ClassVar[int] = 100
    icon: ClassVar[str] = "report"
    action: ClassVar[str] = ""
    page: ClassVar[str] = ""

    @property
    def url(self) -> str:
        return reverse(self.page) if self.page else reverse("portfolio:report", args=[self.key])

    @abstractmethod
    def columns(self) -> Sequence[Column]: ...

    @abstractmethod
    def rows(self, request: HttpRequest, use_cases: QuerySet[UseCase]) -> Iterator[Any]:
        """Rows for the columns. ``use_cases`` are those that the person may see and has chosen by the filters."""

    def choices(self) -> Sequence[Choice]:
        """What the rows can be narrowed by beside the filters of use cases. ``rows`` reads them with ``chosen``."""
        return ()

    def chosen(self, request: HttpRequest, name: str) -> str:
        """The value of one of its choices that an address asks for; empty for none and for one that there is not."""
        value = request.GET.get(name, "")
        known = {key for choice in self.choices() if choice.name == name for key, _label in choice.values}
        return value if value in known else ""

    def shown_to(self, user: User) -> bool:
        """Whether the report is listed for somebody, who may be asked for ``action`` on top."""
        return True


reports: Registry[type[Report]] = Registry("report")
