"""Points over REST: batches of 1,000, signed in by token, each audited; read back thinned out; rules judged."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import resource
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import mlflow_peer
from benchmarks.figures import conditions, figure, percentile, skip
from benchmarks.installation import POSTGRES, Installation, on_postgres, on_sqlite, postgres_answers

BATCH = 1000
SERIES = 10
SECONDS = float(os.environ.get("BENCH_SECONDS", "12"))
WARM_UP = 10
READ_POINTS = 100_000
READS = 60
JUDGED = 10_000
START = datetime(2020, 1, 1, tzinfo=UTC)


def main() -> None:
    with on_sqlite() as installation:
        _measure(installation, "SQLite", points_wanted=100_000)
    if not postgres_answers():
        skip("points on PostgreSQL", f"nobody answers at {POSTGRES}; name a server with BENCH_DATABASE_URL")
        return
    with on_postgres() as installation:
        _measure(installation, "PostgreSQL", points_wanted=76_000)
    _beside()
    print(conditions())


def _measure(installation: Installation, where: str, *, points_wanted: float) -> None:
    """In a process of its own, for Django's settings are read once."""
    cores = sorted(os.sched_getaffinity(0))
    child = os.fork()
    if child:
        _pid, status = os.waitpid(child, 0)
        if status:
            raise SystemExit(f"{where}: the benchmark failed")
        return
    code = 1
    try:
        os.environ.update(installation.environment)
        (key, reader), series, read = _prepare()
        with installation.web(processes=2, threads=8, core=cores[0]) as address:
            if len(cores) > 1:
                os.sched_setaffinity(0, set(cores[1:]))
            clock = Clock()
            for clients in (1, 8):
                _push(address, key, series, clock, where=where, clients=clients, points_wanted=points_wanted)
            for clients in (1, 8):
                _push_single(address, key, series, clock, where=where, clients=clients)
            _read(address, reader, read, where)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        figure("  processor time of the web", used.ru_utime + used.ru_stime, "s")
        figure("  peak memory of a web process", used.ru_maxrss / 1024, "MB")
        _judge(where)
        code = 0
    finally:
        os._exit(code)


def _prepare() -> tuple[tuple[str, str], list[int], int]:
    """Keys of a machine that sends and a person who reads, series to push to, and one series with many points."""
    import django

    django.setup()
    from django.db import connection

    from accounts.services import assign_role
    from accounts.services.people import create_person
    from accounts.services.service_accounts import create_service_account
    from benchmarks.people import key_of, somebody_who_sees_everything
    from ledger import SYSTEM
    from monitoring import rollups
    from monitoring.models import Series
    from monitoring.services import define_series, push_points
    from portfolio.services import create_unit, create_use_case

    unit = create_unit(code="bench", name="Benchmark", by=SYSTEM)
    use_case = create_use_case(unit=unit, name="Benchmark", by=SYSTEM)
    owner = create_person(email="owner@example.org", full_name="Owner", by=SYSTEM)
    machine = create_service_account(name="CI", owner=owner, by=SYSTEM)
    assign_role(user=machine, role="service_account", on=unit, by=SYSTEM)
    series = [define_series(use_case=use_case, metric="f1", segment=str(i), by=SYSTEM).pk for i in range(SERIES)]
    read = define_series(use_case=use_case, metric="latency_p95", by=SYSTEM).pk
    for start in range(0, READ_POINTS, 50_000):
        times = (START + timedelta(minutes=start + i) for i in range(50_000))
        push_points(batch=[{"series": read, "time": t, "value": t.minute / 7} for t in times], by=SYSTEM)
    Series.objects.update(judge_asked_at=None)
    rollups.roll_up(read)  # what the sweep does within a minute
    keys = key_of(machine), key_of(somebody_who_sees_everything())
    connection.close()
    return keys, series, read


class Clock:
    """Hands out times that nobody has used."""

    def __init__(self) -> None:
        self.next = 0
        self.lock = threading.Lock()

    def take(self, count: int) -> int:
        with self.lock:
            self.next += count
            return self.next - count


