"""What is known of a column after a pass over it: counts, and sums that are exact. Everything here can be added."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.profiles.errors import SchemaMismatch
from monitoring.profiles.exact import Exact, rounded
from monitoring.profiles.frame import MOST_VALUES, ColumnFrame, Lattice

Counts = NDArray[Any]


@dataclass(slots=True)
class Numbers:
    """A column of numbers or times.

    ``n`` are finite values; ``nulls``, ``nans``, ``below`` and ``above`` (the infinities) and ``wrong`` (texts that
    are no numbers) are beside them. ``counts`` are by cell, ``under`` and ``over`` outside the lattice, ``under_by``
    and ``over_by`` how far outside all of these lie together. ``total`` and ``squares`` sum up (x - lo) * scale, which
    keeps its digits where x itself is large, such as a time. ``off`` are values that are not whole in a whole lattice.
    """

    frame: ColumnFrame
    counts: Counts
    n: int = 0
    nulls: int = 0
    nans: int = 0
    below: int = 0
    above: int = 0
    wrong: int = 0
    off: int = 0
    under: int = 0
    over: int = 0
    least: float | None = None
    greatest: float | None = None
    total: Exact = 0
    squares: Exact | None = 0
    """None where the sum left the range of doubles: the variance is not known."""
    under_by: Exact = 0
    over_by: Exact = 0
    seen_as: frozenset[str] = field(default_factory=frozenset)
    """What the data said the column is: number, time, text, flag; empty where it did not say, as in CSV."""

    @property
    def lattice(self) -> Lattice:
        assert self.frame.lattice is not None
        return self.frame.lattice

    @property
    def rows(self) -> int:
        return self.n + self.missing + self.below + self.above + self.wrong

    @property
    def missing(self) -> int:
        """Nulls and NaN alike: files write the one where they mean the other."""
        return self.nulls + self.nans

    @property
    def is_exact(self) -> bool:
        """Each cell holds one value only, so nothing is lost by counting in cells."""
        return self.lattice.whole and self.off == 0 and self.under == 0 and self.over == 0

    @property
    def mean(self) -> float | None:
        return self.lattice.lo + rounded(self.total) / self.n / self.lattice.scale if self.n else None

    @property
    def deviation(self) -> float | None:
        """Standard deviation (of the population); None for an empty column or where it is beyond all doubles."""
        if not self.n or self.squares is None:
            return None
        mean = rounded(self.total) / self.n
        variance = rounded(self.squares) / self.n - mean * mean
        if not math.isfinite(variance):
            return None
        # What is left of a constant column is the rounding of the two terms.
        return math.sqrt(variance) / self.lattice.scale if variance > 1e-12 * max(1.0, mean * mean) else 0.0

    def cumulative(self) -> NDArray[np.float64]:
        """Share of the values below each of the cells + 1 edges of the lattice."""
        heaped = np.empty(self.lattice.cells + 1)
        heaped[0] = self.under
        np.cumsum(self.counts, out=heaped[1:], dtype=np.float64)
        heaped[1:] += self.under
        return heaped / max(self.n, 1)

    def merged(self, other: Numbers) -> Numbers:
        _same_frame(self.frame, other.frame)
        squares = None if self.squares is None or other.squares is None else self.squares + other.squares
        return Numbers(
            frame=self.frame,
            counts=compact(self.counts.astype(np.int64) + other.counts),
            n=self.n + other.n,
            nulls=self.nulls + other.nulls,
            nans=self.nans + other.nans,
            below=self.below + other.below,
            above=self.above + other.above,
            wrong=self.wrong + other.wrong,
            off=self.off + other.off,
            under=self.under + other.under,
            over=self.over + other.over,
            least=_either(min, self.least, other.least),
            greatest=_either(max, self.greatest, other.greatest),
            total=self.total + other.total,
            squares=squares,
            under_by=self.under_by + other.under_by,
            over_by=self.over_by + other.over_by,
            seen_as=self.seen_as | other.seen_as,
        )


@dataclass(slots=True)
class Categories:
    """A column of categories or booleans: how often each value came.

    Past ``MOST_VALUES`` distinct values ``crowded`` is True and only the values of the frame keep their counts; the
    rest is in ``other``. Whether that happens depends on all the values together, not on the order they came in.
    """

    frame: ColumnFrame
    counts: dict[str, int] = field(default_factory=dict)
    nulls: int = 0
    other: int = 0
    crowded: bool = False
    seen_as: frozenset[str] = field(default_factory=frozenset)

    @property
    def n(self) -> int:
        return sum(self.counts.values()) + self.other

    @property
    def missing(self) -> int:
        return self.nulls

    @property
    def rows(self) -> int:
        return self.n + self.nulls

    @property
    def is_exact(self) -> bool:
        return not self.crowded

    def add(self, counts: dict[str, int]) -> None:
        """Count these as well."""
        for value, count in counts.items():
            if self.crowded and value not in self.frame.values:
                self.other += count
            else:
                self.counts[value] = self.counts.get(value, 0) + count
        if len(self.counts) > MOST_VALUES and not self.crowded:
            self.crowd()

    def crowd(self) -> None:
        """From here on only the values of the frame are told apart."""
        self.crowded = True
        known = {value: count for value, count in self.counts.items() if value in self.frame.values}
        self.other += sum(self.counts.values()) - sum(known.values())
        self.counts = known

    def merged(self, other: Categories) -> Categories:
        _same_frame(self.frame, other.frame)
        both = Categories(self.frame, dict(self.counts), self.nulls + other.nulls, self.other + other.other)
        both.seen_as = self.seen_as | other.seen_as
        if self.crowded or other.crowded:
            both.crowd()
        both.add(other.counts)
        return both


Column = Numbers | Categories


def merged(first: Column, second: Column) -> Column:
    """Both columns as one. Raises ``SchemaMismatch``."""
    if isinstance(first, Numbers) and isinstance(second, Numbers):
        return first.merged(second)
    if isinstance(first, Categories) and isinstance(second, Categories):
        return first.merged(second)
    raise SchemaMismatch(f"one profile counts a {first.frame.kind}, the other a {second.frame.kind}", first.frame.name)


def compact(counts: NDArray[Any]) -> Counts:
    """The same whole numbers in as few bytes as hold the largest."""
    most = int(counts.max(initial=0))
    fitting = next(kind for kind in (np.uint8, np.uint16, np.uint32, np.int64) if most <= np.iinfo(kind).max)
    return counts.astype(fitting)


def _same_frame(first: ColumnFrame, second: ColumnFrame) -> None:
    if first == second:
        return
    if first.kind != second.kind:
        what = f"one profile counts a {first.kind}, the other a {second.kind}"
    elif first.lattice != second.lattice:
        what = f"one profile counts from {_told(first.lattice)}, the other from {_told(second.lattice)}"
    else:
        what = "the profiles tell other values apart"
    raise SchemaMismatch(f"{what}: they were made against different references", first.name)


def _told(lattice: Lattice | None) -> str:
    return f"{lattice.lo:g} to {lattice.hi:g} in {lattice.cells} cells" if lattice else "nothing"


def _either(choose: Any, first: float | None, second: float | None) -> float | None:
    known = [value for value in (first, second) if value is not None]
    return choose(known) if known else None
