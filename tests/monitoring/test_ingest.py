"""Points in bulk: new ones, the same again, late changes, and two senders at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kernel.database import is_postgresql
from kernel.errors import Invalid
from ledger import SYSTEM, unit_of_work
from ledger.models import Event
from monitoring import ingest
from monitoring.models import IngestBatch, Point, Series
from monitoring.selectors import points_of
from monitoring.services import push_points
from tests.factories.monitoring import SeriesFactory, moment, points
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def push(series: Series, time: datetime, value: float, **more: object) -> ingest.Stored:
    return push_points(batch=[{"series": series.pk, "time": time, "value": value, **more}], by=SYSTEM)


def stored_values(series: Series) -> list[float]:
    series.refresh_from_db()
    return [point.value for point in points_of(series)]


def test_a_batch_is_stored_and_told_of_once() -> None:
    series = SeriesFactory.create()
    stored = points(series, [0.9, 0.8, 0.7])
    assert (stored.received, stored.stored, stored.revised, stored.unchanged) == (3, 3, 0, 0)
    assert stored_values(series) == [0.9, 0.8, 0.7]
    event = Event.objects.get(action="points.received")
    assert event.use_case_id == str(series.use_case_id)
    batch = IngestBatch.objects.get()
    assert (event.subject_id, batch.points, batch.stored) == (str(batch.pk), 3, 3)
    assert len(batch.sha256) == 64


def test_the_series_knows_its_newest_point() -> None:
    series = SeriesFactory.create()
    push(series, moment(5), 0.7)
    push(series, moment(10), 0.6, n=80)  # late, and older
    series.refresh_from_db()
    assert (series.last_value, series.last_n) == (0.7, None)
    newest = moment(1)
    push(series, newest, 0.9, n=100, step=3)
    series.refresh_from_db()
    assert (series.last_value, series.last_time, series.last_step, series.last_n) == (0.9, newest, 3, 100)
    assert series.silent_after == newest + timedelta(days=1)


def test_the_same_batch_again_changes_nothing() -> None:
    series = SeriesFactory.create()
    time = moment(5)
    push(series, time, 0.7)
    events, received = Event.objects.count(), Series.objects.get().last_received_at
    again = push(series, time, 0.7)
    assert (again.stored, again.unchanged, again.batches) == (0, 1, [])
    assert Event.objects.count() == events
    assert Series.objects.get().last_received_at == received


def test_another_value_for_the_same_time_is_a_new_revision() -> None:
    series = SeriesFactory.create()
    time = moment(5)
    push(series, time, 0.7)
    second = push(series, time, 0.75)
    push(series, time, 0.75)
    push(series, time, 0.7)
    assert (second.stored, second.revised) == (1, 1)
    rows = Point.objects.filter(series_id=series.pk).order_by("revision").values_list("revision", "value")
    assert list(rows) == [(0, 0.7), (1, 0.75), (2, 0.7)]
    assert stored_values(series) == [0.7]
    assert series.last_value == 0.7


@pytest.mark.parametrize("copy_above", [0, 5000])
def test_a_batch_may_hold_new_old_and_changed_points(copy_above: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "COPY_ABOVE", copy_above)  # both ways into PostgreSQL
    series = SeriesFactory.create()
    points(series, [0.1, 0.2, 0.3], minutes_apart=10)
    times = [point.time for point in points_of(series)]
    batch = [
        {"series": series.pk, "time": times[0], "value": 0.1},
        {"series": series.pk, "time": times[1], "value": 0.25},
        {"series": series.pk, "time": times[1] + timedelta(minutes=1), "value": 0.5},
    ]
    stored = push_points(batch=batch, by=SYSTEM)
    assert (stored.stored, stored.revised, stored.unchanged) == (2, 1, 1)
    assert stored_values(series) == [0.1, 0.25, 0.5, 0.3]


@pytest.mark.parametrize("count", [2, 300, 6000])
def test_points_between_and_beside_others_are_stored_like_those_after_them(count: int) -> None:
    series = SeriesFactory.create()
    even = [(moment(0) - timedelta(seconds=2 * i), float(i)) for i in range(count)]
    odd = [(time - timedelta(seconds=1), value + 0.5) for time, value in even]
    for told in (even, odd, even[: count // 2] + odd[count // 2 :]):
        push_points(batch=[{"series": series.pk, "time": time, "value": value} for time, value in told], by=SYSTEM)
    assert stored_values(series) == [value for _time, value in sorted(even + odd)]
    assert not Point.objects.filter(revision__gt=0).exists()


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_is_under_way_elsewhere_is_waited_for_and_not_doubled() -> None:
    if not is_postgresql():
        pytest.skip("SQLite has one writer at a time")
    series = SeriesFactory.create()
    batch = [{"series": series.pk, "time": moment(number), "value": number} for number in range(30)]
    found: list[ingest.Stored] = []

    def repeat() -> None:
        try:
            found.append(push_points(batch=batch, by=SYSTEM))
        finally:
            connection.close()

    thread = threading.Thread(target=repeat)
    with transaction.atomic():
        first = push_points(batch=batch, by=SYSTEM)
        thread.start()
        deadline = monotonic() + 20
        while not _somebody_waits_for_us() and monotonic() < deadline:
            sleep(0.01)
        assert _somebody_waits_for_us()
        assert not found
    thread.join()
    assert (first.stored, found[0].stored, found[0].unchanged) == (30, 0, 30)
    assert Point.objects.count() == 30
    assert Event.objects.filter(action="points.received").count() == 1


def _somebody_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")
        return cursor.fetchone() is not None


def test_two_batches_of_one_unit_touch_a_series_one_after_the_other() -> None:
    series = SeriesFactory.create()
    home = ingest.Home(series.use_case_id, series.use_case.unit.path)
    with unit_of_work(by=SYSTEM) as uow:
        for time, value in (("2026-01-02 00:00:00", 2.0), ("2026-01-01 00:00:00", 1.0)):
            ingest.store(uow, [(series.pk, time, 0, value, None)], home=home, digest="d" * 64, now=timezone.now())
    series.refresh_from_db()
    assert (series.last_value, series.rollup_from) == (2.0, datetime(2026, 1, 1, tzinfo=UTC))
    assert series.rollup_to == datetime(2026, 1, 2, tzinfo=UTC)


def test_whole_statements_and_what_is_left_over_are_stored_alike() -> None:
    """On SQLite some hundred rows share a statement; old, new and changed ones lie on both sides of its border."""
    series = SeriesFactory.create()
    many = 2 * ingest.AT_ONCE + 7
    times = [moment(many - number) for number in range(many)]
    batch = [{"series": series.pk, "time": time, "value": number / 8} for number, time in enumerate(times)]
    assert push_points(batch=batch[::3], by=SYSTEM).stored == len(batch[::3])
    batch[0]["value"] = batch[-1]["value"] = 0.75
    changed = 1 + ((many - 1) % 3 == 0)
    stored = push_points(batch=batch, by=SYSTEM)
    assert (stored.stored, stored.revised) == (many - len(batch[::3]) + changed, changed)
    assert stored_values(series) == [point["value"] for point in batch]


def test_a_count_given_later_is_a_revision_and_leaving_it_out_is_none() -> None:
    series = SeriesFactory.create()
    time = moment(5)
    push(series, time, 0.7)
    assert push(series, time, 0.7, n=100).revised == 1
    assert push(series, time, 0.7).stored == 0
    assert Series.objects.get().last_n == 100


def test_twice_the_same_point_in_a_batch_counts_once() -> None:
    series = SeriesFactory.create()
    point = {"series": series.pk, "time": moment(1), "value": 0.5}
    assert push_points(batch=[point, point], by=SYSTEM).received == 1


def test_a_batch_that_contradicts_itself_is_refused_whole() -> None:
    series = SeriesFactory.create()
    point = {"series": series.pk, "time": moment(1), "value": 0.5}
    with pytest.raises(Invalid) as caught:
        push_points(batch=[point, {**point, "step": 1}, {**point, "value": 0.6}], by=SYSTEM)
    assert list(caught.value.errors) == ["points[2].value"]
    assert not Point.objects.exists()


def test_two_names_of_one_series_are_seen_through() -> None:
    series = SeriesFactory.create()
    point = {"time": moment(1), "value": 0.5}
    by_words = {"use_case": series.use_case.key, "metric": "f1", **point, "value": 0.6}
    with pytest.raises(Invalid):
        push_points(batch=[{"series": series.pk, **point}, by_words], by=SYSTEM)


def test_a_series_of_the_catalogue_is_made_with_its_first_point() -> None:
    use_case = UseCaseFactory.create()
    push_points(
        batch=[{"use_case": use_case.key, "metric": "psi", "segment": "north", "time": moment(1), "value": 0.1}],
        by=SYSTEM,
    )
    series = Series.objects.get()
    assert (series.metric, series.segment, series.unit, series.kinds) == (
        "psi",
        "north",
        "index",
        ["drift", "data_drift"],
    )
    assert Event.objects.filter(action="series.defined", subject_id=str(series.pk)).exists()


def test_of_a_metric_that_is_no_monitor_nothing_more_is_expected() -> None:
    use_case = UseCaseFactory.create()
    for metric in ("uat_pass", "psi"):
        push_points(batch=[{"use_case": use_case.key, "metric": metric, "time": moment(1), "value": 1}], by=SYSTEM)
    assert Series.objects.get(metric="uat_pass").silent_after is None
    assert Series.objects.get(metric="psi").silent_after is not None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metric": "our_own"}, "metric"),
        ({"version": "9.9"}, "version"),
        ({"use_case": "nowhere"}, "use_case"),
    ],
)
def test_an_unknown_address_is_named(change: dict[str, str], field: str) -> None:
    use_case = UseCaseFactory.create()
    point = {"use_case": use_case.key, "metric": "psi", "time": moment(1), "value": 0.1}
    with pytest.raises(Invalid) as caught:
        push_points(batch=[{**point}, {**point, **change, "step": 1}], by=SYSTEM)
    assert list(caught.value.errors) == [f"points[1].{field}"]
    assert not Series.objects.exists()


def test_an_unknown_series_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        push_points(batch=[{"series": 4711, "time": moment(1), "value": 1}], by=SYSTEM)
    assert list(caught.value.errors) == ["points[0].series"]


def test_a_wrong_unit_is_refused() -> None:
    series = SeriesFactory.create(unit="ratio")
    with pytest.raises(Invalid) as caught:
        push(series, moment(1), 84, unit="%")
    assert list(caught.value.errors) == ["points[0].unit"]
    assert push(series, moment(1), 0.84, unit="ratio").stored == 1


def test_a_batch_of_several_use_cases_is_told_of_in_each() -> None:
    one, two = SeriesFactory.create(), SeriesFactory.create()
    time = moment(1)
    batch = [{"series": series.pk, "time": time, "value": 1} for series in (two, one, two)]
    batch[2]["step"] = 1
    stored = push_points(batch=batch, by=SYSTEM)
    assert (stored.stored, len(stored.batches)) == (3, 2)
    events = Event.objects.filter(action="points.received")
    assert {event.use_case_id for event in events} == {str(one.use_case_id), str(two.use_case_id)}
    assert sorted(IngestBatch.objects.values_list("stored", flat=True)) == [1, 2]


def test_many_series_in_one_batch_are_all_brought_up_to_date() -> None:
    use_case = UseCaseFactory.create()
    listed = [SeriesFactory.create(use_case=use_case, segment=str(number)) for number in range(20)]
    time = moment(1)
    push_points(
        batch=[{"series": one.pk, "time": time, "value": index / 4, "n": index} for index, one in enumerate(listed)],
        by=SYSTEM,
    )
    for index, one in enumerate(listed):
        one.refresh_from_db()
        assert (one.last_value, one.last_n, one.last_time) == (index / 4, index, time)
        assert one.judge_asked_at is not None


def test_values_come_back_exactly() -> None:
    series = SeriesFactory.create()
    values = [0.1, 1 / 3, 1e-300, 1e300, -0.0, 123456789.123456789]
    points(series, values)
    assert stored_values(series) == values


def test_histories_can_be_taken_over_by_the_product_alone() -> None:
    series = SeriesFactory.create()
    time = datetime(2026, 1, 5, tzinfo=UTC)
    push_points(batch=[{"series": series.pk, "time": time, "value": 1}], by=SYSTEM, received_at=time)
    assert Point.objects.get().received_at == time


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [10, 25], ids=["a few at once", "more at once"])
def test_two_senders_with_different_values_for_the_same_points_lose_neither(size: int) -> None:
    series = SeriesFactory.create()
    times = [moment(number) for number in range(50)]
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def send(value: float) -> None:
        try:
            barrier.wait()
            # Each in its own order: a circle of waiting senders would show here.
            order = times if value % 2 else list(reversed(times))
            for start in range(0, 50, size):
                push_points(
                    batch=[{"series": series.pk, "time": time, "value": value} for time in order[start : start + size]],
                    by=SYSTEM,
                )
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(float(value),)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for time in times:
        rows = Point.objects.filter(series_id=series.pk, time=time).order_by("revision")
        assert {row.value for row in rows} == {0.0, 1.0, 2.0, 3.0}
        assert [row.revision for row in rows] == [0, 1, 2, 3]


def test_what_was_received_at_a_moment_can_be_said_later() -> None:
    series = SeriesFactory.create()
    before = timezone.now()
    push(series, moment(1), 0.5)
    received = Point.objects.get().received_at
    assert before <= received <= timezone.now()
