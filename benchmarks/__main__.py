"""`python -m benchmarks [NAME ...]`: each benchmark in a process and a data directory of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES = ("import_and_evaluate", "pages", "rest", "ingest", "drift", "reassess", "sign_off", "simulation", "first_run")


def main() -> int:
    chosen = sys.argv[1:] or NAMES
    unknown = [name for name in chosen if name not in NAMES]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}.", file=sys.stderr)
        return 1
    return max(_run(name) for name in chosen)


def _run(name: str) -> int:
    print(f"\n{name}", flush=True)
    script = HERE / f"{name}.sh"
    command = [str(script)] if script.exists() else [sys.executable, "-m", f"benchmarks.{name}"]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
