"""The embedded broker under load: every message arrives exactly once, in order, however many write and read."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty

from kombu.connection import Connection

from config import broker

MESSAGES = 3000

# Each test has a queue name of its own: kombu remembers bindings for the whole process, not for a folder.


def _connect(data_dir: str) -> Connection:
    return Connection(broker.URL, transport_options=broker.transport_options(Path(data_dir)))


def _produce(data_dir: str, name: str, numbers: range) -> None:
    with _connect(data_dir) as connection, connection.SimpleQueue(name) as queue:
        for number in numbers:
            queue.put({"number": number})


def _consume(data_dir: str, name: str, done: Queue[list[int]]) -> None:
    with _connect(data_dir) as connection, connection.SimpleQueue(name) as queue:
        done.put([payload["number"] for payload in _until_idle(queue)])


def _until_idle(queue: object) -> Iterator[dict[str, int]]:
    while True:
        try:
            message = queue.get(timeout=3)  # type: ignore[attr-defined]  # kombu ships no types
        except Empty:
            return
        message.ack()
        yield message.payload


def test_no_message_is_lost_or_repeated_with_two_producers_and_two_consumers(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    done: Queue[list[int]] = context.Queue()
    half = MESSAGES // 2
    parts = [range(half), range(half, MESSAGES)]
    readers = [context.Process(target=_consume, args=(str(tmp_path), "work", done)) for _ in range(2)]
    writers = [context.Process(target=_produce, args=(str(tmp_path), "work", part)) for part in parts]
    for process in readers + writers:
        process.start()
    arrived = [done.get(timeout=60) for _ in readers]
    for process in readers + writers:
        process.join(timeout=30)
        assert process.exitcode == 0
    assert sorted(arrived[0] + arrived[1]) == list(range(MESSAGES))
    assert not list((tmp_path / "broker" / "queue").iterdir())
    assert not list((tmp_path / "broker" / "taken").iterdir())


def test_messages_arrive_in_the_order_in_which_they_were_sent(tmp_path: Path) -> None:
    _produce(str(tmp_path), "ordered", range(50))
    with _connect(str(tmp_path)) as connection, connection.SimpleQueue("ordered") as queue:
        assert [payload["number"] for payload in _first(queue, 50)] == list(range(50))


def _first(queue: object, count: int) -> Iterator[dict[str, int]]:
    for _ in range(count):
        message = queue.get(timeout=3)  # type: ignore[attr-defined]  # kombu ships no types
        message.ack()
        yield message.payload


def test_a_message_that_is_still_being_written_is_not_taken(tmp_path: Path) -> None:
    with _connect(str(tmp_path)) as connection, connection.SimpleQueue("halfway") as queue:
        (tmp_path / "broker" / "queue" / ".00000000000000000001_x.halfway.msg").write_text("{")
        queue.put({"number": 1})
        assert [payload["number"] for payload in _first(queue, 1)] == [1]
