"""One line a figure: what was measured, what it is, what it should be."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

WIDTH = 58


def headline() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    where = f"{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}"
    return f"{where}\n{'':<{WIDTH}} {'measured':>12} {'wanted':>14}"


def conditions() -> str:
    """How busy the machine was: a figure taken beside other work says less."""
    return f"Load of the machine (1, 5, 15 minutes): {' '.join(f'{each:.1f}' for each in os.getloadavg())}"


def figure(what: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None) -> None:
    """Print one figure, marked where it misses what is wanted."""
    wanted, missed = "", False
    if at_most is not None:
        wanted, missed = f"<= {at_most:g} {unit}", value > at_most
    elif at_least is not None:
        wanted, missed = f">= {at_least:g} {unit}", value < at_least
    print(f"{what:<{WIDTH}} {value:>9.4g} {unit:<4} {wanted:>12}{'  MISSED' if missed else ''}", flush=True)


def skip(what: str, reason: str) -> None:
    print(f"{what:<{WIDTH}} {'skipped: ' + reason}", flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
