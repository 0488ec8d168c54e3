"""Every page: who may see it, what it says, and that it works without JavaScript."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from monitoring.condition import conditions
from monitoring.models import Rule, Series, Source
from monitoring.worklist.alerts import OpenAlerts
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.monitoring import AlertFactory, RuleFactory, SeriesFactory, SourceFactory, moment, points
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def lead_of(series: Series) -> Client:
    return as_(person_with("technical_lead", series.use_case))


def url(name: str, *args: Any) -> str:
    return reverse(f"monitoring:{name}", args=args)


def test_pages_ask_the_anonymous_to_sign_in() -> None:
    rule = RuleFactory.create()
    for address in (url("index"), url("alerts"), url("sources"), url("series", rule.series.pk)):
        assert Client().get(address).status_code == 302


def test_to_strangers_nothing_is_there() -> None:
    alert, source = AlertFactory.create(level="act"), SourceFactory.create()
    series = alert.series
    stranger = as_(PersonFactory.create())
    for address in (
        url("series", series.pk),
        url("series_data", series.pk),
        url("series_points", series.pk),
        url("alert", alert.pk),
        url("source", source.pk),
        url("series_define", series.use_case.key),
    ):
        assert stranger.get(address).status_code == 404, address
    assert alert.message not in stranger.get(url("alerts")).content.decode()


def test_who_sees_may_not_change() -> None:
    rule = RuleFactory.create()
    source = SourceFactory.create(use_case=rule.series.use_case)
    auditor = as_(person_with("auditor", rule.series.use_case))
    assert auditor.get(url("series", rule.series.pk)).status_code == 200
    for address in (
        url("series_edit", rule.series.pk),
        url("series_baseline", rule.series.pk),
        url("series_record", rule.series.pk),
        url("rule_define", rule.series.pk),
        url("rule_edit", rule.pk),
        url("source_edit", source.pk),
        url("source_connect", source.use_case.key),
    ):
        assert auditor.get(address).status_code == 403, address
    for address in (url("source_pause", source.pk), url("source_preview", source.pk), url("rule_switch", rule.pk)):
        assert auditor.post(address).status_code == 403, address


def test_the_overview_counts_and_filters() -> None:
    alert = AlertFactory.create(level="act")
    calm = SeriesFactory.create()
    portfolio = as_(person_with("portfolio_manager", organisation()))
    page = portfolio.get(url("index")).content.decode()
    assert alert.series.use_case.name in page
    assert calm.use_case.name in page
    only = portfolio.get(url("index"), {"attention": "act"}).content.decode()
    assert alert.series.use_case.name in only
    assert calm.use_case.name not in only
    part = portfolio.get(url("index"), {"q": "nothing like it"}, headers=HTMX)
    assert b"<html" not in part.content
    assert portfolio.get(url("index"), {"export": "csv"}).status_code == 200


@pytest.mark.parametrize("name", ["index", "alerts", "sources"])
def test_lists_ask_the_same_number_of_questions_however_long_they_are(name: str) -> None:
    client = as_(person_with("portfolio_manager", organisation()))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url(name)).status_code == 200
        return len(captured)

    for _ in range(2):
        AlertFactory.create()
        SourceFactory.create()
    queries()
    few = queries()
    for _ in range(5):
        AlertFactory.create()
        SourceFactory.create()
    assert queries() == few <= 30


def test_the_inbox_shows_what_is_not_over_unless_asked() -> None:
    use_case = UseCaseFactory.create()
    series = SeriesFactory.create(use_case=use_case)
    AlertFactory.create(rule=RuleFactory.create(series=series), message="Still broken.")
    AlertFactory.create(rule=RuleFactory.create(series=series), message="Long over.", state="resolved")
    client = as_(person_with("technical_lead", use_case))
    page = client.get(url("alerts")).content.decode()
    assert "Still broken." in page
    assert "Long over." not in page
    assert "Long over." in client.get(url("alerts"), {"state": "any"}).content.decode()
    assert "Still broken." not in client.get(url("alerts"), {"owed": "on"}).content.decode()
    assert "Still broken." in client.get(url("alerts"), {"mine": "on", "level": "warn"}).content.decode()


def test_the_series_page_shows_chart_limits_and_values() -> None:
    rule = RuleFactory.create(series=SeriesFactory.create(baseline=0.9), reaction="Call the lead")
    points(rule.series, [0.95, 0.9, 0.82], minutes_apart=10)
    client = lead_of(rule.series)
    page = client.get(url("series", rule.series.pk), {"range": "24h"}).content.decode()
    for words in ("F1 score", "0.82", "at least 0.85", "Call the lead", "data-chart=", "Rules"):
        assert words in page
    assert "style=" not in page
    chart = client.get(url("series_data", rule.series.pk), {"range": "24h"}).json()
    assert (chart["kind"], chart["unit"]) == ("line", "ratio")
    assert [point[1] for point in chart["series"][0]["points"]] == [0.95, 0.9, 0.82]
    assert {line["label"] for line in chart["thresholds"]} == {"Baseline", "Warn", "Act"}


def test_points_are_exported() -> None:
    series = SeriesFactory.create()
    points(series, [0.5, 0.25])
    answer: Any = lead_of(series).get(url("series_points", series.pk), {"range": "all"})
    text = b"".join(answer.streaming_content).decode()
    assert [line.split(",")[2] for line in text.strip().splitlines()] == ["Value", "0.5", "0.25"]


def test_a_metric_is_watched_from_the_form() -> None:
    use_case = UseCaseFactory.create()
    client = as_(person_with("technical_lead", use_case))
    address = url("series_define", use_case.key)
    assert client.get(address).status_code == 200
    answer = client.post(address, {"metric": "psi", "expected_every_seconds": "3600", "baseline": "0.02"})
    series = Series.objects.get()
    assert answer.headers["Location"] == url("series", series.pk)
    assert (series.metric, series.expected_every_seconds, series.baseline) == ("psi", 3600, 0.02)
    refused = client.post(address, {"metric": "own", "expected_every_seconds": "3600"})
    assert refused.status_code == 422
    own = {"metric": "own", "own_metric": "refunds", "expected_every_seconds": "0", "kinds": ["output"]}
    assert client.post(address, own, headers=HTMX).headers["HX-Redirect"]
    assert Series.objects.get(metric="refunds").kinds == ["output"]


def test_a_rule_is_tried_before_it_is_switched_on() -> None:
    series = SeriesFactory.create()
    points(series, [0.9, 0.7, 0.9, 0.84])
    client = lead_of(series)
    address = url("rule_define", series.pk)
    assert "0.85" in client.get(address).content.decode()
    given = {"name": "Limit", "op": ">=", "warn": "0.85", "act": "0.8", "needed": "1", "among": "1"}
    tried = client.post(address, {**given, "try": "1"})
    assert "Would have fired 2 times in 90 days" in tried.content.decode()
    assert not Rule.objects.exists()
    wrong = client.post(address, {**given, "act": "0.9"}, headers=HTMX)
    assert wrong.status_code == 422
    assert "act cannot be above warn" in wrong.content.decode()
    assert b"<html" not in wrong.content
    assert client.post(address, given).status_code == 302
    rule = Rule.objects.get()
    assert client.post(url("rule_edit", rule.pk), {**given, "warn": "0.9"}).status_code == 302
    assert Rule.objects.get().warn == 0.9
    client.post(url("rule_switch", rule.pk), {"enabled": "off"})
    assert Rule.objects.get().enabled is False


def test_baseline_value_and_name_are_set_from_forms() -> None:
    series = SeriesFactory.create()
    client = lead_of(series)
    client.post(url("series_baseline", series.pk), {"value": "0.91"})
    given = {"value": "0.9", "time": moment(5).strftime("%Y-%m-%dT%H:%M"), "n": "40"}
    assert client.post(url("series_record", series.pk), given).status_code == 302
    edit = {"name": "Quality", "unit": "ratio", "expected_every_seconds": "3600", "enabled": "on", "kinds": ["output"]}
    client.post(url("series_edit", series.pk), edit)
    series.refresh_from_db()
    assert (series.baseline, series.last_value, series.last_n, series.name) == (0.91, 0.9, 40, "Quality")
    future = {**given, "time": "2100-01-01T00:00"}
    assert client.post(url("series_record", series.pk), future).status_code == 422


def test_a_breach_is_acknowledged_on_its_page_which_leads_to_its_decision() -> None:
    alert = AlertFactory.create(level="act")
    use_case = alert.series.use_case
    lead, owner = as_(person_with("technical_lead", use_case)), as_(person_with("business_owner", use_case))
    assert "Acknowledge" in lead.get(url("alert", alert.pk)).content.decode()
    assert "Decide what is done" not in lead.get(url("alert", alert.pk)).content.decode()
    assert lead.post(url("alert_acknowledge", alert.pk)).status_code == 302
    assert lead.post(url("alert_acknowledge", alert.pk)).status_code == 409
    address = reverse("gates:breach_decide", args=[alert.pk])
    assert address in owner.get(url("alert", alert.pk)).content.decode()
    assert address not in lead.get(url("alert", alert.pk)).content.decode()


def test_a_source_is_tested_before_it_is_connected(httpserver: HTTPServer, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1", "localhost"]
    httpserver.expect_request("/m").respond_with_json([{"time": moment(1).isoformat(), "value": 0.875}])
    use_case = UseCaseFactory.create()
    client = as_(person_with("technical_lead", use_case))
    address = url("source_connect", use_case.key)
    assert client.get(address).status_code == 200
    given = {
        "name": "Gateway",
        "every_seconds": "300",
        "config-url": httpserver.url_for("/m"),
        "config-items": "@",
        "config-time": "time",
        "config-time_format": "iso",
        "config-value": "value",
        "config-metric": "f1",
    }
    tested = client.post(address, {**given, "try": "1"})
    assert "0.875" in tested.content.decode()
    assert not Source.objects.exists()
    wrong = client.post(address, {**given, "config-items": "[[["})
    assert wrong.status_code == 422
    assert "not JMESPath" in wrong.content.decode()
    assert client.post(address, given).status_code == 302
    source = Source.objects.get()
    page = client.get(url("source", source.pk)).content.decode()
    assert "Not pulled yet" in page
    assert "0.875" in client.post(url("source_preview", source.pk)).content.decode()
    part = client.post(url("source_preview", source.pk), headers=HTMX).content.decode()
    assert "0.875" in part
    assert "<html" not in part
    for name in ("source_pull", "source_pause", "source_resume"):
        assert client.post(url(name, source.pk)).status_code == 302
    assert client.get(url("source_edit", source.pk)).status_code == 200
    assert client.post(url("source_edit", source.pk), {**given, "name": "Gate"}).status_code == 302
    assert Source.objects.get().name == "Gate"


def test_the_tab_of_the_use_case_shows_every_series() -> None:
    rule = RuleFactory.create(series=SeriesFactory.create(baseline=0.9))
    points(rule.series, [0.95, 0.82])
    AlertFactory.create(rule=rule)
    SourceFactory.create(use_case=rule.series.use_case, name="Gateway")
    address = reverse("portfolio:use_case_panel", args=[rule.series.use_case.key, "monitoring"])
    page = lead_of(rule.series).get(address).content.decode()
    for words in ("F1 score", "0.82", "Warn", "Gateway", "Watch a metric", "<svg"):
        assert words in page


def test_the_work_list_holds_alerts_of_mine() -> None:
    alert = AlertFactory.create(level="act")
    AlertFactory.create(level="act")
    use_case = alert.series.use_case
    lead = person_with("technical_lead", use_case)
    (item,) = OpenAlerts().items(lead)
    assert (item.url, item.tone, item.use_case_key) == (url("alert", alert.pk), "blocked", use_case.key)


def test_every_kind_of_rule_has_a_form_that_tries_it_and_a_chart_of_the_trial() -> None:
    series = SeriesFactory.create(baseline=0.9, expected_every_seconds=3600)
    points(series, [0.9, 0.7, 0.9, 0.84], minutes_apart=60)
    client = lead_of(series)
    address = url("rule_define", series.pk)
    asked = {
        "threshold": {"op": ">=", "warn": "0.85"},
        "baseline": {"op": ">=", "warn": "5", "param-measured_in": "percent"},
        "previous": {"op": "between", "warn": "5", "param-size": "1", "param-measured_in": "percent"},
        "weekday": {"op": "<=", "warn": "5", "param-weeks": "4", "param-measured_in": "percent"},
        "missing": {"op": "<=", "warn": "2", "param-windows": "10"},
        "page_hinkley": {"op": "<=", "warn": "8", "param-window": "60"},
        "adwin": {"op": "<=", "warn": "1", "param-window": "60"},
    }
    assert sorted(asked) == sorted(kind.key for kind in conditions)
    for key, limits in asked.items():
        here = f"{address}?kind={key}"
        form = client.get(here).content.decode()
        assert str(conditions.get(key).about) in html.unescape(form)
        given = {"name": f"A rule of {key}", "needed": "1", "among": "1", **limits}
        tried = client.post(here, {**given, "try": "1"})
        assert tried.status_code == 200
        shown = html.unescape(tried.content.decode())
        assert not Rule.objects.filter(condition=key).exists()
        if key not in {"weekday", "page_hinkley", "adwin"}:  # these need more values before they say anything
            assert "90 days" in shown
            (drawn,) = re.findall(r'data-chart="([^"]+)"', shown)
            assert client.get(drawn).json()["series"]
        assert client.post(here, given).status_code == 302
    assert Rule.objects.count() == len(asked)
    page = html.unescape(client.get(url("series", series.pk)).content.decode())
    assert "at most 5% below the baseline" in page
    assert "at most 2 of the last 10 missing" in page


def test_what_a_kind_refuses_stands_at_its_setting() -> None:
    series = SeriesFactory.create(expected_every_seconds=0)
    client = lead_of(series)
    given = {"name": "Limit", "op": ">=", "warn": "5", "needed": "1", "among": "1", "param-weeks": "99"}
    given["param-measured_in"] = "percent"
    refused = client.post(f"{url('rule_define', series.pk)}?kind=weekday", given)
    assert refused.status_code == 422
    assert "Give a whole number from 2 to 26." in refused.content.decode()
    bare = client.post(f"{url('rule_define', series.pk)}?kind=baseline", given)
    assert "has no baseline yet" in bare.content.decode()
    wrong = client.get(f"{url('rule_trial', series.pk)}?kind=weekday&op=nonsense")
    assert wrong.status_code == 422


def test_a_metric_can_start_with_the_rule_of_the_catalogue() -> None:
    use_case = UseCaseFactory.create()
    client = as_(person_with("technical_lead", use_case))
    given = {"metric": "psi", "expected_every_seconds": "3600", "with_rule": "on"}
    client.post(url("series_define", use_case.key), given)
    rule = Rule.objects.get()
    assert (rule.op, rule.warn, rule.act) == ("<=", 0.1, 0.25)
    client.post(url("series_define", use_case.key), given | {"metric": "cost_1k"})
    assert Rule.objects.count() == 1
