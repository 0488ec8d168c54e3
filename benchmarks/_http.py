"""A small load client: kept connections, one thread each, bounded in calls and in time, loopback only."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

HERE = frozenset({"127.0.0.1", "localhost", "::1"})
MOST_CALLS = 20_000
MOST_SECONDS = 60.0


class Caller:
    """One kept connection."""

    def __init__(self, address: str, key: str = "") -> None:
        place = urlsplit(address)
        if place.hostname not in HERE:
            raise SystemExit(f"Load is put on this machine alone, not on {place.hostname}.")
        self.connection = http.client.HTTPConnection(place.netloc, timeout=60)
        self.headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> int:
        self.connection.request(method, path, json.dumps(body) if body else None, self.headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status


@dataclass
class Outcome:
    """What every call took in milliseconds, what it answered, how long all of it lasted."""

    times: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def rate(self, status: int) -> float:
        return self.statuses.count(status) / self.seconds

    def errors(self, status: int) -> int:
        """Calls that were answered otherwise, or not at all (0)."""
        return len(self.statuses) - self.statuses.count(status)


def hammer(
    clients: int, make: Callable[[int], Callable[[int], int]], *, seconds: float, calls: int = MOST_CALLS
) -> Outcome:
    """``make(client)`` gives each client its call, which takes a running number and returns the status."""
    found, until = Outcome(), time.perf_counter() + min(seconds, MOST_SECONDS)

    def work(client: int) -> None:
        call = make(client)
        for number in range(min(calls, MOST_CALLS) // clients):
            began = time.perf_counter()
            if began > until:
                return
            try:
                status = call(number)
            except (OSError, http.client.HTTPException):
                status = 0
            found.statuses.append(status)
            found.times.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.seconds = time.perf_counter() - began
    return found
