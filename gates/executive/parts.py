"""What the sections of the executive page are made of, and what each is computed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse

from accounts.access import for_user
from accounts.models import User
from portfolio.models import BusinessUnit, UseCase

MONTH = timedelta(days=30)
ACTION, VIEW = "report.view_portfolio", "use_case.view"


@dataclass(frozen=True, slots=True)
class Line:
    """One number: now, and a month ago where that is known."""

    key: str
    label: str
    now: int | float | None
    before: int | float | None = None
    unit: str = ""
    tone: str = ""
    url: str = ""

    @property
    def change(self) -> int | float | None:
        if self.now is None or self.before is None:
            return None
        return self.now - self.before


@dataclass(frozen=True, slots=True)
class Section:
    """What belongs together, with a sentence that says it in words."""

    key: str
    title: str
    words: str
    icon: str
    lines: list[Line] = field(default_factory=list)


class Standing(NamedTuple):
    pk: UUID
    stage: str
    assurance: str
    assurance_since: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What every part is computed from."""

    user: User
    cases: QuerySet[UseCase]
    unit: BusinessUnit | None
    now: datetime
    before: datetime

    def url(self, name: str, *args: str, **query: str) -> str:
        """The list behind a number, narrowed to the unit like the number."""
        if self.unit is not None:
            # The inbox names a unit by its path, other lists by its code.
            query["unit"] = self.unit.path if name == "monitoring:alerts" else self.unit.code
        address = reverse(name, args=args)
        return f"{address}?{urlencode(query)}" if query else address

    def of_cases(self, rows: QuerySet[Any], path: str) -> QuerySet[Any]:
        visible = for_user(rows, self.user, VIEW)
        return visible.filter(**{f"{path}__unit__path__startswith": self.unit.path}) if self.unit else visible


def share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
