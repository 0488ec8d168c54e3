"""Columns for the tests of profiles and of the statistics of drift."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from monitoring.profiles import ColumnFrame, Kind, Profile
from monitoring.profiles.columns import Column
from monitoring.profiles.counting import counted
from monitoring.profiles.files import count, survey


class Held:
    """Rows in memory, as scans see data; ``stretch`` rows at a time."""

    typed = True

    def __init__(self, columns: dict[str, Any], stretch: int = 100_000) -> None:
        self.columns = {name: each if isinstance(each, pa.Array) else pa.array(each) for name, each in columns.items()}
        self.rows = len(next(iter(self.columns.values())))
        self.stretch = stretch

    def types(self) -> dict[str, pa.DataType]:
        return {name: each.type for name, each in self.columns.items()}

    def parts(self, names: Any) -> Any:
        for name in names:
            for start in range(0, max(self.rows, 1), self.stretch):
                yield {name: self.columns[name].slice(start, self.stretch)}

    def size(self, names: Any) -> int:
        return len(names)


def reference_of(**columns: Any) -> Profile:
    held = Held(columns)
    return count(held, survey(held))


def current_of(reference: Profile, **columns: Any) -> Profile:
    return count(Held(columns), reference.as_reference())


def pair(before: Any, now: Any) -> tuple[Column, Column]:
    """One column of a reference and of what is compared with it."""
    reference = reference_of(x=before)
    return reference.columns["x"], current_of(reference, x=now).columns["x"]


def categories(name: str, values: Any) -> Column:
    return counted(ColumnFrame(name, Kind.CATEGORY), values)


def normal(rows: int, *, mean: float = 0.0, spread: float = 1.0, seed: int = 1) -> Any:
    return np.random.default_rng(seed).normal(mean, spread, rows)
