"""Several people at once: keys are never given twice, and of two edits of a locked KPI one wins."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from kernel.errors import Conflict
from ledger import SYSTEM
from ledger.models import Event
from portfolio import services
from portfolio.models import Kpi, UseCase
from tests.factories.portfolio import KpiFactory, UnitFactory

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


def all_at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each call returned, or the conflict it raised."""

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Conflict as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, calls))


def test_use_cases_opened_at_once_get_keys_of_their_own_and_an_event_each() -> None:
    unit = UnitFactory.create()
    before = Event.objects.count()
    made = all_at_once([lambda: services.create_use_case(unit=unit, name="Use case", by=SYSTEM)] * (3 * AT_ONCE))
    assert len({use_case.key for use_case in made}) == 3 * AT_ONCE
    assert UseCase.objects.count() == 3 * AT_ONCE
    assert Event.objects.count() == before + 3 * AT_ONCE


def test_the_same_typed_key_is_given_to_one_of_two() -> None:
    unit = UnitFactory.create()
    calls = [lambda: services.create_use_case(unit=unit, name="A", key="triage", by=SYSTEM)] * 2
    answers = all_at_once(calls)
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "UseCase"]


def test_of_two_edits_of_a_locked_kpi_one_makes_the_version_and_the_other_is_told() -> None:
    kpi = KpiFactory.create(lock=True)
    answers = all_at_once(
        [
            lambda: services.edit_kpi(kpi=kpi, changes={"target": Decimal(7)}, by=SYSTEM),
            lambda: services.edit_kpi(kpi=kpi, changes={"target": Decimal(6)}, by=SYSTEM),
        ]
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Kpi"]
    assert sorted(Kpi.objects.values_list("version", "is_current")) == [(1, False), (2, True)]
