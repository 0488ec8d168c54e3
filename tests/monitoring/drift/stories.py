"""Data in a configured folder, references and reports: what the tests of services, REST and pages begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from ledger import SYSTEM
from monitoring import profiling, services
from monitoring.models import DataProfile, DriftReport
from monitoring.services.places import Where
from monitoring.services.profiles import Wanted
from tests.factories.portfolio import UseCaseFactory


def customers(rows: int, *, seed: int = 1, older: float = 0.0, **more: Any) -> pa.Table:
    """Rows of a model's input; ``older`` moves the ages."""
    chance = np.random.default_rng(seed)
    columns = {
        "age": chance.normal(45 + older, 12, rows).round(),
        "income": chance.lognormal(10, 0.5, rows),
        "region": chance.choice(["north", "south", "west"], rows, p=[0.5, 0.3, 0.2]),
        "score": chance.beta(2, 5, rows),
    }
    return pa.table(columns | more)


def write(root: Path, name: str, table: pa.Table) -> str:
    root.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table, root / name)
    return name


def reference(root: Path, use_case: Any = None, *, table: pa.Table | None = None, **terms: Any) -> DataProfile:
    """A reference that is in force."""
    path = write(root, "reference.parquet", customers(2000) if table is None else table)
    profile = services.profile_reference(
        use_case=use_case or UseCaseFactory.create(),
        name="Training data",
        where=Where(path),
        wanted=Wanted(terms={"roles": {"score": "prediction"}} | terms),
        by=SYSTEM,
    )
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert profile.in_force, profile.error
    return profile


def current(root: Path, against: DataProfile, table: pa.Table, name: str = "week.parquet") -> DataProfile:
    """A profile that was compared, or failed."""
    path = write(root, name, table)
    profile = services.profile_current(use_case=against.use_case, name=name, where=Where(path), by=SYSTEM)
    profiling.make(profile.pk)
    profile.refresh_from_db()
    return profile


def report(root: Path, *, older: float = 15.0, use_case: Any = None) -> DriftReport:
    """A report in which the age of the customers drifted."""
    against = reference(root, use_case)
    return current(root, against, customers(2000, seed=2, older=older)).reports.get()