class Caller:
    """One kept connection."""

    def __init__(self, address: str, key: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: bytes | None = None) -> int:
        self.connection.request(method, path, body, self.headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


def batch(series: list[int], first: int, count: int) -> bytes:
    """Points of several series, with times that are new."""
    rows = [
        {
            "series": series[(first + i) % len(series)],
            "time": (START + timedelta(seconds=(first + i) // len(series))).isoformat(),
            "value": (first + i) % 997 / 1000,
        }
        for i in range(count)
    ]
    return json.dumps(rows).encode()


def _push(
    address: str, key: str, series: list[int], clock: Clock, *, where: str, clients: int, points_wanted: float
) -> None:
    # Bodies are made beforehand: the client shares the machine with what it measures.
    bodies = [[batch(series, clock.take(BATCH), BATCH) for _ in range(int(1800 / clients))] for _ in range(clients)]
    used = _served()
    times, statuses, seconds = _hammer(clients, lambda client: _sender(Caller(address, key), bodies[client]), SECONDS)
    used = _served() - used
    name = f"{where}: batches of 1,000, {clients} client{'s' if clients > 1 else ''}"
    figure(name, statuses.count(200) * BATCH / seconds, "p/s", at_least=points_wanted)
    figure("  p95 of a batch", percentile(times, 0.95), "ms", at_most=35 if clients == 1 else None)
    figure("  a second of processor time of the web", statuses.count(200) * BATCH / (used or 1), "p")
    figure("  errors", len(statuses) - statuses.count(200), "", at_most=0)


def _push_single(address: str, key: str, series: list[int], clock: Clock, *, where: str, clients: int) -> None:
    bodies = [[batch(series, clock.take(1), 1) for _ in range(int(8000 / clients))] for _ in range(clients)]
    used = _served()
    times, statuses, seconds = _hammer(clients, lambda client: _sender(Caller(address, key), bodies[client]), SECONDS)
    used = _served() - used
    name = f"{where}: one point a call, {clients} client{'s' if clients > 1 else ''}"
    figure(name, statuses.count(200) / seconds, "/s", at_least=300)
    figure("  p95 of a call", percentile(times, 0.95), "ms")
    figure("  a second of processor time of the web", statuses.count(200) / (used or 1), "/s")
    figure("  errors", len(statuses) - statuses.count(200), "", at_most=0)


def _beside() -> None:
    """MLflow's tracking server, tuned, with the same load."""
    if not mlflow_peer.COMMAND:
        skip("MLflow", "BENCH_MLFLOW names no mlflow command")
        return
    cores = sorted(os.sched_getaffinity(0))
    with mlflow_peer.served(core=cores[0]) as peer:
        if len(cores) > 1:
            os.sched_setaffinity(0, set(cores[1:]))
        first = itertools.count(0, BATCH)
        for size, clients in ((BATCH, 1), (BATCH, 8), (1, 1), (1, 8)):
            bodies = [[peer.batch(next(first), size) for _ in range(int(800 / clients))] for _ in range(clients)]

            def make(client: int, bodies: list[list[bytes]] = bodies) -> Callable[[], int | None]:
                caller = Caller(f"http://{peer.place}", "")
                caller.headers = peer.headers
                return _sender(caller, bodies[client], mlflow_peer.LOG_BATCH)

            used = _served()
            times, statuses, seconds = _hammer(clients, make, SECONDS)
            used = _served() - used
            what = "batches of 1,000" if size == BATCH else "one point a call"
            figure(f"MLflow: {what}, {clients} clients", statuses.count(200) * size / seconds, "p/s")
            if times:
                figure("  p95", percentile(times, 0.95), "ms")
            figure("  a second of processor time of the web", statuses.count(200) * size / (used or 1), "p")
            figure("  errors", len(statuses) - statuses.count(200), "")
    os.sched_setaffinity(0, set(cores))
    figure("  peak memory of a process", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, "MB")


def _sender(caller: Caller, bodies: list[bytes], path: str = "/api/v1/points:batch") -> Callable[[], int | None]:
    left = iter(bodies)

    def send() -> int | None:
        body = next(left, None)
        return None if body is None else caller.ask("POST", path, body)

    return send


def _hammer(
    clients: int, make: Callable[[int], Callable[[], int | None]], seconds: float
) -> tuple[list[float], list[int], float]:
    """What every call took in milliseconds, what it answered, and how long all of it lasted."""
    times: list[float] = []
    statuses: list[int] = []
    began = time.perf_counter()

    def work(client: int) -> None:
        send = make(client)
        for number in range(10**9):
            start = time.perf_counter()
            if start - began > seconds:
                return
            status = send()
            if status is None:
                return
            statuses.append(status)
            if number >= WARM_UP:
                times.append((time.perf_counter() - start) * 1000)

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, statuses, time.perf_counter() - began


def _served() -> float:
    """Processor time of what this process started and what that started, in seconds: other work changes it little."""
    ticks, parents = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            pid = int(stat.parent.name)
            parents[pid], ticks[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return sum(ticks.get(pid, 0) for pid in ours - {os.getpid()}) / os.sysconf("SC_CLK_TCK")


def _read(address: str, key: str, series: int, where: str) -> None:
    caller = Caller(address, key)
    query = f"/api/v1/series/{series}/points/?buckets=500"
    times = []
    for _ in range(READS):
        began = time.perf_counter()
        status = caller.ask("GET", query)
        times.append((time.perf_counter() - began) * 1000)
        if status != 200:
            raise SystemExit(f"GET {query} answers {status}")
    figure(f"{where}: 100,000 points read as 500 buckets, p50", percentile(times[5:], 0.5), "ms", at_most=40)


def _judge(where: str) -> None:
    """Every series with one rule, all of them with a new point."""
    from django.utils import timezone

    from ledger import SYSTEM
    from monitoring import tasks
    from monitoring.models import Rule, Series
    from monitoring.services import push_points
    from portfolio.models import UseCase

    use_case, now = UseCase.objects.get(), timezone.now()
    made = Series.objects.bulk_create(
        [Series(use_case=use_case, metric="psi", segment=str(number), unit="index") for number in range(JUDGED)]
    )
    Rule.objects.bulk_create([Rule(series=one, name="r", op="<=", warn=0.1, act=0.25) for one in made])
    push_points(batch=[{"series": one.pk, "time": now, "value": 0.05} for one in made], by=SYSTEM)
    began = time.perf_counter()
    tasks.judge_series([one.pk for one in made])
    figure(f"{where}: 10,000 series judged, one rule each", time.perf_counter() - began, "s", at_most=10)


if __name__ == "__main__":
    main()
