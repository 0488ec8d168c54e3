"""REST on PostgreSQL with one core for the web, signed in by token: reading a page of 10,000, creating under load."""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Callable

from benchmarks._http import Caller, hammer
from benchmarks.figures import conditions, figure, headline, percentile, skip
from benchmarks.installation import POSTGRES, Installation, free_port, on_postgres, postgres_answers

WARM_UP = 10


def main() -> None:
    asked = _arguments()
    if not postgres_answers():
        skip("REST on PostgreSQL", f"nobody answers at {POSTGRES}; name a server with BENCH_DATABASE_URL")
        return
    print(headline())
    with on_postgres(asked.database_url) as installation:
        os.environ.update(installation.environment)
        installation.fill(asked.use_cases)
        key, unit = _prepare()
        cores = sorted(os.sched_getaffinity(0))
        with installation.web(processes=1, threads=8, core=cores[0]) as address:
            if len(cores) > 1:
                os.sched_setaffinity(0, set(cores[1:]))
            for path in ("/api/v1/use-cases/?page_size=50", "/api/v1/use-cases/?page_size=50&stage=pilot"):
                _read(Caller(address, key), path, asked.reads, at_most=20)
            for clients in (1, 16):
                _create(address, key, unit, clients, asked.seconds)
        os.sched_setaffinity(0, set(cores))
        _yardstick(installation, asked.reads, cores)
    skip("VerifyWise, CISO Assistant", "not measured here: neither can be installed without their images")
    print(conditions())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rest", description=__doc__)
    parser.add_argument("--use-cases", type=int, default=10_000, metavar="N")
    parser.add_argument("--reads", type=int, default=300, metavar="N", help="calls of each list")
    parser.add_argument("--seconds", type=float, default=15.0, metavar="S", help="how long to create, at most 60")
    parser.add_argument("--database-url", metavar="URL", help="a database to use and keep; default: one of its own")
    return parser.parse_args()


def _prepare() -> tuple[str, str]:
    import django

    django.setup()
    from django.db import connection

    from benchmarks.people import key_of, somebody_who_sees_everything
    from portfolio.models import BusinessUnit

    found = key_of(somebody_who_sees_everything()), BusinessUnit.objects.get(parent__isnull=True).code
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what autovacuum does within a minute of such a load
    connection.close()
    return found


def _read(caller: Caller, path: str, reads: int, *, at_most: float | None = None) -> None:
    found = hammer(1, lambda _client: lambda _number: caller.ask("GET", path), seconds=60, calls=reads)
    if found.errors(200):
        raise SystemExit(f"GET {path} answers {sorted(set(found.statuses))}")
    figure(f"GET {path}, p50", percentile(found.times[WARM_UP:], 0.5), "ms", at_most=at_most)
    figure(f"GET {path}, p95", percentile(found.times[WARM_UP:], 0.95), "ms")


def _create(address: str, key: str, unit: str, clients: int, seconds: float) -> None:
    """Each with its event in the ledger, in the same transaction."""
    run = int(time.time())

    def writer(client: int) -> Callable[[int], int]:
        caller = Caller(address, key)

        def write(number: int) -> int:
            body = {"name": f"Benchmark {run}-{client}-{number}", "unit": unit, "summary": "Made by a benchmark."}
            return caller.ask("POST", "/api/v1/use-cases/", body)

        return write

    found = hammer(clients, writer, seconds=seconds)
    name = f"POST /api/v1/use-cases/, {clients} client{'s' if clients > 1 else ''}"
    figure(name, found.rate(201), "/s", at_least=80)
    figure("  p50 of that", percentile(found.times, 0.5), "ms")
    figure("  p95 of that", percentile(found.times, 0.95), "ms")
    figure("  errors of that", found.errors(201), "", at_most=0)
    if found.errors(201):
        for status, same in itertools.groupby(sorted(found.statuses)):
            print(f"    status {status}: {len(list(same))}")


def _yardstick(installation: Installation, reads: int, cores: list[int]) -> None:
    """A bare Django REST framework list of the same rows: no sign-in, no permissions, counted pages."""
    port = free_port()
    with installation.served("benchmarks.bare_drf:application", port, "/use-cases/", core=cores[0]) as address:
        if len(cores) > 1:
            os.sched_setaffinity(0, set(cores[1:]))
        caller = Caller(address)
        found = hammer(1, lambda _c: lambda _n: caller.ask("GET", "/use-cases/"), seconds=60, calls=reads)
        figure("a bare DRF list of 50, p50", percentile(found.times[WARM_UP:], 0.5), "ms")
        figure("a bare DRF list of 50, p95", percentile(found.times[WARM_UP:], 0.95), "ms")
    os.sched_setaffinity(0, set(cores))


if __name__ == "__main__":
    main()
