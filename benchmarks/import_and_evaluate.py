"""The real inventory of 2,133 use cases: how long to import it, how long to judge it, and with how many queries."""

from __future__ import annotations

import argparse
import json

from benchmarks.figures import conditions, figure, headline, skip
from benchmarks.installation import INVENTORY, Installation, on_sqlite

SIZES = (100, 1_000, 10_000)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_and_evaluate", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, metavar="N", help="portfolios to judge")
    asked = parser.parse_args()
    print(headline())
    if INVENTORY.exists():
        _inventory()
    else:
        skip("import of the US federal inventory", f"{INVENTORY} is not there")
    _growing(sorted(asked.sizes))
    print(conditions())


def _inventory() -> None:
    with on_sqlite() as installation:
        installation.manage("prepare")  # publishes the policies
        arguments = ["import_portfolio", str(INVENTORY), "--profile", "us-federal-2024"]
        for name in ("import of 2,133 rows, SQLite", "the same file again, nothing changes"):
            took, busy = installation.cost(*arguments)
            figure(name, took, "s", at_most=20)
            figure("  processor time of that", busy, "s")
        _judge(installation, "both policies")


def _growing(sizes: list[int]) -> None:
    """Portfolios of several sizes: the number of queries must be the same."""
    queries = set()
    for size in sizes:
        with on_sqlite() as installation:
            installation.manage("prepare")
            installation.manage("generate_portfolio", "--use-cases", str(size), "--seed", "1", "--no-evaluation")
            queries.add(_judge(installation, "both policies", at_most=None))
    if queries:
        figure("different numbers of queries among these", len(queries), "", at_most=1)


def _judge(installation: Installation, name: str, at_most: float | None = 10) -> int:
    report = json.loads(installation.manage("evaluate_gates", "--format", "json"))
    figure(f"{name} on {report['use_cases']:,} use cases, SQLite", report["seconds"], "s", at_most=at_most)
    figure("  queries of that", report["queries"], "")
    return int(report["queries"])


if __name__ == "__main__":
    main()
