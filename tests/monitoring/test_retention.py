"""Points go when their time is over; rollups stay, and so does what somebody relied on."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from ledger import SYSTEM
from ledger.models import Event
from monitoring import retention, rollups, tasks
from monitoring.forms.series import SeriesEditForm
from monitoring.models import Point, Rollup, Series
from monitoring.selectors import buckets, first_time, last_points
from monitoring.selectors.buckets import DAY, floor
from monitoring.services import edit_series, push_points
from tests.factories.accounts import api_as, person_with
from tests.factories.monitoring import AlertFactory, RuleFactory, SeriesFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MIDNIGHT = floor(NOW, DAY)


def old_series(days: int, keep_days: int | None = 30, *, is_rolled: bool = True) -> Series:
    """A series with a value at noon of each of so many days, each received when it was measured."""
    series = SeriesFactory.create(keep_days=keep_days)
    for number in range(days, 0, -1):
        time = noon(number)
        point = {"series": series.pk, "time": time, "value": float(number)}
        push_points(batch=[point], by=SYSTEM, received_at=time)
    if is_rolled:
        rollups.roll_up(series.pk)
    return series


def noon(days_ago: int) -> datetime:
    return MIDNIGHT - timedelta(days=days_ago, hours=-12)


def left(series: Series) -> list[float]:
    return list(Point.objects.filter(series_id=series.pk).order_by("time").values_list("value", flat=True))


def test_points_go_when_their_days_are_over_and_the_ledger_tells() -> None:
    series = old_series(60)
    assert retention.forget(series.pk, NOW) == 30
    assert left(series) == [float(number) for number in range(30, 0, -1)]
    series.refresh_from_db()
    assert series.kept_from == MIDNIGHT - timedelta(days=30)
    events = Event.objects.filter(action="points.forgotten", use_case_id=str(series.use_case_id))
    assert events.exists()
    assert retention.forget(series.pk, NOW) == 0


def test_charts_still_show_what_is_gone() -> None:
    series = old_series(60)
    before = buckets(series, start=noon(61), end=NOW, count=20)
    retention.forget(series.pk, NOW)
    series.refresh_from_db()
    assert buckets(series, start=noon(61), end=NOW, count=20) == before
    assert sum(one.count for one in buckets(series, start=noon(60), end=noon(50), count=5000)) == 10
    assert first_time(series) == noon(60)


def test_a_late_point_does_not_take_the_rollups_of_what_is_gone() -> None:
    series = old_series(60)
    retention.forget(series.pk, NOW)
    hours = Rollup.objects.count()
    push_points(batch=[{"series": series.pk, "time": noon(45), "step": 9, "value": 1}], by=SYSTEM)
    rollups.roll_up(series.pk)
    series.refresh_from_db()
    assert Rollup.objects.count() == hours
    assert series.rollup_from is None


def test_nothing_goes_before_it_is_rolled_up() -> None:
    series = old_series(60, is_rolled=False)
    assert retention.forget(series.pk, NOW) == 0
    assert len(left(series)) == 60


def test_the_newest_point_stays_however_old() -> None:
    series = SeriesFactory.create(keep_days=30)
    push_points(batch=[{"series": series.pk, "time": noon(day), "value": day} for day in (90, 80)], by=SYSTEM)
    rollups.roll_up(series.pk)
    assert retention.forget(series.pk, NOW) == 1
    assert left(series) == [80.0]


def test_points_that_alerts_are_about_stay() -> None:
    series = old_series(60)
    AlertFactory.create(rule=RuleFactory.create(series=series), point_time=noon(50), opened_at=noon(49))
    retention.forget(series.pk, NOW)
    assert left(series)[:2] == [50.0, 49.0]


def test_points_that_a_decision_found_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    series = old_series(60)
    decided = noon(41) + timedelta(hours=3)
    found = last_points([series.pk], decided)
    monkeypatch.setattr(retention, "_asked", [lambda use_case: [decided] if use_case == series.use_case_id else []])
    retention.forget(series.pk, NOW)
    assert last_points([series.pk], decided) == found
    assert left(series)[0] == 41.0


def test_gates_name_the_moments_of_their_snapshots() -> None:
    from gates.keeping import moments_of_snapshots

    assert moments_of_snapshots in retention._asked
    assert list(moments_of_snapshots(SeriesFactory.create().use_case_id)) == []


@pytest.mark.parametrize(
    ("house", "own", "gone"), [(0, None, 0), (30, 0, 0), (30, None, 30), (0, 20, 40), (30, 50, 10)]
)
def test_a_series_says_how_long_and_else_the_house(settings: Settings, house: int, own: int | None, gone: int) -> None:
    settings.TOLLGATE_POINTS_KEEP_DAYS = house
    series = old_series(60, own)
    assert retention.due(NOW) == ([series.pk] if gone else [])
    assert retention.forget(series.pk, NOW) == gone


def test_the_sweep_waits_until_a_week_has_come_together() -> None:
    young, old = old_series(34), old_series(60)
    assert retention.due(NOW) == [old.pk]
    assert tasks.forget_points() == 30
    assert retention.due(NOW) == []
    assert len(left(young)) == 34


def test_how_long_points_are_kept_is_said_in_the_browser_and_over_rest() -> None:
    series = SeriesFactory.create()
    lead = person_with("technical_lead", series.use_case)
    client = api_as(lead)
    answer = client.patch(f"/api/v1/series/{series.pk}/", {"keep_days": 90}, format="json")
    assert (answer.status_code, answer.json()["keep_days"]) == (200, 90)
    assert client.patch(f"/api/v1/series/{series.pk}/", {"keep_days": -1}, format="json").status_code == 422
    client.patch(f"/api/v1/series/{series.pk}/", {"keep_days": None}, format="json")
    series.refresh_from_db()
    assert series.keep_days is None
    form = SeriesEditForm({"expected_every_seconds": "86400", "keep_days": "365"}, series=series)
    assert form.is_valid(), form.errors
    edit_series(series=series, changes=form.cleaned_data, by=lead)
    series.refresh_from_db()
    assert series.keep_days == 365
