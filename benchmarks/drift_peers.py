"""The same work by Evidently and NannyML, in a Python that has them: `PYTHON drift_peers.py REFERENCE CURRENT`.

Each is a process of its own, pinned to one core like ours. What is not installed is skipped, and says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

PEERS = ("evidently", "nannyml")


def main() -> int:
    reference, current = sys.argv[1:3]
    if len(sys.argv) > 3:
        return _one(sys.argv[3], reference, current)
    silent = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}  # nobody is told of the run
    for peer in PEERS:
        subprocess.run([sys.executable, __file__, reference, current, peer], env=silent, check=False)
    return 0


def _one(peer: str, reference: str, current: str) -> int:
    warnings.simplefilter("ignore")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    try:
        work = {"evidently": _evidently, "nannyml": _nannyml}[peer]()
    except ImportError as error:
        print(f"{peer}: skipped, {error}")
        return 0
    pandas: Any = import_module("pandas")
    before, now = pandas.read_parquet(reference), pandas.read_parquet(current)
    begun = time.process_time()
    what = work(before, now)
    spent = time.process_time() - begun
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    memory = int(status["VmHWM"].split()[0]) / 1024
    print(f"{what}, without reading the files: {spent:.1f} s of processor time, {memory:.0f} MB", flush=True)
    return 0


def _evidently() -> Callable[[Any, Any], str]:
    evidently: Any = import_module("evidently")
    presets: Any = import_module("evidently.presets")

    def work(before: Any, now: Any) -> str:
        report = evidently.Report([presets.DataDriftPreset(method="psi")])
        report.run(evidently.Dataset.from_pandas(now), evidently.Dataset.from_pandas(before))
        return f"evidently {evidently.__version__}, PSI"

    return work


def _nannyml() -> Callable[[Any, Any], str]:
    nannyml: Any = import_module("nannyml")

    def work(before: Any, now: Any) -> str:
        calculator = nannyml.UnivariateDriftCalculator(
            column_names=list(before.columns),
            continuous_methods=["kolmogorov_smirnov"],
            categorical_methods=["chi2"],
            chunk_number=1,
        )
        calculator.fit(before)
        calculator.calculate(now)
        return f"nannyml {nannyml.__version__}, KS and chi-square"

    return work


if __name__ == "__main__":
    sys.exit(main())
