"""Texts and vectors in a configured folder, watched and compared: what the tests of contents begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ledger import SYSTEM
from monitoring import classifying, services
from monitoring.models import ContentComparison, ContentSetup
from monitoring.services.contents import Content
from monitoring.services.places import Where
from tests.factories.portfolio import UseCaseFactory
from tests.monitoring.drift import stories

OLD, NEW = "invoice refund address parcel password", "app crash login update screen"


def letters(rows: int, words: str = OLD, *, seed: int = 1) -> pa.Table:
    chance = np.random.default_rng(seed)
    return pa.table({"text": [" ".join(chance.choice(words.split(), 9)) for _ in range(rows)], "n": range(rows)})


def clouds(rows: int, *, size: int = 6, moved: float = 0.0, seed: int = 1) -> pa.Table:
    found = np.random.default_rng(seed).normal(moved, 1.0, (rows, size))
    return pa.table({"vector": pa.array(list(found), pa.list_(pa.float32()))})


def watched(root: Path, use_case: Any = None, *, table: pa.Table | None = None, **content: Any) -> ContentSetup:
    """A column that is watched: ``text`` unless said."""
    path = stories.write(root, "reference.parquet", letters(200) if table is None else table)
    told: dict[str, Any] = {"kind": "text", "column": "text"} | content
    return services.watch_content(
        use_case=use_case or UseCaseFactory.create(), content=Content(**told), where=Where(path), by=SYSTEM
    )


def compared(root: Path, setup: ContentSetup, table: pa.Table, name: str = "week.parquet") -> ContentComparison:
    """A comparison that is done, or failed."""
    path = stories.write(root, name, table)
    row = services.compare_content(setup=setup, name=name, where=Where(path), by=SYSTEM)
    classifying.compare(row.pk)
    row.refresh_from_db()
    return row
