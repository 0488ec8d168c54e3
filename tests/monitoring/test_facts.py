"""What gates read of monitoring, now and for a date in the past, in a constant number of queries."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ledger import SYSTEM
from monitoring.models import Alert, Series
from monitoring.selectors import buckets, latest_values, monitors, open_alerts, points_of
from monitoring.services import push_points
from tests.factories.governance import AiModelFactory, ModelVersionFactory
from tests.factories.monitoring import AlertFactory, RuleFactory, SeriesFactory, points
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def push(series: Series, time: datetime, value: float, *, received: datetime | None = None, **more: object) -> None:
    point = {"series": series.pk, "time": time, "value": value, **more}
    push_points(batch=[point], by=SYSTEM, received_at=received)


def ago(**span: float) -> datetime:
    return (timezone.now() - timedelta(**span)).replace(microsecond=0)


def test_the_latest_value_is_a_decimal_with_its_origin() -> None:
    series = SeriesFactory.create()
    push(series, ago(hours=2), 0.1)
    push(series, ago(hours=1), 0.3, n=50)
    found = latest_values([series.use_case_id], timezone.now())[series.use_case_id]["f1"]
    assert found == {
        "value": Decimal("0.3"),
        "at": ago(hours=1),
        "series_id": series.pk,
        "version_label": "",
        "segment": "",
        "n": 50,
    }
    assert isinstance(found["value"], Decimal)


def test_every_use_case_asked_for_has_an_entry() -> None:
    use_case = UseCaseFactory.create()
    now = timezone.now()
    assert latest_values([use_case.pk], now) == {use_case.pk: {}}
    assert monitors([use_case.pk], now) == {use_case.pk: []}
    assert open_alerts([use_case.pk], now) == {use_case.pk: []}


def test_none_asks_for_everybody() -> None:
    series = SeriesFactory.create()
    push(series, ago(hours=1), 0.3)
    AlertFactory.create(rule=RuleFactory.create(series=series))
    now = timezone.now()
    assert list(latest_values(None, now)) == [series.use_case_id]
    assert list(monitors(None, now)) == [series.use_case_id]
    assert list(open_alerts(None, now)) == [series.use_case_id]


def test_a_date_in_the_past_sees_what_had_been_received_by_then() -> None:
    series = SeriesFactory.create()
    push(series, ago(days=10), 0.9, received=ago(days=10))
    push(series, ago(days=5), 0.8, received=ago(days=5))
    push(series, ago(days=10), 0.5, received=ago(days=3))  # a late correction
    push(series, ago(days=6), 0.1, received=ago(days=1))  # a late point

    def at(**span: float) -> Decimal | None:
        found = latest_values([series.use_case_id], ago(**span))[series.use_case_id].get("f1")
        return found["value"] if found else None

    assert at(days=11) is None
    assert at(days=7) == Decimal("0.9")
    assert at(days=4) == Decimal("0.8")
    assert at(days=0) == Decimal("0.8")


def test_a_revision_is_seen_from_when_it_came() -> None:
    series = SeriesFactory.create()
    push(series, ago(days=10), 0.9, received=ago(days=9))
    push(series, ago(days=10), 0.5, received=ago(days=2))
    for days, value in ((5, "0.9"), (1, "0.5")):
        found = latest_values([series.use_case_id], ago(days=days))[series.use_case_id]["f1"]
        assert found["value"] == Decimal(value)


def test_a_series_defined_later_did_not_exist() -> None:
    series = SeriesFactory.create(created_at=ago(days=1))
    push(series, ago(days=10), 0.9, received=ago(hours=1))
    then = ago(days=2)
    assert latest_values([series.use_case_id], then) == {series.use_case_id: {}}
    assert monitors([series.use_case_id], then) == {series.use_case_id: []}


def test_the_series_over_all_segments_counts_first_and_then_the_newest() -> None:
    use_case = UseCaseFactory.create()
    whole = SeriesFactory.create(use_case=use_case)
    north = SeriesFactory.create(use_case=use_case, segment="north")
    push(whole, ago(hours=2), 0.8)
    push(north, ago(hours=1), 0.2)
    assert latest_values([use_case.pk], timezone.now())[use_case.pk]["f1"]["series_id"] == whole.pk


def test_a_retired_version_counts_until_it_was_retired() -> None:
    use_case = UseCaseFactory.create()
    model = AiModelFactory.create(use_case=use_case)
    old = ModelVersionFactory.create(model=model, label="1.0", retired_at=ago(days=1))
    series = SeriesFactory.create(use_case=use_case, version=old)
    push(series, ago(days=3), 0.8, received=ago(days=3))
    assert latest_values([use_case.pk], timezone.now()) == {use_case.pk: {}}
    assert latest_values([use_case.pk], ago(days=2))[use_case.pk]["f1"]["version_label"] == "1.0"


def test_monitors_tell_kinds_baseline_and_rules() -> None:
    series = SeriesFactory.create(baseline=0.91, baseline_at=ago(days=2), kinds=["performance"])
    RuleFactory.create(series=series, warn=0.9, act=None, created_at=ago(days=20))
    RuleFactory.create(series=series, warn=0.85, act=0.8, reaction="Call the lead", created_at=ago(days=10))
    RuleFactory.create(series=series, enabled=False)
    push(series, ago(hours=1), 0.95)
    (monitor,) = monitors([series.use_case_id], timezone.now())[series.use_case_id]
    assert (monitor["metric"], monitor["kinds"], monitor["enabled"]) == ("f1", ["performance"], True)
    assert (monitor["last_time"], monitor["baseline"]) == (ago(hours=1), Decimal("0.91"))
    rules = monitor["rules"]
    assert (rules["count"], rules["op"], rules["warn"], rules["act"]) == (2, ">=", Decimal("0.85"), Decimal("0.8"))
    assert rules["reaction"] == "Call the lead"
    (before,) = monitors([series.use_case_id], ago(days=15))[series.use_case_id]
    assert (before["baseline"], before["last_time"], before["rules"]["count"]) == (None, None, 1)


def test_alerts_are_open_between_opening_and_resolving() -> None:
    series = SeriesFactory.create(metric="psi", kinds=["drift", "data_drift"])
    rule = RuleFactory.create(series=series)
    alert = AlertFactory.create(
        rule=rule,
        level="act",
        opened_at=ago(days=5),
        act_since=ago(days=4),
        decided_at=ago(days=3),
        outcome="retrain",
        state="resolved",
        resolved_at=ago(days=2),
    )

    def at(days: float) -> list[dict[str, object]]:
        return open_alerts([series.use_case_id], ago(days=days))[series.use_case_id]

    assert at(6) == []
    assert [(a["id"], a["drift"], a["level"], a["decided"], a["outcome"]) for a in at(4.5)] == [
        (alert.pk, True, "warn", False, "")
    ]
    assert [(a["level"], a["decided"]) for a in at(3.5)] == [("act", False)]
    assert [(a["level"], a["decided"], a["outcome"]) for a in at(2.5)] == [("act", True, "retrain")]
    assert at(1) == []


def test_silence_is_no_drift() -> None:
    series = SeriesFactory.create(kinds=["drift"])
    Alert.objects.create(series=series, level="warn", message="silent")
    (found,) = open_alerts([series.use_case_id], timezone.now())[series.use_case_id]
    assert (found["drift"], found["silence"]) == (False, True)


@pytest.mark.parametrize("days_ago", [0, 3])
def test_the_number_of_queries_does_not_depend_on_the_number_of_use_cases(days_ago: int) -> None:
    def queries(use_cases: int) -> int:
        ids = []
        for _ in range(use_cases):
            rule = RuleFactory.create()
            points(rule.series, [0.9, 0.7])
            AlertFactory.create(rule=rule)
            ids.append(rule.series.use_case_id)
        with CaptureQueriesContext(connection) as captured:
            for read in (latest_values, monitors, open_alerts):
                read(ids, timezone.now() - timedelta(days=days_ago))
        return len(captured)

    assert queries(1) == queries(5) <= 6


def test_buckets_hold_least_greatest_mean_and_last() -> None:
    series = SeriesFactory.create()
    start = ago(hours=4)
    for minutes, value in ((0, 1.0), (30, 5.0), (59, 3.0), (130, 7.0)):
        push(series, start + timedelta(minutes=minutes), value)
    series.refresh_from_db()
    found = buckets(series, start=start, end=start + timedelta(hours=4), count=4)
    assert [(b.start, b.min, b.max, b.mean, b.last, b.count) for b in found] == [
        (start, 1.0, 5.0, 3.0, 3.0, 3),
        (start + timedelta(hours=2), 7.0, 7.0, 7.0, 7.0, 1),
    ]


def test_buckets_and_points_show_the_latest_revision_only() -> None:
    series = SeriesFactory.create()
    time = ago(hours=1)
    push(series, time, 9.0)
    push(series, time, 1.0)
    series.refresh_from_db()
    (bucket,) = buckets(series, start=time, end=timezone.now(), count=1)
    assert (bucket.min, bucket.max, bucket.last, bucket.count) == (1.0, 1.0, 1.0, 1)
    assert [point.value for point in points_of(series)] == [1.0]
