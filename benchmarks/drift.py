"""Drift of 60 columns and 1,000,000 rows of Parquet against a stored reference profile, on one core.

Data come from a seeded generator and go with the run. A scan is a process of its own, pinned to one core: what it
computes (reading the stored reference, counting the rows, every statistic of every feature) is told in seconds of
processor time, and the most memory it had is told with everything that Python and its libraries take. The statistics
are held against exact ones on the same rows. With PEERS_PYTHON, a Python that has evidently or nannyml, these do the
same work afterwards (see `drift_peers`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from benchmarks.figures import conditions, figure, headline, skip

ROWS = 1_000_000
SIZES = (250_000, 1_000_000, 2_000_000)
NUMBERS, CATEGORIES = 50, 10
GROUP = 131_072
VALUES = (3, 5, 8, 10, 12, 20, 50, 100, 200, 500)
COMPUTE, MEMORY = 0.85, 200


def main() -> int:
    if len(sys.argv) > 1 and sys.argv[1] == "scan":
        print(json.dumps(_scan(Path(sys.argv[2]), Path(sys.argv[3]))))
        return 0
    print(headline())
    with tempfile.TemporaryDirectory() as folder:
        _measure(Path(folder))
    print(conditions())
    return 0


def _measure(folder: Path) -> None:
    reference, packed = folder / "reference.parquet", folder / "reference.profile"
    generate(reference, ROWS, seed=1, moved=0.0)
    packed.write_bytes(_made_apart(reference))
    for rows in SIZES:
        generate(folder / f"{rows}.parquet", rows, seed=2, moved=1.0)
    found = {rows: min((_apart(packed, folder / f"{rows}.parquet") for _again in range(3)), key=_cpu) for rows in SIZES}
    now = found[ROWS]
    figure("drift, 60 columns x 1,000,000 rows: processor time", _cpu(now), "s", at_most=COMPUTE)
    figure("  of it counting the rows", float(now["count"]), "s")
    figure("  most memory of the whole process", float(now["memory"]), "MB", at_most=MEMORY)
    small, large = found[SIZES[0]], found[SIZES[-1]]
    a_row = [_cpu(each) / rows for rows, each in ((SIZES[0], small), (SIZES[-1], large))]
    figure("  time a row, 2,000,000 against 250,000 rows", a_row[1] / a_row[0], "x", at_most=1.2)
    figure("  memory, 2,000,000 against 250,000 rows", large["memory"] / small["memory"], "x", at_most=1.2)
    _accuracy(reference, folder / f"{ROWS}.parquet", now["values"])
    _peers(reference, folder / f"{ROWS}.parquet")


def _cpu(found: dict[str, Any]) -> float:
    return float(found["cpu"])


def _apart(packed: Path, current: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.drift", "scan", str(packed), str(current)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _made_apart(reference: Path) -> bytes:
    """The reference is made here: what it takes is not part of the figure."""
    from monitoring.profiles.files import scan_reference
    from monitoring.profiles.wire import pack

    begun = time.process_time()
    profile = scan_reference([reference])
    figure("making the reference: processor time", time.process_time() - begun, "s")
    return pack(profile)


def _scan(packed: Path, current: Path) -> dict[str, Any]:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings

    # Definitions are translated texts; nothing else of the product is needed, so nothing else is loaded.
    if not settings.configured:
        settings.configure(USE_I18N=False)
    from monitoring.comparing import Terms, compare
    from monitoring.profiles.files import scan
    from monitoring.profiles.wire import unpack
    from monitoring.statistic import statistics

    statistics.discover("monitoring.drift")
    begun = time.process_time()
    reference = unpack(packed.read_bytes())
    read = time.process_time()
    profile = scan([current], reference.as_reference())
    counted = time.process_time()
    found = compare(reference, profile, Terms())
    done = time.process_time()
    measured = {f.name: {key: m.value for key, m in f.measured.items()} for f in found.features}
    # The mark of this address space: the one of getrusage is handed on by whoever started the process.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    memory = int(status["VmHWM"].split()[0]) / 1024
    return {"cpu": done - begun, "count": counted - read, "memory": memory, "values": measured}


def _accuracy(reference: Path, current: Path, values: dict[str, dict[str, float]]) -> None:
    """The largest differences from what the rows themselves give."""
    worst = {"ks": 0.0, "psi": 0.0, "js": 0.0}
    for name in [f"n{n:02d}" for n in range(NUMBERS)]:
        before, now = (np.sort(_column(path, name)) for path in (reference, current))
        exact = _exact(before, now)
        worst["ks"] = max(worst["ks"], abs(values[name]["ks"] - exact["ks"]))
        for key in ("psi", "js"):
            if exact[key] > 0.01:  # a tenth of where drift begins; a part of nothing says nothing
                worst[key] = max(worst[key], 100 * abs(values[name][key] / exact[key] - 1))
    figure("KS against exact: largest difference", worst["ks"], "", at_most=0.005)
    figure("PSI against exact deciles: largest difference", worst["psi"], "%", at_most=2)
    figure("JS against exact deciles: largest difference", worst["js"], "%", at_most=2)


def _exact(before: NDArray[Any], now: NDArray[Any]) -> dict[str, float]:
    both = np.concatenate((before, now))
    gaps = np.searchsorted(before, both, side="right") / len(before)
    gaps -= np.searchsorted(now, both, side="right") / len(now)
    edges = np.unique(np.quantile(before, np.arange(1, 10) / 10))
    r, c = (
        np.diff(np.concatenate(([0], np.searchsorted(rows, edges), [len(rows)]))).astype(float)
        for rows in (before, now)
    )
    p, q = ((each + 0.5) / (each.sum() + 0.5 * len(each)) for each in (r, c))
    r, c = r / r.sum(), c / c.sum()
    middle = (r + c) / 2
    entropy = sum(float((each[each > 0] * np.log2(each[each > 0] / middle[each > 0])).sum()) for each in (r, c)) / 2
    return {
        "ks": float(np.abs(gaps).max()),
        "psi": float(((q - p) * np.log(q / p)).sum()),
        "js": float(np.sqrt(max(0.0, entropy))),
    }


def _column(path: Path, name: str) -> NDArray[Any]:
    column: NDArray[Any] = pyarrow.parquet.read_table(path, columns=[name]).column(0).to_numpy()
    return column


def _peers(reference: Path, current: Path) -> None:
    python = os.environ.get("PEERS_PYTHON", "")
    if not python:
        skip("evidently and nannyml on the same files", "PEERS_PYTHON names no Python that has them")
        return
    script = Path(__file__).with_name("drift_peers.py")
    subprocess.run([python, str(script), str(reference), str(current)], check=False)


def generate(path: Path, rows: int, *, seed: int, moved: float) -> None:
    """50 columns of numbers of five shapes and 10 of categories; ``moved`` shifts every sixth of them a little."""
    chance = np.random.default_rng(seed)
    writer: Any = None
    for start in range(0, rows, GROUP):
        table = _group(chance, min(GROUP, rows - start), moved)
        if writer is None:
            writer = pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def _group(chance: np.random.Generator, rows: int, moved: float) -> pa.Table:
    columns: dict[str, Any] = {}
    for n in range(NUMBERS):
        by = moved * (n % 6 == 0)
        shapes = (
            lambda by: chance.normal(0.15 * by, 1 + 0.1 * by, rows),
            lambda by: chance.lognormal(0.1 * by, 1, rows),
            lambda by: chance.gamma(2 + 0.3 * by, 2, rows),
            lambda by: chance.integers(0, 500 + int(60 * by), rows).astype(np.float64),
            lambda by: chance.beta(2 + 0.3 * by, 5, rows),
        )
        columns[f"n{n:02d}"] = shapes[n % len(shapes)](by)
    for n, many in enumerate(VALUES):
        weights = np.arange(1, many + 1) ** -(1.0 + 0.2 * moved * (n % 3 == 0))
        codes = chance.choice(many, rows, p=weights / weights.sum()).astype(np.int32)
        names = pa.array([f"value {value}" for value in range(many)])
        columns[f"c{n}"] = pa.DictionaryArray.from_arrays(pa.array(codes), names).cast(pa.string())
    return pa.table(columns)


if __name__ == "__main__":
    sys.exit(main())
