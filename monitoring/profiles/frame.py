"""The frame of a profile: which columns there are, and in which lattice each is counted.

The reference fixes the frame. Whatever is compared or merged with it later counts in the same lattices.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from monitoring.profiles.errors import ProfileError

CELLS = 8_192
CELLS_OF_MANY = 4_096
MANY_COLUMNS = 500
MOST_CELLS = 16_384
MOST_COLUMNS = 20_000
MOST_VALUES = 20_000
"""Distinct values that a column of categories may have; past that only those of the reference are told apart."""
MOST_NAME = 200
FAR = 4e307
"""No lattice begins or ends further out: the distance of its ends has to be a number too."""
NEAR = 1e-290
"""The least margin of a lattice: numbers nearer to each other than its cells count as one."""


class Kind(StrEnum):
    NUMBER = "number"
    TIME = "time"
    """Dates and times, counted as seconds since 1970."""
    CATEGORY = "category"
    FLAG = "flag"
    """Booleans: categories named ``true`` and ``false``."""

    @property
    def is_counted_in_cells(self) -> bool:
        return self in {Kind.NUMBER, Kind.TIME}


@dataclass(frozen=True, slots=True)
class Lattice:
    """Equal cells from ``lo`` to ``hi``; what lies outside is counted below and above.

    A value x lies in cell floor((x - lo) * scale), in IEEE double arithmetic, here and in every database.
    ``whole`` says that the values seen were whole numbers and that a cell holds one of them.
    """

    lo: float
    hi: float
    cells: int
    whole: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lo) and math.isfinite(self.hi) and self.lo < self.hi):
            raise ProfileError(f"a lattice from {self.lo} to {self.hi} is none")
        if not 1 <= self.cells <= MOST_CELLS:
            raise ProfileError(f"a lattice has 1 to {MOST_CELLS} cells, not {self.cells}")
        if not 0 < self.scale < math.inf:
            raise ProfileError(f"the cells of a lattice from {self.lo} to {self.hi} have no width")

    @property
    def scale(self) -> float:
        """Cells a unit. The bounds are made so that their distance is finite."""
        return self.cells / (self.hi - self.lo)

    @property
    def width(self) -> float:
        return (self.hi - self.lo) / self.cells


@dataclass(frozen=True, slots=True)
class ColumnFrame:
    """How one column is counted: in a lattice, or by the values that the reference knows."""

    name: str
    kind: Kind
    lattice: Lattice | None = None
    values: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > MOST_NAME:
            raise ProfileError(f"a column has a name of 1 to {MOST_NAME} characters", self.name[:40])
        if (self.lattice is None) == self.kind.is_counted_in_cells:
            raise ProfileError("numbers and times have a lattice, and nothing else has", self.name)

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"name": self.name, "kind": self.kind.value}
        if self.lattice:
            cells = self.lattice
            told["lattice"] = {"lo": cells.lo.hex(), "hi": cells.hi.hex(), "cells": cells.cells, "whole": cells.whole}
        else:
            told["values"] = sorted(self.values)
        return told

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> ColumnFrame:
        """Raises ``ProfileError``."""
        try:
            lattice = None
            if given := told.get("lattice"):
                lattice = Lattice(number(given["lo"]), number(given["hi"]), int(given["cells"]), bool(given["whole"]))
            values = frozenset(str(value) for value in told.get("values", ()))
            return cls(str(told["name"]), Kind(told["kind"]), lattice, values)
        except (KeyError, TypeError, ValueError) as error:
            raise ProfileError(f"the frame of a column cannot be read ({error})", str(told)[:40]) from None


@dataclass(frozen=True)
class Frame:
    """Columns by name, in the order of the data."""

    columns: Mapping[str, ColumnFrame]

    @classmethod
    def of(cls, columns: Iterable[ColumnFrame]) -> Frame:
        found: dict[str, ColumnFrame] = {}
        for column in columns:
            if column.name in found:
                raise ProfileError("the column is there twice", column.name)
            found[column.name] = column
        if not 1 <= len(found) <= MOST_COLUMNS:
            raise ProfileError(f"a profile has 1 to {MOST_COLUMNS} columns, not {len(found)}")
        return cls(found)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the columns in the order of their names: equal where counts may be added."""
        told = [self.columns[name].as_json() for name in sorted(self.columns)]
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def number(told: object) -> float:
    """A float as profiles spell it: ``float.hex``, or a plain number. Raises ``ValueError``."""
    if isinstance(told, bool) or not isinstance(told, str | int | float):
        raise ValueError(f"not a number: {str(told)[:40]}")  # noqa: TRY004  # one error for what was sent
    return float.fromhex(told) if isinstance(told, str) else float(told)


def lattice_for(sample: Any, least: float, greatest: float, *, whole: bool, cells: int = CELLS) -> Lattice:
    """The lattice of a reference column: ``sample`` sorted finite values, ``least`` and ``greatest`` of all of them.

    Whole numbers in a narrow range get a cell each. Else the cells reach over the bulk of the sample (the 0.05th to
    the 99.95th percentile and half of their distance again on both sides) but not past the extremes by more than a
    twentieth, so that one outlier does not push everything else into a single cell.
    """
    if whole and greatest - least < cells // 2 and max(abs(least), abs(greatest)) < 2**52:
        room = max(8, int((greatest - least) // 4))
        count = min(int(greatest - least) + 1 + 2 * room, cells)
        return Lattice(least - room - 0.5, least - room - 0.5 + count, count, whole=True)
    low, high = float(sample[int(0.0005 * len(sample))]), float(sample[int(0.9995 * (len(sample) - 1))])
    spread = high - low
    low, high = max(least, low - spread / 2), min(greatest, high + spread / 2)
    low, high = max(-FAR, min(FAR, low)), max(-FAR, min(FAR, high))
    margin = (high - low) / 20
    if margin <= 4 * math.ulp(max(abs(low), abs(high))) * cells:
        margin = max(abs(low), abs(high)) / 2 or 0.5
    margin = max(margin, NEAR)
    return Lattice(low - margin, high + margin, cells)
