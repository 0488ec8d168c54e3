"""Known ways in which AI work fails, read once from ``failure_modes.yaml``; a post-mortem names its causes by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One of them. ``reason`` says in a sentence what goes wrong."""

    key: str
    name: str
    reason: str
    severity: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@cache
def failure_modes() -> Mapping[str, FailureMode]:
    """Every known failure by its key, in the order of the file."""
    rows = [FailureMode(**row) for row in yaml.safe_load(FILE.read_text(encoding="utf-8"))]
    found = {row.key: row for row in rows}
    if len(found) != len(rows):
        raise ValueError(f"{FILE.name} names a failure twice")
    return found
