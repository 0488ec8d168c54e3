"""What people may do with series, rules, alerts and sources, and what is recorded of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from pytest_django import Settings

from kernel.errors import Conflict, Invalid
from ledger import SYSTEM
from ledger.models import Event
from monitoring import judging, services
from monitoring.models import Alert, Point, Rule, Series, Source
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.governance import ModelVersionFactory
from tests.factories.monitoring import AlertFactory, RuleFactory, SeriesFactory, SourceFactory, moment, points
from tests.factories.portfolio import UseCaseFactory

pytestmark = pytest.mark.django_db


def actions(prefix: str) -> list[str]:
    return list(Event.objects.filter(action__startswith=prefix).order_by("index").values_list("action", flat=True))


# -- Series ----------------------------------------------------------------------------------------------------------


def test_a_series_takes_what_is_not_said_from_the_catalogue() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    series = services.define_series(use_case=use_case, metric="latency_p95", by=lead)
    assert (series.unit, series.direction, series.kinds) == ("ms", "lower", ["operations", "latency"])
    assert series.silent_after is not None
    assert actions("series.") == ["series.defined"]


def test_an_own_metric_may_be_watched() -> None:
    series = services.define_series(
        use_case=UseCaseFactory.create(), metric="refund_errors", unit="count", direction="lower", by=SYSTEM
    )
    assert (series.unit, series.direction, series.kinds) == ("count", "lower", [])


def test_the_same_series_twice_is_a_conflict() -> None:
    series = SeriesFactory.create()
    with pytest.raises(Conflict):
        services.define_series(use_case=series.use_case, metric="f1", by=SYSTEM)
    services.define_series(use_case=series.use_case, metric="f1", segment="north", by=SYSTEM)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"metric": "Not A Key"}, "metric"),
        ({"direction": "sideways"}, "direction"),
        ({"kinds": ["weather"]}, "kinds"),
        ({"baseline": float("nan")}, "baseline"),
        ({"unit": "x" * 50}, "unit"),
    ],
)
def test_a_wrong_definition_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        services.define_series(use_case=UseCaseFactory.create(), by=SYSTEM, **{"metric": "f1", **given})
    assert field in caught.value.errors


def test_a_version_of_another_use_case_is_refused() -> None:
    with pytest.raises(Invalid):
        services.define_series(
            use_case=UseCaseFactory.create(), metric="f1", version=ModelVersionFactory.create(), by=SYSTEM
        )


def test_who_may_not_configure_may_not_define() -> None:
    use_case = UseCaseFactory.create()
    with pytest.raises(PermissionDenied):
        services.define_series(use_case=use_case, metric="f1", by=person_with("auditor", use_case))
    assert not Series.objects.exists()


def test_the_baseline_is_on_record() -> None:
    series = SeriesFactory.create()
    lead = person_with("technical_lead", series.use_case)
    changed = services.set_baseline(series=series, value=0.91, by=lead)
    assert (changed.baseline, changed.baseline_at is not None) == (0.91, True)
    event = Event.objects.get(action="series.baseline_set")
    assert event.actor_id == lead.pk
    assert services.set_baseline(series=series, value=None, by=lead).baseline_at is None


def test_switching_a_series_off_ends_its_alerts() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.5])
    judging.judge([rule.series.pk])
    services.edit_series(series=rule.series, changes={"enabled": False}, by=SYSTEM)
    assert Alert.objects.get().state == "resolved"


def test_an_edit_that_changes_nothing_is_no_event() -> None:
    series = SeriesFactory.create()
    services.edit_series(series=series, changes={"unit": series.unit}, by=SYSTEM)
    assert actions("series.edited") == []


# -- Points ----------------------------------------------------------------------------------------------------------


def test_a_machine_pushes_where_it_may_ingest() -> None:
    series = SeriesFactory.create()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", series.use_case)
    stored = services.push_points(batch=[{"series": series.pk, "time": moment(), "value": 1}], by=machine)
    assert stored.stored == 1


def test_a_person_who_may_configure_enters_a_value_by_hand() -> None:
    series = SeriesFactory.create()
    lead = person_with("technical_lead", series.use_case)
    assert services.record_point(series=series, time=moment(1), value=0.9, n=40, by=lead).stored == 1
    assert services.record_point(series=series, time=moment(1), value=0.8, by=lead).revised in {0, 1}


def test_who_sees_a_use_case_may_not_therefore_push_to_it() -> None:
    series = SeriesFactory.create()
    with pytest.raises(PermissionDenied):
        services.push_points(
            batch=[{"series": series.pk, "time": moment(), "value": 1}], by=person_with("auditor", series.use_case)
        )
    with pytest.raises(PermissionDenied):
        services.push_points(
            batch=[{"use_case": series.use_case.key, "metric": "psi", "time": moment(), "value": 1}],
            by=person_with("auditor", series.use_case),
        )


def test_to_a_stranger_a_series_is_unknown() -> None:
    series = SeriesFactory.create()
    stranger = PersonFactory.create()
    for point in ({"series": series.pk}, {"use_case": series.use_case.key, "metric": "f1"}):
        with pytest.raises(Invalid):
            services.push_points(batch=[{**point, "time": moment(), "value": 1}], by=stranger)
    assert not Point.objects.exists()


# -- Rules -----------------------------------------------------------------------------------------------------------


def test_a_rule_without_limits_takes_those_of_the_catalogue() -> None:
    rule = services.define_rule(series=SeriesFactory.create(), by=SYSTEM)
    assert (rule.op, rule.warn, rule.act) == (">=", 0.85, 0.8)
    band = services.define_rule(series=SeriesFactory.create(metric="override_rate"), by=SYSTEM)
    assert (band.op, band.warn, band.warn_high, band.act, band.act_high) == ("between", 1, 15, 0.2, 30)


def test_a_metric_without_limits_in_the_catalogue_needs_some() -> None:
    with pytest.raises(Invalid):
        services.define_rule(series=SeriesFactory.create(metric="cost_1k"), by=SYSTEM)


def test_contradictory_limits_are_refused() -> None:
    with pytest.raises(Invalid) as caught:
        services.define_rule(series=SeriesFactory.create(), op=">=", warn=0.8, act=0.9, by=SYSTEM)
    assert "act" in caught.value.errors
    assert not Rule.objects.exists()


def test_a_name_is_used_once_a_series() -> None:
    rule = RuleFactory.create(name="Limit")
    with pytest.raises(Conflict):
        services.define_rule(series=rule.series, op=">=", warn=0.5, name="Limit", by=SYSTEM)


def test_a_new_rule_is_judged_at_once() -> None:
    series = SeriesFactory.create()
    points(series, [0.7])
    judging.judge([series.pk])
    Series.objects.update(judge_asked_at=None)
    services.define_rule(series=series, op=">=", warn=0.85, act=0.8, by=SYSTEM)
    assert Series.objects.get().judge_asked_at is not None
    judging.judge([series.pk])
    assert Alert.objects.get().level == "act"


def test_looser_limits_end_the_alert() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.7])
    judging.judge([rule.series.pk])
    services.edit_rule(rule=rule, changes={"warn": 0.6, "act": 0.5}, by=SYSTEM)
    judging.judge([rule.series.pk])
    assert Alert.objects.get().state == "resolved"
    assert actions("rule.") == ["rule.edited"]


def test_switching_a_rule_off_ends_its_alert() -> None:
    rule = RuleFactory.create()
    points(rule.series, [0.7])
    judging.judge([rule.series.pk])
    services.switch_rule(rule=rule, enabled=False, by=SYSTEM)
    assert Alert.objects.get().state == "resolved"
    assert actions("rule.") == ["rule.switched_off"]


def test_a_rule_is_tried_on_the_last_90_days() -> None:
    series = SeriesFactory.create()
    points(series, [0.9, 0.7, 0.9, 0.84, 0.9], minutes_apart=60)
    series.refresh_from_db()
    tried = services.try_rule(series=series, op=">=", warn=0.85, act=0.8, by=SYSTEM)
    assert (tried.fired, tried.act, tried.points, tried.judged) == (2, 1, 5, 5)
    assert not Alert.objects.exists()


# -- Alerts ----------------------------------------------------------------------------------------------------------


def test_an_alert_is_acknowledged_once() -> None:
    alert = AlertFactory.create()
    lead = person_with("technical_lead", alert.series.use_case)
    seen = services.acknowledge_alert(alert=alert, by=lead)
    assert (seen.state, seen.acknowledged_by) == ("acknowledged", lead)
    with pytest.raises(Conflict):
        services.acknowledge_alert(alert=alert, by=lead)
    assert actions("alert.") == ["alert.acknowledged"]


# -- Sources ---------------------------------------------------------------------------------------------------------

CONFIG = {"url": "https://metrics.example.com/", "metric": "f1"}


def connect(**given: Any) -> Source:
    given.setdefault("use_case", UseCaseFactory.create())
    return services.connect_source(
        **{"name": "Gateway", "connector": "http_json", "config": CONFIG, "by": SYSTEM, **given}
    )


def test_a_source_is_due_as_soon_as_it_is_connected() -> None:
    source = connect(every_seconds=60)
    assert (source.health, source.every_seconds, source.config["items"]) == ("new", 60, "@")
    assert actions("source.") == ["source.connected"]


def test_two_sources_of_a_use_case_have_two_names() -> None:
    source = connect()
    with pytest.raises(Conflict):
        connect(use_case=source.use_case)


@pytest.mark.parametrize(
    ("given", "field"),
    [({"connector": "carrier_pigeon"}, "connector"), ({"every_seconds": 1}, "every_seconds"), ({"config": {}}, "url")],
)
def test_a_source_that_cannot_work_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        connect(**given)
    assert field in caught.value.errors


def test_pausing_and_resuming_give_a_new_start() -> None:
    source = SourceFactory.create(health="broken", failures=9)
    services.pause_source(source=source, by=SYSTEM)
    with pytest.raises(Conflict):
        services.pull_now(source=source, by=SYSTEM)
    with pytest.raises(Conflict):
        services.pause_source(source=source, by=SYSTEM)
    resumed = services.resume_source(source=source, by=SYSTEM)
    assert (resumed.enabled, resumed.failures) == (True, 0)
    assert actions("source.") == ["source.paused", "source.resumed"]


def test_a_stored_secret_never_goes_to_another_host(settings: Settings) -> None:
    secret = {"header": "X-Key", "header_value": "s3cret"}
    source = connect(secret=secret)
    elsewhere = {**CONFIG, "url": "https://attacker.example.net/"}
    with pytest.raises(Invalid):
        services.edit_source(source=source, changes={"config": elsewhere}, by=SYSTEM)
    with pytest.raises(Invalid):
        services.try_source(source=source, config=elsewhere, by=SYSTEM)
    kept = services.edit_source(source=source, changes={"config": {**CONFIG, "url": CONFIG["url"] + "v2"}}, by=SYSTEM)
    assert kept.secret == source.secret
    assert services.edit_source(source=source, changes={}, secret={}, by=SYSTEM).secret == ""


def test_a_preview_says_what_is_wrong_and_stores_nothing(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = []
    source = connect(config={**CONFIG, "url": "http://127.0.0.1:9/"})
    found = services.try_source(source=source, by=SYSTEM)
    assert found.samples == []
    assert "may not be called" in found.error
    assert not Series.objects.exists()
