"""The contract of a link from an incident to what a higher app knows of it, such as the alert it was reported for.

One file in ``<app>/incident_links`` adds one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from accounts.models import User
from governance.models import Incident
from kernel.registry import Registry


@dataclass(frozen=True, slots=True)
class Link:
    """A line on the page of an incident."""

    label: str
    url: str
    note: str = ""
    icon: str = "link"


class IncidentLinks(ABC):
    """Where one incident came from, or what it led to."""

    key: ClassVar[str]
    title: ClassVar[Any]

    @abstractmethod
    def links(self, incident: Incident, user: User) -> Iterator[Link]:
        """What ``user`` may see of it."""


incident_links: Registry[type[IncidentLinks]] = Registry("link of an incident")
