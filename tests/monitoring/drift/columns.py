"""Columns for the tests of profiles and of the statistics of drift."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from monitoring.profiles import ColumnFrame, Kind, Profile
from monitoring.profiles.columns import Column
from monitoring.profiles.counting import counted
from monitoring.profiles.files import count, survey
from monitoring.profiles.held import Held


def held(columns: dict[str, Any], stretch: int = 100_000) -> Held:
    arrays = {name: each if isinstance(each, pa.Array) else pa.array(each) for name, each in columns.items()}
    return Held(arrays, stretch)


def reference_of(**columns: Any) -> Profile:
    rows = held(columns)
    return count(rows, survey(rows))


def current_of(reference: Profile, **columns: Any) -> Profile:
    return count(held(columns), reference.as_reference())


def pair(before: Any, now: Any) -> tuple[Column, Column]:
    """One column of a reference and of what is compared with it."""
    reference = reference_of(x=before)
    return reference.columns["x"], current_of(reference, x=now).columns["x"]


def categories(name: str, values: Any) -> Column:
    return counted(ColumnFrame(name, Kind.CATEGORY), values)


def normal(rows: int, *, mean: float = 0.0, spread: float = 1.0, seed: int = 1) -> Any:
    return np.random.default_rng(seed).normal(mean, spread, rows)
