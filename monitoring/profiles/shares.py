"""Shares of the rows by bin or by value, of two columns at once: what the binned statistics compare."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from monitoring.profiles.columns import Categories, Column, Numbers
from monitoring.profiles.errors import SchemaMismatch

Shares = NDArray[np.float64]
BINS = 10
FEW = 20


def comparable(reference: Column, current: Column) -> None:
    """Raises ``SchemaMismatch`` unless the second column was counted in the frame of the first."""
    first, second = reference.frame, current.frame
    if first.kind != second.kind or first.lattice != second.lattice:
        raise SchemaMismatch("it was counted against another reference", first.name)


def tallies(reference: Column, current: Column) -> tuple[Shares, Shares]:
    """Counts of both in the same bins: deciles of the reference, or one bin a value."""
    if isinstance(reference, Numbers) and isinstance(current, Numbers):
        return _by_decile(reference, current)
    assert isinstance(reference, Categories)
    assert isinstance(current, Categories)
    return by_value(reference, current)


def by_value(reference: Categories, current: Categories) -> tuple[Shares, Shares]:
    """Counts by value, in the order of the values; what is not told apart comes last."""
    values = sorted(set(reference.counts) | set(current.counts))
    first = [float(reference.counts.get(value, 0)) for value in values]
    second = [float(current.counts.get(value, 0)) for value in values]
    if reference.other or current.other:
        first.append(float(reference.other))
        second.append(float(current.other))
    return np.array(first), np.array(second)


def smoothed(counts: Shares) -> Shares:
    """Shares with half a row more in every bin (Jeffreys' prior), so that an empty bin has a logarithm."""
    shares: Shares = (counts + 0.5) / (counts.sum() + 0.5 * len(counts))
    return shares


def plain(counts: Shares) -> Shares:
    total = counts.sum()
    return counts / total if total else counts


def decile_edges(reference: Numbers) -> NDArray[np.int64]:
    """Places in the lattice that cut the reference into tenths, as near as its cells allow; ties share a bin."""
    heaped = reference.cumulative()
    wanted = np.arange(1, BINS) / BINS
    after = np.clip(np.searchsorted(heaped, wanted), 1, len(heaped) - 1)
    nearer = np.where(wanted - heaped[after - 1] < heaped[after] - wanted, after - 1, after)
    return np.unique(nearer)


def _by_decile(reference: Numbers, current: Numbers) -> tuple[Shares, Shares]:
    edges = decile_edges(reference)
    return _between(reference, edges), _between(current, edges)


def _between(column: Numbers, edges: NDArray[np.int64]) -> Shares:
    heaped = np.concatenate(([0.0], column.cumulative()[edges], [1.0 if column.n else 0.0])) * column.n
    counts: Shares = np.diff(heaped)
    return counts


def below(column: Numbers, edges: Shares) -> Shares:
    """Share of the values below each of these edges; within a cell as if they lay evenly, exact for whole numbers."""
    if not column.n or column.least is None or column.greatest is None:
        return np.zeros(len(edges))
    lattice, heaped = column.lattice, column.cumulative()
    if column.is_exact:
        places = np.clip(np.ceil((edges - lattice.lo) / lattice.width - 0.5), 0, lattice.cells).astype(int)
        found: Shares = heaped[places]
        return found
    at = lattice.lo + np.arange(lattice.cells + 1) * lattice.width
    # Within the first and the last cell that hold anything, values lie between the extremes and not over the cell.
    ends = np.array([column.least, np.nextafter(column.greatest, math.inf)])
    inner = (at > ends[0]) & (at < ends[1])
    return np.interp(edges, np.concatenate((ends[:1], at[inner], ends[1:])), np.concatenate(([0], heaped[inner], [1])))


def in_equal_bins(reference: Numbers, current: Numbers, edges: Shares) -> tuple[Shares, Shares]:
    """Shares in bins between these edges, the last of which holds its upper end, as ``numpy.histogram`` counts."""
    closed = edges.copy()
    closed[-1] = np.nextafter(edges[-1], math.inf)
    return np.diff(below(reference, closed)), np.diff(below(current, closed))


def sturges(reference: Numbers, current: Numbers) -> Shares | None:
    """Edges of as many equal bins over both columns as NumPy's rule of Sturges makes; None if there is no range."""
    span = extremes(reference, current)
    if span is None or span[0] == span[1]:
        return None
    return np.linspace(*span, math.ceil(math.log2(reference.n + current.n) + 1) + 1)


def doane(reference: Numbers) -> Shares | None:
    """Edges over the reference after NumPy's rule of Doane, with the skewness as the cells tell it."""
    n, deviation, mean = reference.n, reference.deviation, reference.mean
    if n < 3 or not deviation or mean is None or reference.least is None or reference.greatest is None:
        return None
    lattice = reference.lattice
    middles = lattice.lo + (np.arange(lattice.cells) + 0.5) * lattice.width
    cubes = float((((middles - mean) / deviation) ** 3 * reference.counts).sum())
    for end, outside in ((reference.least, reference.under), (reference.greatest, reference.over)):
        cubes += outside * ((end - mean) / deviation) ** 3 / 2
    uncertain = math.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
    bins = math.ceil(1 + math.log2(n) + math.log2(1 + abs(cubes / n) / uncertain))
    return np.linspace(reference.least, reference.greatest, bins + 1)


def extremes(reference: Numbers, current: Numbers) -> tuple[float, float] | None:
    found = [end for column in (reference, current) for end in (column.least, column.greatest) if end is not None]
    return (min(found), max(found)) if found else None


def few_values(reference: Numbers, current: Numbers) -> tuple[Shares, Shares] | None:
    """Counts by value where the reference is exact and has at most ``FEW`` of them: peers call that categorical."""
    if not (reference.is_exact and current.is_exact) or np.count_nonzero(reference.counts) > FEW:
        return None
    there = (reference.counts > 0) | (current.counts > 0)
    return reference.counts[there].astype(np.float64), current.counts[there].astype(np.float64)
