"""A point that breaks a rule opens an alert, tells people and announces itself; a point inside ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from ledger import SYSTEM
from ledger.models import Event
from monitoring import judging, tasks
from monitoring.models import Alert, Rule, Series
from monitoring.services import push_points
from monitoring.signals import alert_changed
from notify.models import Notice
from portfolio.models import UseCase
from portfolio.signals import facts_changed
from tests.factories.accounts import PersonFactory, give
from tests.factories.monitoring import RuleFactory, SeriesFactory, moment, points
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


@contextmanager
def heard(signal: Any) -> Iterator[list[dict[str, Any]]]:
    calls: list[dict[str, Any]] = []

    def listen(sender: Any, signal: Any, **arguments: Any) -> None:
        calls.append(arguments)

    signal.connect(listen)
    try:
        yield calls
    finally:
        signal.disconnect(listen)


def push(series: Series, time: datetime, value: float) -> None:
    push_points(batch=[{"series": series.pk, "time": time, "value": value}], by=SYSTEM)


def judge(*series: Series) -> judging.Judged:
    return judging.judge([one.pk for one in series])


def test_a_value_inside_opens_nothing() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.9])
    judge(rule.series)
    assert not Alert.objects.exists()


def test_a_broken_rule_opens_one_alert_however_often_it_is_judged() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.84])
    judge(rule.series)
    judge(rule.series)
    alert = Alert.objects.get()
    assert (alert.level, alert.state, alert.value, alert.limit) == ("warn", "open", 0.84, 0.85)
    assert alert.message == "F1 score is 0.84; it should be at least 0.85."
    assert Event.objects.filter(action="alert.opened", use_case_id=str(rule.series.use_case_id)).count() == 1


def test_a_worse_value_raises_the_alert_and_a_better_one_does_not_lower_it() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.84])
    judge(rule.series)
    Alert.objects.update(state="acknowledged", acknowledged_at=timezone.now())
    points(rule.series, [0.7])
    judge(rule.series)
    alert = Alert.objects.get()
    assert (alert.level, alert.state, alert.acknowledged_at) == ("act", "open", None)
    assert alert.act_since is not None
    points(rule.series, [0.83], minutes_apart=0)
    judge(rule.series)
    assert Alert.objects.get().level == "act"
    assert Event.objects.filter(action="alert.raised").count() == 1


def test_a_value_back_inside_resolves_it() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.7])
    judge(rule.series)
    points(rule.series, [0.95])
    judge(rule.series)
    alert = Alert.objects.get()
    assert alert.state == "resolved"
    assert alert.resolved_at is not None
    assert Event.objects.filter(action="alert.resolved").count() == 1


def test_a_corrected_point_ends_the_alert_it_caused() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.7])
    judge(rule.series)
    time = Series.objects.get().last_time
    assert time is not None
    push(rule.series, time, 0.9)
    judge(rule.series)
    assert Alert.objects.get().state == "resolved"


def test_a_short_breach_between_two_judgements_is_on_record() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.9], minutes_apart=1)
    judge(rule.series)
    Series.objects.update(judged_through=timezone.now() - timedelta(minutes=30))
    points(rule.series, [0.9, 0.7, 0.9, 0.95], minutes_apart=3)
    judge(rule.series)
    alert = Alert.objects.get()
    assert (alert.level, alert.state) == ("act", "resolved")


def test_old_history_that_arrives_opens_no_alerts_of_the_past() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.7, 0.7, 0.9, 0.7, 0.9], minutes_apart=60 * 24 * 3)
    judge(rule.series)
    assert not Alert.objects.exists()


def test_points_in_a_row_count_across_judgements() -> None:
    rule = RuleFactory.create(needed=3, among=3)
    for minutes in (9, 6):
        push(rule.series, moment(minutes), 0.7)
        judge(rule.series)
        assert not Alert.objects.exists()
    push(rule.series, moment(3), 0.7)
    judge(rule.series)
    assert Alert.objects.get().level == "act"


def test_a_rule_that_is_off_is_not_judged() -> None:
    rule = RuleFactory.create(enabled=False)
    points(rule.series, [0.1])
    judge(rule.series)
    assert not Alert.objects.exists()


def test_a_series_that_is_off_is_not_judged() -> None:
    rule = RuleFactory.create(series=SeriesFactory.create(enabled=False))
    points(rule.series, [0.1])
    judge(rule.series)
    assert not Alert.objects.exists()


def test_two_rules_of_one_series_have_an_alert_each() -> None:
    series = SeriesFactory.create()
    RuleFactory.create(series=series)
    RuleFactory.create(series=series, op="<=", warn=0.5, act=0.6)
    points(series, [0.7])
    judge(series)
    assert Alert.objects.count() == 2


def test_the_database_keeps_one_unresolved_alert_a_rule() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.7])
    judge(rule.series)
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(series=rule.series, rule=rule, level="warn", message="again")


def test_technical_lead_and_business_owner_are_told_once() -> None:
    rule = RuleFactory.create()
    lead, owner, stranger = PersonFactory.create(), PersonFactory.create(), PersonFactory.create()
    give(lead, "technical_lead", rule.series.use_case)
    give(owner, "business_owner", rule.series.use_case.unit)
    give(stranger, "auditor", rule.series.use_case)
    points(rule.series, [0.7])
    judge(rule.series)
    judge(rule.series)
    told = Notice.objects.filter(kind="alert.opened").values_list("recipient_id", flat=True)
    assert sorted(told) == sorted([lead.pk, owner.pk])


def test_alert_and_use_case_are_announced_after_the_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.7])
    with heard(alert_changed) as alerts, heard(facts_changed) as facts:
        with django_capture_on_commit_callbacks(execute=False) as callbacks:
            judge(rule.series)
        assert alerts == []
        for callback in callbacks:
            callback()
    use_case: UseCase = rule.series.use_case
    alert = Alert.objects.get()
    assert alerts == [{"use_case_id": use_case.pk, "alert_id": alert.pk, "level": "act", "state": "open"}]
    assert {"use_case_id": use_case.pk, "what": "metrics"} in facts


def test_judging_clears_what_was_owed_unless_points_came_meanwhile() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.9])
    assert Series.objects.get().judge_asked_at is not None
    loaded = judging._loaded([rule.series.pk])
    points(rule.series, [0.91])
    assert judging._finish(loaded) == [rule.series.pk]
    assert Series.objects.get().judge_asked_at is not None
    assert judge(rule.series).again == []
    series = Series.objects.get()
    assert (series.judge_asked_at, series.judged_through) == (None, series.last_time)


def test_a_lost_message_is_found_by_the_sweep() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.7])
    assert judging.owed() == []
    Series.objects.update(judge_asked_at=timezone.now() - timedelta(minutes=1))
    assert judging.owed() == [rule.series.pk]


def test_judging_asks_the_same_number_of_questions_for_one_series_and_for_many() -> None:
    use_case = UseCaseFactory.create()

    def queries(count: int) -> int:
        listed = [SeriesFactory.create(use_case=use_case, segment=f"{count}-{i}") for i in range(count)]
        for one in listed:
            RuleFactory.create(series=one)
            points(one, [0.95])
        with CaptureQueriesContext(connection) as captured:
            judge(*listed)
        return len([query for query in captured if "UPDATE" not in query["sql"]])

    assert queries(1) == queries(12)


def test_the_task_judges_and_says_how_many_changed() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.7])
    assert tasks.judge_series([rule.series.pk]) == 1
    assert tasks.judge_series([rule.series.pk]) == 0
    assert Rule.objects.count() == 1


# -- Kinds of rules --------------------------------------------------------------------------------------------------


def test_a_fall_below_the_baseline_opens_an_alert_in_the_unit_of_the_series() -> None:
    series = SeriesFactory.create(baseline=0.9)
    RuleFactory.create(series=series, condition="baseline", params={}, op=">=", warn=5, act=10)
    points(series, [0.8])
    judge(series)
    alert = Alert.objects.get()
    assert (alert.level, alert.value) == ("act", 0.8)
    assert alert.limit == pytest.approx(0.81)
    assert "below the baseline of 0.9" in alert.message


def test_a_weekday_is_judged_with_the_points_of_earlier_weeks_alone() -> None:
    series = SeriesFactory.create(metric="request_volume", direction="target", unit="requests")
    rule = RuleFactory.create(series=series, condition="weekday", params={"weeks": "3"}, op=">=", warn=30, act=60)
    for week in (3, 2, 1):
        push(series, moment(week * 7 * 24 * 60), 1000)
    judge(series)
    assert not Alert.objects.exists()
    push(series, moment(1), 100)
    judge(series)
    assert Alert.objects.get(rule=rule).level == "act"


def test_windows_are_compared_across_judgements() -> None:
    series = SeriesFactory.create()
    RuleFactory.create(series=series, condition="previous", params={"size": "2"}, op=">=", warn=20, act=50)
    for minutes, value in ((20, 10), (15, 10), (10, 7), (5, 7)):
        push(series, moment(minutes), value)
        judge(series)
    assert [(alert.level, alert.value) for alert in Alert.objects.all()] == [("warn", 7)]


def test_a_missing_value_opens_an_alert_while_nothing_comes() -> None:
    use_case = UseCaseFactory.create(stage="operations")
    series = SeriesFactory.create(use_case=use_case, expected_every_seconds=3600)
    RuleFactory.create(series=series, condition="missing", params={"windows": "4"}, op="<=", warn=0, act=2)
    push(series, moment(60 * 2), 0.9)
    judge(series)
    assert Alert.objects.filter(rule__isnull=False).count() == 1  # one and a half intervals are over
    Alert.objects.all().delete()
    Series.objects.update(silent_after=timezone.now() - timedelta(minutes=1))
    assert judging.ticking() == [series.pk]
    tasks.judge_silence()
    alert = Alert.objects.get(rule__isnull=False)
    assert (alert.level, alert.value, alert.limit) == ("warn", None, None)
    assert "1 of the last 4 expected values is missing" in alert.message
    Series.objects.update(enabled=False)
    assert judging.ticking() == []


def test_kinds_that_look_back_ask_no_more_questions_for_many_series_than_for_one() -> None:
    use_case = UseCaseFactory.create()
    kinds: tuple[dict[str, Any], ...] = (
        {"condition": "weekday", "params": {"weeks": "4"}, "op": "between", "warn": 50},
        {"condition": "previous", "params": {"size": "30"}, "op": "between", "warn": 50},
        {"condition": "baseline", "op": "between", "warn": 50},
        {"condition": "threshold", "op": ">=", "warn": 0.5, "needed": 3, "among": 5},
    )

    def queries(count: int) -> int:
        listed = [SeriesFactory.create(use_case=use_case, segment=f"{count}-{i}", baseline=1) for i in range(count)]
        for one in listed:
            for kind in kinds:
                RuleFactory.create(series=one, act=None, **kind)
            points(one, [0.95, 0.96], minutes_apart=7 * 24 * 60)
        with CaptureQueriesContext(connection) as captured:
            judge(*listed)
        return len([query for query in captured if "UPDATE" not in query["sql"]])

    assert queries(1) == queries(9)
