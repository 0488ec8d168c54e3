"""Writers in many threads number their events without a gap and without a double."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from ledger import SYSTEM, Subject, unit_of_work
from ledger.models import Event, Head
from ledger.verify import verify

WRITERS = 6
UNITS = 15


class Abandoned(Exception):
    pass


def write_one(writer: int, number: int) -> int:
    with unit_of_work(by=SYSTEM) as uow:
        ContentType.objects.create(app_label=f"w{writer}", model=f"m{number}")
        for _ in range(number % 3 + 1):
            uow.record("lamp.lit", subject=Subject("workshop.lamp", f"{writer}-{number}"))
        if number % 5 == 4:
            raise Abandoned
    return number % 3 + 1


def write(writer: int) -> int:
    """Units of one, two and three events, with a business row each; every fifth is rolled back at its end."""
    committed = 0
    try:
        for number in range(UNITS):
            with suppress(Abandoned):
                committed += write_one(writer, number)
    finally:
        connection.close()
    return committed


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_leave_no_gap() -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        committed = sum(pool.map(write, range(WRITERS)))
    assert list(Event.objects.order_by("index").values_list("index", flat=True)) == list(range(committed))
    assert Head.objects.get().next_index == committed
    kept = ContentType.objects.filter(app_label__startswith="w", model__startswith="m").count()
    assert kept == WRITERS * UNITS * 4 // 5
    told = Event.objects.values("subject_id").distinct().count()
    assert told == kept
    assert verify().ok


@pytest.mark.django_db(transaction=True)
def test_the_events_of_one_unit_stay_together() -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    seen: list[str] = []
    for subject_id in Event.objects.order_by("index").values_list("subject_id", flat=True):
        if not seen or seen[-1] != subject_id:
            seen.append(subject_id)
    assert len(seen) == len(set(seen))
