"""A monitor that stops reporting is an alert of its own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import judging
from monitoring.models import Alert, Series
from monitoring.silence import judge_silence
from tests.factories.monitoring import SeriesFactory, points
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def silent_series(hours: float, **fields: object) -> Series:
    """A series of a live system that expects a point an hour."""
    use_case = UseCaseFactory.create(stage=fields.pop("stage", "production"), status=fields.pop("status", "active"))
    series: Series = SeriesFactory.create(use_case=use_case, expected_every_seconds=3600, **fields)
    series.last_time = timezone.now() - timedelta(hours=hours)
    series.last_value = 0.9
    series.silent_after = series.silence_begins()
    series.save()
    return series


def test_a_series_that_reports_in_time_is_not_silent() -> None:
    silent_series(0.5)
    assert judge_silence() == 0


def test_silence_warns_first() -> None:
    series = silent_series(2)
    assert judge_silence() == 1
    alert = Alert.objects.get()
    assert (alert.series_id, alert.rule, alert.level) == (series.pk, None, "warn")
    assert "silent for 2 hours" in alert.message
    assert judge_silence() == 0


def test_long_silence_is_a_breach() -> None:
    series = silent_series(2)
    judge_silence()
    Series.objects.filter(pk=series.pk).update(last_time=timezone.now() - timedelta(hours=4))
    assert judge_silence() == 1
    alert = Alert.objects.get()
    assert alert.level == "act"
    assert alert.act_since is not None


def test_a_series_that_never_reported_is_silent_since_it_was_defined() -> None:
    series = silent_series(0)
    Series.objects.filter(pk=series.pk).update(
        last_time=None, created_at=timezone.now() - timedelta(hours=2), silent_after=timezone.now() - timedelta(hours=1)
    )
    judge_silence()
    assert "has never reported" in Alert.objects.get().message


@pytest.mark.parametrize("fields", [{"stage": "poc"}, {"stage": "retired"}, {"status": "on_hold"}, {"enabled": False}])
def test_silence_is_no_news_where_nothing_runs(fields: dict[str, object]) -> None:
    silent_series(10, **fields)
    assert judge_silence() == 0


def test_a_new_point_ends_the_silence() -> None:
    series = silent_series(2)
    judge_silence()
    points(series, [0.95])
    judging.judge([series.pk])
    assert Alert.objects.get().state == "resolved"


def test_an_old_point_does_not_end_the_silence() -> None:
    series = silent_series(5)
    judge_silence()
    points(series, [0.9, 0.9], minutes_apart=60 * 24)
    Series.objects.filter(pk=series.pk).update(
        last_time=timezone.now() - timedelta(hours=4), silent_after=timezone.now() - timedelta(hours=3)
    )
    judging.judge([series.pk])
    assert Alert.objects.get().state == "open"


def test_nothing_expected_is_never_silent() -> None:
    series = silent_series(100)
    Series.objects.filter(pk=series.pk).update(expected_every_seconds=0, silent_after=None)
    assert judge_silence() == 0
