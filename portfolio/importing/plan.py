"""What an import would do, row by row: made without writing, shown as the preview, and carried out as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from portfolio.importing.mapping import MappedRow
from portfolio.importing.problems import Problem
from portfolio.importing.profile import Profile
from portfolio.importing.sink import Declared
from portfolio.models import BusinessUnit, UseCase


class Outcome(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Changed:
    """One field or column that an update changes, as events and the preview show it."""

    before: Any
    after: Any


@dataclass(slots=True)
class PlannedRow:
    """One row of the file and what becomes of it."""

    row: MappedRow
    outcome: Outcome
    use_case: UseCase | None = None
    """The use case that it came as before; None for a new one and for a repeat."""
    repeats: int = 0
    """Of a repeat: the number of the row that it repeats."""
    fields: dict[str, Changed] = field(default_factory=dict)
    """Fields that an update changes; "unit" among them holds codes."""
    declared: dict[str, dict[str, Declared | None]] = field(default_factory=dict)
    """Section -> target -> what is declared from now on."""
    columns: dict[str, Changed] = field(default_factory=dict)
    """Columns of the source data that an update changes."""
    source_key: str = ""
    rebased: bool = False
    """What the file states is kept anew, though nothing of the use case changes: the profile maps it differently."""


@dataclass(slots=True)
class Plan:
    """The whole of it. ``rows`` = created + updated + unchanged + duplicates, always."""

    profile: Profile
    rows: list[PlannedRow]
    problems: list[Problem]
    units: Mapping[str, BusinessUnit]
    """Units that are there, by code."""
    new_units: dict[str, str]
    """Units that would be made: code -> name."""
    absent: list[str]
    """Keys of use cases of this profile that the file no longer holds; they stay as they are."""

    def count(self, outcome: Outcome) -> int:
        return Counter(row.outcome for row in self.rows)[outcome]

    def summary(self) -> dict[str, Any]:
        """The totals as the command prints them."""
        counts = Counter(row.outcome for row in self.rows)
        return {
            "rows": len(self.rows),
            "created": counts[Outcome.CREATE],
            "updated": counts[Outcome.UPDATE],
            "unchanged": counts[Outcome.UNCHANGED],
            "duplicates": counts[Outcome.DUPLICATE],
            "problems": [problem.as_json() for problem in self.problems],
        }
