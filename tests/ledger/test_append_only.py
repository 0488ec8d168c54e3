"""The database refuses to change events, whatever the statement; which it is depends on the run."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from ledger import SYSTEM, Subject, unit_of_work
from ledger.models import Event, Head

pytestmark = pytest.mark.django_db

COLUMNS = (
    '"index", at, action, subject_type, subject_id, subject_label, unit_path, actor_kind, auth_method, request_id,'
    " body, leaf_hash"
)
VALUES = "'2026-01-01 00:00:00', 'a.b', 't', '1', '', '', 'system', 'command', '', '{}', 'x'"


@pytest.fixture(autouse=True)
def two_events() -> None:
    with unit_of_work(by=SYSTEM) as uow:
        for number in range(2):
            uow.record("lamp.lit", subject=Subject("workshop.lamp", str(number)))


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def contents() -> list[Any]:
    return list(Event.objects.order_by("index").values_list())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_event SET action = 'lamp.sold' WHERE \"index\" = 0",
        'UPDATE ledger_event SET "index" = 5 WHERE "index" = 1',
        'DELETE FROM ledger_event WHERE "index" = 1',
        "DELETE FROM ledger_event",
    ],
)
def test_changing_and_deleting_is_refused(statement: str) -> None:
    before = contents()
    with pytest.raises(IntegrityError, match="append-only"):
        run(statement)
    assert contents() == before


@pytest.mark.parametrize("index", [0, 1, 3, 100, -1])
def test_an_index_that_is_not_the_next_is_refused(index: int) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        run(f"INSERT INTO ledger_event ({COLUMNS}) VALUES ({index}, {VALUES})")  # constants
    assert len(contents()) == 2


def test_the_next_index_is_accepted() -> None:
    run(f"INSERT INTO ledger_event ({COLUMNS}) VALUES (2, {VALUES}), (3, {VALUES})")  # constants
    assert len(contents()) == 4


def test_replacing_is_refused() -> None:
    before = contents()
    insert = f"ledger_event ({COLUMNS}) VALUES (1, {VALUES})"
    statement = (
        f'INSERT INTO {insert} ON CONFLICT ("index") DO UPDATE SET action = excluded.action'
        if connection.vendor == "postgresql"
        else f"INSERT OR REPLACE INTO {insert}"
    )
    with pytest.raises(IntegrityError, match="append-only"):
        run(statement)
    assert contents() == before


def test_replacing_the_last_event_by_itself_is_refused_without_recursive_triggers_too() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    before = contents()
    run("PRAGMA recursive_triggers = OFF")
    try:
        with pytest.raises(IntegrityError, match="append-only"):
            run(f"REPLACE INTO ledger_event ({COLUMNS}) VALUES (1, {VALUES})")  # constants
    finally:
        run("PRAGMA recursive_triggers = ON")
    assert contents() == before


def test_truncating_is_refused() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(IntegrityError, match="TRUNCATE refused"):
        run("TRUNCATE ledger_event CASCADE")
    assert len(contents()) == 2


def test_there_is_one_head_only() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Head.objects.create(id=2, next_index=0)


def test_the_head_grows_again_from_the_last_event_when_its_row_is_lost() -> None:
    Head.objects.all().delete()
    with unit_of_work(by=SYSTEM) as uow:
        uow.record("lamp.lit", subject=Subject("workshop.lamp", "9"))
    assert list(Event.objects.order_by("index").values_list("index", flat=True)) == [0, 1, 2]
    assert Head.objects.get().next_index == 3
