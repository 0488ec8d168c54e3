"""Whoever is killed at whatever moment leaves all of a batch or nothing; work grows with the points alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kernel.database import is_postgresql
from ledger import SYSTEM
from ledger.models import Event
from monitoring import ingest, rollups, wire
from monitoring.models import IngestBatch, Point
from monitoring.services import push_points
from tests.factories.monitoring import SeriesFactory

START = datetime(2026, 3, 1, tzinfo=UTC)
SIZE = 400
HOUSE = Path(__file__).parents[2]

# Sends batches until it is killed; says after each how far it came.
SENDER = f"""
import sys
import django
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
from datetime import UTC, datetime, timedelta
from ledger import SYSTEM
from monitoring import tasks
from monitoring.services import push_points
tasks.judge_soon = lambda ids: None
times = (datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=second) for second in range(10**6))
for number in range(1000):
    push_points(batch=[dict(series=int(sys.argv[2]), time=next(times), value=i) for i in range({SIZE})], by=SYSTEM)
    print(number, flush=True)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", [0.013, 0.2])
def test_kill_9_leaves_whole_batches_with_their_events(tmp_path: Path, moment: float) -> None:
    series = SeriesFactory.create()
    connection.close()
    said = tmp_path / "said"
    with said.open("w") as out:
        sender = subprocess.Popen(
            [sys.executable, "-c", SENDER, str(connection.settings_dict["NAME"]), str(series.pk)],
            stdout=out,
            cwd=HOUSE,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "TOLLGATE_DATA_DIR": str(tmp_path)},
        )
        deadline = time.monotonic() + 120
        while not said.read_text() and sender.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moment)
        sender.kill()
        sender.wait()
    confirmed = len(said.read_text().split())
    batches = IngestBatch.objects.count()
    assert batches >= confirmed > 0  # what was confirmed is there
    assert Point.objects.count() == batches * SIZE  # and nothing of a batch without the rest
    assert Event.objects.filter(action="points.received").count() == batches
    newest = Point.objects.order_by("time").last()
    series.refresh_from_db()
    assert newest is not None
    assert (series.last_time, series.last_value) == (newest.time, newest.value)
    # The sender cannot know how far it came and repeats everything: nothing is doubled.
    rows = [
        {"series": series.pk, "time": START + timedelta(seconds=i), "value": i % SIZE} for i in range(batches * SIZE)
    ]
    assert push_points(batch=rows, by=SYSTEM).stored == 0


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["new", "locked", "touch", "_record"])
def test_a_batch_that_dies_at_any_step_leaves_nothing(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    series = SeriesFactory.create()
    events = Event.objects.count()
    home = ingest._Writer if step == "new" else ingest
    before = getattr(home, step)

    def die(*args: object, **more: object) -> None:
        before(*args, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(home, step, die)
    with pytest.raises(KeyboardInterrupt):
        push_points(batch=[{"series": series.pk, "time": START, "value": 1}], by=SYSTEM)
    monkeypatch.setattr(home, step, before)
    assert not Point.objects.exists()
    assert not IngestBatch.objects.exists()
    assert Event.objects.count() == events
    series.refresh_from_db()
    assert series.last_time is None
    assert push_points(batch=[{"series": series.pk, "time": START, "value": 1}], by=SYSTEM).stored == 1


@pytest.mark.django_db
def test_the_statements_do_not_grow_with_the_points() -> None:
    series = SeriesFactory.create()

    def statements(first: int, count: int) -> int:
        rows = [{"series": series.pk, "time": START + timedelta(seconds=first + i), "value": i} for i in range(count)]
        with CaptureQueriesContext(connection) as captured:
            assert push_points(batch=rows, by=SYSTEM).stored == count
        return len(captured) if is_postgresql() else len([q for q in captured if "monitoring_point" not in q["sql"]])

    statements(0, 1)
    assert statements(10, 10) == statements(100, 3000)


def test_memory_grows_in_step_with_the_batch_and_not_faster() -> None:
    now = START + timedelta(days=60)

    def peak(count: int) -> int:
        lines = "\n".join(
            f'{{"series":{i % 10},"time":"{(START + timedelta(seconds=i)).isoformat()}","value":{i / 7}}}'
            for i in range(count)
        ).encode()
        tracemalloc.start()
        batch = wire.read(lines, by_line=True, now=now)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(batch.entries) == count
        return used

    small, large = peak(5_000), peak(50_000)
    assert large < 12 * small
    assert large / 50_000 < 1500  # bytes a point


@pytest.mark.django_db
def test_a_rollup_touches_only_what_came() -> None:
    series = SeriesFactory.create()
    for day in (0, 300):
        push_points(batch=[{"series": series.pk, "time": START - timedelta(days=day), "value": 1}], by=SYSTEM)
    rollups.roll_up(series.pk)
    push_points(batch=[{"series": series.pk, "time": START + timedelta(days=1), "value": 1}], by=SYSTEM)
    assert rollups.roll_up(series.pk) == 0  # one piece, from the new point on
