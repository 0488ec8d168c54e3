"""The contract of a statistic of drift: one file in ``monitoring/drift`` adds a way to compare two columns.

A statistic sees counts, never rows. It says what it computes in its docstring and, for whoever reads the number, in
``definition``. Where tools elsewhere compute another thing under the same name, ``by`` offers theirs as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kernel.registry import Registry
from monitoring.profiles import Kind
from monitoring.profiles.columns import Column

CELLS = frozenset({Kind.NUMBER, Kind.TIME})
VALUES = frozenset({Kind.CATEGORY, Kind.FLAG})
ANY = CELLS | VALUES
EVIDENTLY, NANNYML, FROUROS = "evidently", "nannyml", "frouros"
PEERS = (EVIDENTLY, NANNYML, FROUROS)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a statistic says of two columns.

    ``value`` is None where there is nothing to compare, and ``note`` says why. ``error`` is the most by which the value
    on the rows themselves may be larger or smaller: 0.0 where cells hold one value each, None where it is not known.
    """

    value: float | None
    p_value: float | None = None
    error: float | None = None
    note: str = ""


class Statistic(ABC):
    """Compares a column with its reference. Both have rows, and were counted in the same frame."""

    key: ClassVar[str]
    label: ClassVar[Any]
    unit: ClassVar[str] = ""
    definition: ClassVar[Any]
    kinds: ClassVar[frozenset[Kind]] = ANY
    warn: ClassVar[float | None] = None
    act: ClassVar[float | None] = None
    """Where customary levels begin; None where only a p-value decides."""
    for_scores: ClassVar[bool] = False
    """It means something for calibrated scores only, and is asked of no other column."""
    by: ClassVar[Mapping[str, Any]] = {}
    """Definitions of other tools, by their name."""

    def measure(self, reference: Column, current: Column, by: str = "") -> Measured:
        """``by`` asks for another tool's definition; where it has none, ours is given."""
        if reference.frame.kind not in self.kinds:
            return Measured(None)
        return self.distance(reference, current, by if by in self.by else "")

    @abstractmethod
    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        """What this statistic is about."""


statistics: Registry[type[Statistic]] = Registry("statistic of drift")
