"""A profile from the request to the report: by files, DuckDB and PostgreSQL, with what goes wrong on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from kernel.errors import Conflict, Invalid
from ledger import SYSTEM, unit_of_work
from ledger.models import Event
from monitoring import judging, leasing, profiling, services
from monitoring.models import Alert, DataProfile, Point, Series
from monitoring.profiles.wire import as_json, digest
from monitoring.reporting import document
from monitoring.services.places import Where, Window
from monitoring.services.profiles import Wanted
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.governance import ModelVersionFactory
from tests.factories.portfolio import UseCaseFactory
from tests.monitoring.drift import stories
from tests.monitoring.drift.columns import current_of, reference_of
from tests.monitoring.drift.stories import customers

pytestmark = pytest.mark.django_db


def last_value(use_case: Any, metric: str, segment: str = "") -> float | None:
    return Series.objects.get(use_case=use_case, metric=metric, segment=segment).last_value


def events(prefix: str) -> list[str]:
    return list(Event.objects.filter(action__startswith=prefix).order_by("index").values_list("action", flat=True))


# -- From files ------------------------------------------------------------------------------------------------------


def test_a_reference_comes_into_force_and_is_watched_with_rules(root: Path) -> None:
    profile = stories.reference(root)
    assert (profile.state, profile.progress, profile.rows, profile.columns) == ("done", 100, 2000, 4)
    assert len(profile.sha256) == 64
    watched = Series.objects.filter(use_case=profile.use_case).order_by("metric")
    assert [(s.metric, s.rules.count()) for s in watched] == [
        ("drift_share", 1),
        ("missing_shift", 1),
        ("schema_change", 1),
    ]
    assert events("profile.") == ["profile.requested", "profile.made"]


def test_drift_is_reported_by_feature_and_told_to_the_series(root: Path) -> None:
    report = stories.report(root)
    assert report.results.values_list("name", "state")[0] == ("age", "drifted")
    assert (report.verdict, report.compared, report.drifted) == ("watch", 3, 1)
    assert report.share == pytest.approx(100 / 3)
    assert last_value(report.use_case, "drift_share") == pytest.approx(100 / 3)
    assert last_value(report.use_case, "schema_change") == 0
    assert last_value(report.use_case, "prediction_psi") is not None
    assert events("drift.") == ["drift.reported"]
    age = report.results.get(name="age")
    assert age.effect_key == "psi"
    assert age.effect is not None
    assert age.effect > 0.25
    assert set(age.measured) == {"ks", "psi", "js", "hellinger", "wasserstein_norm", "missing_shift"}


def test_a_breach_of_the_drift_share_opens_an_alert(root: Path) -> None:
    against = stories.reference(root)
    table = customers(2000, seed=2, older=30).set_column(1, "income", pa.array([1.0] * 2000))
    report = stories.current(root, against, table).reports.get()
    assert report.verdict == "drift"
    judging.judge(list(Series.objects.filter(use_case=against.use_case).values_list("pk", flat=True)))
    alert = Alert.objects.get(series__metric="drift_share")
    assert alert.level == "act"


def test_a_column_that_vanished_or_changed_type_is_an_alert_and_no_crash(root: Path) -> None:
    against = stories.reference(root)
    table = customers(2000, seed=1).drop_columns(["income"])
    table = table.set_column(0, "age", pa.array(["old", "young"] * 1000))
    report = stories.current(root, against, table).reports.get()
    assert [(r.name, r.state) for r in report.results.all()][:2] == [("age", "type_changed"), ("income", "gone")]
    judging.judge(list(Series.objects.filter(use_case=against.use_case).values_list("pk", flat=True)))
    assert Alert.objects.filter(series__metric="schema_change", level="act").exists()


def test_the_digest_is_of_everything_the_report_says(root: Path) -> None:
    report = stories.report(root)
    assert hashlib.sha256(document(report, report.results.all())).hexdigest() == report.sha256
    result = report.results.get(name="age")
    result.measured["psi"]["value"] = "0.01"
    assert hashlib.sha256(document(report, [result])).hexdigest() != report.sha256


def test_the_same_data_twice_are_two_reports_with_the_same_profile(root: Path) -> None:
    against = stories.reference(root)
    first = stories.current(root, against, customers(500, seed=5))
    second = stories.current(root, against, customers(500, seed=5))
    assert first.sha256 == second.sha256
    assert first.reports.get() != second.reports.get()


def test_a_folder_of_csv_is_one_profile(root: Path) -> None:
    against = stories.reference(root)
    (root / "week").mkdir()
    for part in range(3):
        pyarrow.csv.write_csv(customers(300, seed=part), root / "week" / f"{part}.csv")
    profile = services.profile_current(use_case=against.use_case, name="Week", where=Where("week"), by=SYSTEM)
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert (profile.state, profile.rows) == ("done", 900)


def test_features_that_are_watched_have_a_series_of_their_own(root: Path) -> None:
    against = stories.reference(root, watched=["age"])
    stories.current(root, against, customers(1000, seed=3, older=20))
    assert (last_value(against.use_case, "psi", "age") or 0) > 0.25
    assert not Series.objects.filter(metric="psi", segment="income").exists()


def test_calibrated_scores_tell_the_fall_of_the_auc_and_nothing_else_does(root: Path) -> None:
    against = stories.reference(root, roles={"score": "score"})
    report = stories.current(root, against, customers(2000, seed=3)).reports.get()
    assert "estimated_auc_drop" in report.results.get(name="score").measured
    assert "estimated_auc_drop" not in report.results.get(name="income").measured
    assert abs(last_value(against.use_case, "estimated_auc_drop") or 0) < 0.03
    assert last_value(against.use_case, "prediction_psi") is not None


def test_an_empty_window_has_a_report_that_says_so_and_no_share(root: Path) -> None:
    against = stories.reference(root)
    report = stories.current(root, against, customers(2000).slice(0, 0)).reports.get()
    assert (report.verdict, report.rows) == ("nothing", 0)
    assert Point.objects.filter(series_id=Series.objects.get(metric="drift_share").pk).count() == 0


def test_the_report_is_of_the_time_of_its_window(root: Path) -> None:
    against = stories.reference(root)
    end = timezone.now() - timedelta(days=3)
    stories.write(root, "old.parquet", customers(200))
    profile = services.profile_current(
        use_case=against.use_case,
        name="Old",
        where=Where("old.parquet"),
        window=Window(end - timedelta(days=7), end),
        by=SYSTEM,
    )
    profiling.make(profile.pk)
    assert Series.objects.get(metric="drift_share").last_time == profile.reports.get().as_of == end


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.parquet", None, "There is no file or folder"),
        ("broken.parquet", b"PAR1 no", "cannot be"),
        ("empty.csv", b"", "empty"),
    ],
)
def test_data_that_cannot_be_read_fail_with_a_reason(root: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (root / name).write_bytes(content)
    profile = services.profile_reference(
        use_case=UseCaseFactory.create(), name="Broken", where=Where(name), wanted=Wanted(), by=SYSTEM
    )
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert profile.state == "failed"
    assert said in profile.error
    assert not profile.in_force
    assert events("profile.")[-1] == "profile.failed"


def test_paths_outside_of_the_configured_folders_are_refused(root: Path) -> None:
    use_case = UseCaseFactory.create()
    for path in ("/etc/passwd", "../x.parquet", "~/x.csv", "", "notes.txt"):
        with pytest.raises(Invalid) as caught:
            services.profile_reference(use_case=use_case, name="X", where=Where(path), wanted=Wanted(), by=SYSTEM)
        assert "path" in caught.value.errors, path
    outside = root.parent / "outside.parquet"
    stories.write(root.parent, "outside.parquet", customers(10))
    (root / "link.parquet").symlink_to(outside)
    profile = services.profile_reference(
        use_case=use_case, name="X", where=Where("link.parquet"), wanted=Wanted(), by=SYSTEM
    )
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert "leads out of" in profile.error


def test_a_new_reference_replaces_the_one_in_force(root: Path) -> None:
    first = stories.reference(root)
    second = stories.reference(root, first.use_case)
    first.refresh_from_db()
    assert (first.in_force, second.in_force) == (False, True)
    assert "reference.replaced" in events("reference.")


def test_a_version_has_its_own_reference_or_that_of_all(root: Path) -> None:
    against = stories.reference(root)
    version = ModelVersionFactory.create(model__use_case=against.use_case)
    stories.write(root, "week.parquet", customers(100))
    profile = services.profile_current(
        use_case=against.use_case, name="W", where=Where("week.parquet"), version=version, by=SYSTEM
    )
    assert profile.reference == against
    with pytest.raises(Invalid, match="another use case"):
        services.profile_current(
            use_case=against.use_case,
            name="W",
            where=Where("week.parquet"),
            version=ModelVersionFactory.create(),
            by=SYSTEM,
        )


def test_without_a_reference_nothing_can_be_compared() -> None:
    with pytest.raises(Conflict, match="no reference"):
        services.profile_current(use_case=UseCaseFactory.create(), name="W", where=Where("a.parquet"), by=SYSTEM)


# -- Leases ----------------------------------------------------------------------------------------------------------


def test_a_profile_is_made_once_however_often_it_is_asked_for(root: Path) -> None:
    against = stories.reference(root)
    profile = stories.current(root, against, customers(100))
    assert profiling.make(profile.pk) == []
    assert profile.reports.count() == 1


def test_a_lost_worker_is_followed_by_another_and_at_last_given_up(root: Path) -> None:
    against = stories.reference(root)
    stories.write(root, "week.parquet", customers(100))
    profile = services.profile_current(use_case=against.use_case, name="W", where=Where("week.parquet"), by=SYSTEM)
    assert profiling.owed(timezone.now()) == [profile.pk]
    DataProfile.objects.filter(pk=profile.pk).update(
        state="running", attempts=1, leased_until=timezone.now() - timedelta(seconds=1)
    )
    assert profiling.owed(timezone.now()) == [profile.pk]
    DataProfile.objects.filter(pk=profile.pk).update(attempts=leasing.MOST_ATTEMPTS)
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert (profile.state, "worker was lost" in profile.error) == ("failed", True)
    services.retry_profile(profile=profile, by=SYSTEM)
    profiling.make(profile.pk)
    assert profile.reports.count() == 1


def test_a_cancelled_profile_stores_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    against = stories.reference(root)
    stories.write(root, "week.parquet", customers(100))
    profile = services.profile_current(use_case=against.use_case, name="W", where=Where("week.parquet"), by=SYSTEM)
    monkeypatch.setattr(leasing, "TELL_EVERY", -1.0)
    counted = profiling._counted

    def cancelled_meanwhile(row: DataProfile, tell: Any) -> Any:
        services.cancel_profile(profile=profile, by=SYSTEM)
        return counted(row, tell)

    monkeypatch.setattr(profiling, "_counted", cancelled_meanwhile)
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert (profile.state, profile.reports.count(), profile.body) == ("cancelled", 0, None)
    with pytest.raises(Conflict):
        services.cancel_profile(profile=profile, by=SYSTEM)


# -- Pushed down -----------------------------------------------------------------------------------------------------


# -- Sent ready-made -------------------------------------------------------------------------------------------------


def test_a_profile_that_was_made_elsewhere_is_compared_by_a_worker(root: Path) -> None:
    before = reference_of(x=[1.0, 2.0, 3.0] * 100)
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    services.push_profile(use_case=use_case, name="Ref", told=as_json(before), as_reference=Wanted(), by=lead)
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    now = current_of(before, x=[3.0, 4.0] * 100)
    profile = services.push_profile(use_case=use_case, name="CI", told=as_json(now), by=machine)
    assert (profile.state, profile.rows, profile.reports.count()) == ("waiting", 200, 0)
    assert profiling.owed(timezone.now()) == [profile.pk]
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert (profile.state, profile.sha256) == ("done", digest(now))
    assert profile.reports.get().results.get().state == "drifted"
    assert "profile.pushed" in events("profile.")


def test_a_machine_may_not_say_what_is_normal() -> None:
    use_case = UseCaseFactory.create()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    told = as_json(reference_of(x=[1.0, 2.0]))
    with pytest.raises(PermissionDenied):
        services.push_profile(use_case=use_case, name="Ref", told=told, as_reference=Wanted(), by=machine)


def test_a_profile_of_another_schema_is_refused_with_the_column_and_leaves_nothing(root: Path) -> None:
    use_case = UseCaseFactory.create()
    services.push_profile(
        use_case=use_case, name="Ref", told=as_json(reference_of(x=[1.0, 2.0])), as_reference=Wanted(), by=SYSTEM
    )
    with pytest.raises(Invalid, match=r"^x: it was counted against another reference"):
        services.push_profile(use_case=use_case, name="CI", told=as_json(reference_of(x=[50.0, 90.0])), by=SYSTEM)
    assert DataProfile.objects.count() == 1


def test_what_was_sent_and_could_not_be_compared_says_so_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    use_case = UseCaseFactory.create()
    before = reference_of(x=[1.0, 2.0, 3.0] * 100)
    services.push_profile(use_case=use_case, name="Ref", told=as_json(before), as_reference=Wanted(), by=SYSTEM)
    profile = services.push_profile(use_case=use_case, name="CI", told=as_json(before), by=SYSTEM)
    DataProfile.objects.filter(pk=profile.pk).update(attempts=leasing.MOST_ATTEMPTS)
    profiling.make(profile.pk)
    profile.refresh_from_db()
    assert (profile.state, "worker was lost" in profile.error) == ("failed", True)
    services.retry_profile(profile=profile, by=SYSTEM)
    profiling.make(profile.pk)
    assert profile.reports.count() == 1


def test_what_was_sent_before_its_reference_was_replaced_is_compared_with_the_one_it_was_counted_by() -> None:
    use_case = UseCaseFactory.create()
    old, new = reference_of(x=[1.0, 2.0] * 100), reference_of(x=[50.0, 90.0] * 100)
    first = services.push_profile(use_case=use_case, name="Old", told=as_json(old), as_reference=Wanted(), by=SYSTEM)
    profile = services.push_profile(use_case=use_case, name="CI", told=as_json(old), by=SYSTEM)
    services.push_profile(use_case=use_case, name="New", told=as_json(new), as_reference=Wanted(), by=SYSTEM)
    profiling.make(profile.pk)
    assert profile.reports.get().reference == first


# -- Terms -----------------------------------------------------------------------------------------------------------


def test_terms_are_agreed_and_hold_for_what_is_compared_from_then_on(root: Path) -> None:
    report = stories.report(root)
    lead = person_with("technical_lead", report.use_case)
    services.agree_terms(reference=report.reference, changes={"limit": 50.0}, by=lead)
    services.compare_again(profile=report.current, by=lead)
    report.refresh_from_db()
    assert report.results.get(name="age").is_drifted
    assert not report.current.reports.exclude(pk=report.pk).get().results.get(name="age").is_drifted
    assert events("reference.") == ["reference.terms_agreed"]


@pytest.mark.parametrize("wrong", [{"effect": "magic"}, {"alpha": 7}, {"nonsense": 1}, {"limit": "much"}])
def test_terms_that_cannot_be_are_refused(root: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        services.agree_terms(reference=stories.reference(root), changes=wrong, by=SYSTEM)


def test_who_sees_may_not_ask_for_profiles(root: Path) -> None:
    report = stories.report(root)
    for person in (person_with("auditor", report.use_case), PersonFactory.create()):
        asks: tuple[Callable[[Any], Any], ...] = (
            lambda by: services.profile_current(use_case=report.use_case, name="X", where=Where("a.csv"), by=by),
            lambda by: services.profile_reference(
                use_case=report.use_case, name="X", where=Where("a.csv"), wanted=Wanted(), by=by
            ),
            lambda by: services.agree_terms(reference=report.reference, changes={}, by=by),
            lambda by: services.compare_again(profile=report.current, by=by),
            lambda by: services.cancel_profile(profile=report.current, by=by),
            lambda by: services.retry_profile(profile=report.current, by=by),
        )
        for ask in asks:
            with pytest.raises(PermissionDenied):
                ask(person)


def test_many_features_are_compared_and_stored() -> None:
    rng = np.random.default_rng(1)
    before = reference_of(**{f"f{n:05d}": rng.integers(0, 9, 40) for n in range(1_500)})
    use_case = UseCaseFactory.create()
    services.push_profile(use_case=use_case, name="Ref", told=as_json(before), as_reference=Wanted(), by=SYSTEM)
    reference = DataProfile.objects.get()
    profile = DataProfile(use_case=use_case, purpose="current", name="Wide", origin="pushed", reference=reference)
    profile.save()
    with unit_of_work(by=SYSTEM) as uow:
        profiling.finish(uow, profile, before)
    assert profile.reports.get().results.count() == 1_500
