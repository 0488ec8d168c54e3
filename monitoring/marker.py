"""The contract of a source of marks: what happened while a series was measured, to be drawn on its chart.

One file in ``<app>/markers`` adds one; each registers itself there. Apps above monitoring do the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from kernel.registry import Registry
from monitoring.models import Series


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one moment, or that lasted ``until`` another (``lasts``: it is not over).

    ``label`` is a word or two for the chart, ``detail`` a sentence for the list under it, ``tone`` a state hue.
    """

    at: datetime
    label: str
    tone: str = "neutral"
    detail: str = ""
    url: str = ""
    until: datetime | None = None
    lasts: bool = False


class MarkerSource(ABC):
    """Marks of one kind. Whoever asks may see the use case of the series already."""

    key: ClassVar[str]
    title: ClassVar[Any]
    icon: ClassVar[str]
    order: ClassVar[int]

    @abstractmethod
    def marks(self, series: Sequence[Series], start: datetime, end: datetime) -> Iterator[Mark]:
        """What happened to these series of one use case within the span, in a constant number of queries."""


markers: Registry[type[MarkerSource]] = Registry("chart marker")
