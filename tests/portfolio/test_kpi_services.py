"""Success measures: what may be defined, what locking means, what can be measured."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from ledger.models import Event
from portfolio import services
from portfolio.models import Kpi
from tests.factories.accounts import person_with
from tests.factories.portfolio import KpiFactory, UseCaseFactory, measure

pytestmark = pytest.mark.django_db


def test_the_first_kpi_is_primary_and_the_second_is_not() -> None:
    first = KpiFactory.create()
    second = KpiFactory.create(use_case=first.use_case)
    assert (first.is_primary, second.is_primary) == (True, False)


def test_a_second_primary_is_refused_by_name() -> None:
    first = KpiFactory.create()
    with pytest.raises(Conflict) as refused:
        KpiFactory.create(use_case=first.use_case, is_primary=True)
    assert first.name in refused.value.message


def test_a_key_is_used_once_in_a_use_case() -> None:
    first = KpiFactory.create(key="cost")
    with pytest.raises(Conflict):
        KpiFactory.create(use_case=first.use_case, key="cost")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"target": Decimal(20)}, "target"),
        ({"direction": "higher", "target": Decimal(1)}, "target"),
        ({"window_days": 0}, "window_days"),
        ({"baseline_date": timezone.localdate() + timedelta(days=2)}, "baseline_date"),
        ({"direction": "sideways"}, "direction"),
        ({"baseline": Decimal("NaN")}, "baseline"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        KpiFactory.create(**values)
    assert field in refused.value.errors
    assert not Kpi.objects.exists()


def test_only_a_sponsor_locks_and_only_an_owner_defines() -> None:
    kpi = KpiFactory.create()
    owner, sponsor = person_with("business_owner", kpi.use_case), person_with("business_sponsor", kpi.use_case)
    with pytest.raises(PermissionDenied):
        services.lock_kpi(kpi=kpi, by=owner)
    with pytest.raises(PermissionDenied):
        services.edit_kpi(kpi=kpi, changes={"target": Decimal(7)}, by=sponsor)
    locked = services.lock_kpi(kpi=kpi, by=sponsor)
    assert locked.locked_by == sponsor
    assert locked.is_locked


def test_a_kpi_without_target_cannot_be_locked() -> None:
    with pytest.raises(Conflict, match="target"):
        services.lock_kpi(kpi=KpiFactory.create(target=None), by=SYSTEM)


def test_an_edit_of_an_unlocked_kpi_changes_it() -> None:
    kpi = KpiFactory.create()
    edited = services.edit_kpi(kpi=kpi, changes={"target": Decimal(7)}, by=SYSTEM)
    assert (edited.pk, edited.version, edited.target) == (kpi.pk, 1, Decimal(7))


def test_an_edit_of_a_locked_kpi_makes_a_version_and_leaves_the_old_one() -> None:
    kpi = KpiFactory.create(lock=True)
    measured = measure(kpi, 10)
    edited = services.edit_kpi(kpi=kpi, changes={"target": Decimal(7)}, by=SYSTEM)
    kpi.refresh_from_db()
    assert (edited.version, edited.is_current, edited.is_locked, edited.is_primary) == (2, True, False, True)
    assert (kpi.version, kpi.is_current, kpi.is_locked, kpi.target) == (1, False, True, Decimal(8))
    assert measured.kpi_id == kpi.pk
    event = Event.objects.latest("index")
    assert event.action == "kpi.revised"
    assert event.changes["version"] == {"before": 1, "after": 2}
    with pytest.raises(Conflict, match="replaced"):
        services.edit_kpi(kpi=kpi, changes={"target": Decimal(6)}, by=SYSTEM)
    with pytest.raises(Conflict, match="replaced"):
        measure(kpi, 9)


def test_an_edit_that_changes_nothing_makes_no_version() -> None:
    kpi = KpiFactory.create(lock=True)
    assert services.edit_kpi(kpi=kpi, changes={"target": Decimal("8.0")}, by=SYSTEM).version == 1


def test_a_locked_kpi_cannot_be_locked_again() -> None:
    with pytest.raises(Conflict):
        services.lock_kpi(kpi=KpiFactory.create(lock=True), by=SYSTEM)


@pytest.mark.parametrize(
    ("days", "days_ago", "value", "field"),
    [
        (0, 1, "9", "window_end"),
        (7, -1, "9", "window_end"),
        (7, 1, "NaN", "value"),
        (7, 1, "Infinity", "value"),
        (7, 1, "123456789012345678901", "value"),
    ],
)
def test_an_impossible_measurement_is_refused(days: int, days_ago: int, value: str, field: str) -> None:
    kpi = KpiFactory.create()
    with pytest.raises(Invalid) as refused:
        measure(kpi, value, days=days, days_ago=days_ago)
    assert field in refused.value.errors
    assert not kpi.measurements.exists()


def test_a_measurement_is_recorded_once_for_its_window_and_source() -> None:
    kpi = KpiFactory.create()
    measure(kpi, 9)
    with pytest.raises(Conflict):
        measure(kpi, 8)
    measure(kpi, 8, source="another system")
    assert kpi.measurements.count() == 2
    assert Event.objects.filter(action="kpi.measured").count() == 2


def test_a_measurement_event_says_the_unit() -> None:
    measure(KpiFactory.create(use_case=UseCaseFactory.create(), unit="minutes"), "9.25")
    changes = Event.objects.latest("index").changes
    assert changes["unit"]["after"] == "minutes"
    assert changes["value"]["after"] == "9.25"
