"""Dashboards in the browser and over REST: every page, every step, who may, and how many questions it asks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User
from monitoring.models import Dashboard
from monitoring.widget import PORTFOLIO, USE_CASE, Scope, widgets
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with
from tests.factories.dashboards import NOTE, dashboard
from tests.factories.decisions import decided, review_of
from tests.factories.governance import ModelVersionFactory
from tests.factories.monitoring import AlertFactory, RuleFactory, SeriesFactory, SourceFactory, points
from tests.factories.portfolio import KpiFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, *args: Any) -> str:
    return reverse(f"monitoring:{name}", args=args)


def watched() -> tuple[Any, User]:
    """A series with everything that widgets show, and its technical lead."""
    series = SeriesFactory.create(kinds=["drift"], baseline=0.9)
    rule = RuleFactory.create(series=series)
    AlertFactory.create(rule=rule, level="act", message="F1 fell.")
    SourceFactory.create(use_case=series.use_case, name="Broken pipe", health="broken")
    KpiFactory.create(use_case=series.use_case, name="Handling time", target=9, is_primary=True)
    decided(series.use_case)
    review_of(series.use_case)
    points(series, [0.9, 0.8])
    return series, person_with("technical_lead", series.use_case)


def test_every_page_asks_the_anonymous_to_sign_in() -> None:
    made = dashboard(PersonFactory.create())
    plain = ("dashboards", "dashboard_create", "dashboard_read_in")
    one = ("page", "definition", "csv", "copy", "edit", "settings")
    addresses = [*map(url, plain), *(url(f"dashboard_{name}", made.pk) for name in one)]
    addresses += [url(f"dashboard_{name}", made.pk, "w1") for name in ("widget", "widget_data", "widget_csv", "change")]
    addresses.append(url("ready_page", PORTFOLIO, "all"))
    for address in addresses:
        assert Client().get(address).status_code == 302, address


def test_to_strangers_nothing_is_there() -> None:
    series, lead = watched()
    made = dashboard(lead, Scope(use_case=series.use_case), sharing="everybody")
    version = ModelVersionFactory.create(model__use_case=series.use_case)
    stranger = as_(PersonFactory.create())
    for name in ("page", "definition", "csv", "copy", "edit", "settings"):
        assert stranger.get(url(f"dashboard_{name}", made.pk)).status_code == 404, name
    for name in ("widget", "widget_data", "widget_csv", "change"):
        assert stranger.get(url(f"dashboard_{name}", made.pk, "w1")).status_code == 404, name
    for name in ("arrange", "delete", "restore"):
        assert stranger.post(url(f"dashboard_{name}", made.pk)).status_code == 404, name
    for kind, ref in (
        (USE_CASE, series.use_case.key),
        ("version", version.pk),
        ("version", "nonsense"),
        ("unit", series.use_case.unit.code),
        ("planet", "mars"),
        (PORTFOLIO, "some"),
    ):
        assert stranger.get(url("ready_page", kind, ref)).status_code == 404, kind
    assert made.name not in stranger.get(url("dashboards")).content.decode()


def test_who_sees_a_shared_one_may_copy_and_not_change_it() -> None:
    series, lead = watched()
    made = dashboard(lead, Scope(use_case=series.use_case), sharing="everybody")
    sponsor = person_with("business_sponsor", series.use_case)
    client = as_(sponsor)
    page = client.get(url("dashboard_page", made.pk)).content.decode()
    assert "Call the lead." in page
    assert "Arrange" not in page
    for name in ("edit", "settings"):
        assert client.get(url(f"dashboard_{name}", made.pk)).status_code == 403, name
    for name in ("arrange", "delete"):
        assert client.post(url(f"dashboard_{name}", made.pk), {"revision": "1"}).status_code == 403, name
    answer = client.post(url("dashboard_copy", made.pk), {"name": "Mine"})
    copied = Dashboard.objects.get(owner=sponsor)
    assert answer.headers["Location"] == url("dashboard_edit", copied.pk)


def test_the_ready_made_one_of_a_use_case_shows_what_matters() -> None:
    series, lead = watched()
    page = as_(lead).get(url("ready_page", USE_CASE, series.use_case.key)).content.decode()
    for words in ("F1 fell.", "Broken pipe", "Handling time", "Ready-made", "Make it your own", "data-chart="):
        assert words in page, words
    assert "style=" not in page


def test_the_same_metric_of_two_versions_is_told_apart() -> None:
    series, lead = watched()
    version = ModelVersionFactory.create(model__use_case=series.use_case, label="7.1")
    points(SeriesFactory.create(use_case=series.use_case, metric=series.metric, version=version), [0.7])
    page = as_(lead).get(url("ready_page", USE_CASE, series.use_case.key)).content.decode()
    assert "F1 score · 7.1" in page


@pytest.mark.parametrize("key", sorted(widgets.keys()))
def test_every_widget_has_a_page_data_and_a_file_for_every_scope(key: str) -> None:
    series, lead = watched()
    give(lead, "portfolio_manager", organisation())
    params: dict[str, dict[str, Any]] = {
        "note": {"text": "Hello"},
        "line": {"series": ["f1"]},
        "value": {"series": ["f1"]},
    }
    for scope in (Scope(use_case=series.use_case), Scope(unit=series.use_case.unit), Scope()):
        if scope.kind not in widgets.get(key).scopes:
            continue
        given = dict(params.get(key, {}))
        if "series" in given and scope.use_case is None:
            given["series"] = [f"{series.use_case.key}:f1"]
        made = dashboard(lead, scope, name=f"{key} {scope.kind}", layout=[{"widget": key, "params": given}])
        client = as_(lead)
        assert "cannot" not in client.get(url("dashboard_page", made.pk)).content.decode()
        part = client.get(url("dashboard_widget", made.pk, "w1"))
        assert part.status_code == 200
        assert b"<html" not in part.content
        assert client.get(url("dashboard_widget_data", made.pk, "w1")).json()
        sheet: Any = client.get(url("dashboard_widget_csv", made.pk, "w1"))
        assert len(b"".join(sheet.streaming_content).decode().splitlines()) >= 2
        everything: Any = client.get(url("dashboard_csv", made.pk))
        assert b"Widget,Row,Column,Value" in b"".join(everything.streaming_content)


def test_a_widget_whose_series_is_gone_says_so_and_the_others_stay() -> None:
    series, lead = watched()
    layout = [{"widget": "value", "params": {"series": ["f1"]}}, NOTE]
    made = dashboard(lead, Scope(use_case=series.use_case), layout=layout)
    series.metric = "recall"
    series.save()
    page = as_(lead).get(url("dashboard_page", made.pk)).content.decode()
    assert "f1 is not one of the available choices." in page
    assert "Call the lead." in page
    assert as_(lead).get(url("dashboard_widget_data", made.pk, "w1")).status_code == 422


def test_a_shared_dashboard_shows_everybody_only_what_they_may_see() -> None:
    series, _lead = watched()
    elsewhere = AlertFactory.create(message="Secret trouble.")
    portfolio = person_with("portfolio_manager", organisation())
    made = dashboard(portfolio, sharing="everybody", layout=[{"widget": "alerts"}, {"widget": "series_table"}])
    lead = as_(person_with("technical_lead", series.use_case))
    page = lead.get(url("dashboard_page", made.pk)).content.decode()
    assert "F1 fell." in page
    assert elsewhere.message not in page
    assert lead.get(url("dashboard_widget_data", made.pk, "w1")).json()["levels"][0]["count"] == 1
    assert elsewhere.message in as_(portfolio).get(url("dashboard_page", made.pk)).content.decode()


def test_the_range_holds_for_every_widget_and_wrong_ones_are_said() -> None:
    series, lead = watched()
    client = as_(lead)
    address = url("ready_page", USE_CASE, series.use_case.key)
    assert "range=7d" in client.get(address, {"range": "7d"}).content.decode()
    wrong = client.get(address, {"from": "2026-02-01", "to": "2026-01-01"})
    assert "The end has to be later than the start." in wrong.content.decode()
    data = url("ready_widget_data", USE_CASE, series.use_case.key, "w1")
    assert client.get(data, {"range": "fortnight"}).status_code == 422
    assert client.get(url("ready_widget_data", USE_CASE, series.use_case.key, "w99")).status_code == 409
    part = client.get(address, headers=HTMX)
    assert b"<html" not in part.content
    assert "is-wall" in client.get(address, {"wall": "1"}).content.decode()


def test_one_is_made_arranged_and_shared_without_javascript() -> None:
    series, lead = watched()
    client = as_(lead)
    assert client.get(url("dashboard_create"), {"use_case": series.use_case.key}).status_code == 200
    given = {"name": "Quality", "use_case": series.use_case.key, "range": "7d", "sharing": "private"}
    assert client.post(url("dashboard_create"), {**given, "use_case": "UC-none"}).status_code == 422
    assert client.post(url("dashboard_create"), given).status_code == 302
    made = Dashboard.objects.get()
    assert client.get(url("dashboard_edit", made.pk)).status_code == 200

    add = url("dashboard_add", made.pk, "line")
    assert "F1 score" in client.get(add).content.decode()
    assert client.post(add, {"revision": "1"}).status_code == 422
    assert client.post(add, {"revision": "1", "series": ["f1"], "title": "Quality", "compare": "on"}).status_code == 302
    made.refresh_from_db()
    entry = made.layout[-1]
    assert (entry["title"], entry["params"]) == ("Quality", {"series": ["f1"], "compare": True})

    change = url("dashboard_change", made.pk, entry["id"])
    assert "checked" in client.get(change).content.decode()
    assert client.post(change, {"revision": "2", "series": ["f1"]}).status_code == 302
    step = {"revision": "3", "widget": entry["id"]}
    assert client.post(url("dashboard_arrange", made.pk), {**step, "way": "earlier"}).status_code == 302
    moved = client.post(url("dashboard_arrange", made.pk), {**step, "revision": "4", "way": "wider"}, headers=HTMX)
    assert b'data-revision="5"' in moved.content
    assert client.post(url("dashboard_arrange", made.pk), {**step, "way": "remove"}).status_code == 409
    made.refresh_from_db()
    assert made.layout[-2]["id"] == entry["id"]
    order = ",".join(reversed([each["id"] for each in made.layout]))
    assert client.post(url("dashboard_arrange", made.pk), {"revision": "5", "order": order}).status_code == 302
    assert client.post(url("dashboard_arrange", made.pk), {"way": "wider"}).status_code == 422

    share = {"revision": "6", "name": "Quality", "range": "7d", "sharing": "roles"}
    assert client.post(url("dashboard_settings", made.pk), share).status_code == 422
    assert client.post(url("dashboard_settings", made.pk), {**share, "roles": ["business_owner"]}).status_code == 302
    owner = as_(person_with("business_owner", series.use_case))
    assert owner.get(url("dashboard_page", made.pk)).status_code == 200
    assert client.post(url("dashboard_delete", made.pk)).status_code == 302
    assert owner.get(url("dashboard_page", made.pk)).status_code == 404
    listed = client.get(url("dashboards")).content.decode()
    assert "Have it back" in listed
    assert f"until {date_format(timezone.now() + timedelta(days=30), 'j M Y')}" in " ".join(listed.split())
    assert client.post(url("dashboard_restore", made.pk)).status_code == 302
    assert client.get(url("dashboard_page", made.pk)).status_code == 200


def test_a_definition_is_exported_and_read_in_from_a_file() -> None:
    series, lead = watched()
    client = as_(lead)
    sent = client.get(url("ready_definition", USE_CASE, series.use_case.key)).content
    address = url("dashboard_read_in")
    assert client.get(address).status_code == 200
    given = {"name": "Read in", "use_case": series.use_case.key}
    assert client.post(address, {**given, "file": SimpleUploadedFile("d.json", sent)}).status_code == 302
    assert Dashboard.objects.get().layout == json.loads(sent)["widgets"]
    for wrong, said in (
        (b"{", "This is no JSON: line 1, column 2"),
        (b"\x80abc", "no text in UTF-8"),
        (b"x" * 200_001, "as large as this"),
        (b'{"format": "tollgate-dashboard/1", "name": "N", "widgets": [{"widget": "pie"}]}', "widgets.0.widget"),
    ):
        answer = client.post(address, {**given, "file": SimpleUploadedFile("d.json", wrong)})
        assert answer.status_code == 422, wrong[:20]
        assert said in answer.content.decode(), said
    assert "Choose a file, or paste its text." in client.post(address, given).content.decode()


def test_the_list_searches_filters_and_exports() -> None:
    series, lead = watched()
    about = dashboard(lead, Scope(use_case=series.use_case), name="Quality")
    dashboard(lead, name="Everything")
    client = as_(lead)
    found = client.get(
        url("dashboards"), {"q": series.use_case.key, "about": "use_case", "mine": "on"}
    ).content.decode()
    assert about.name in found
    assert "Everything" not in found
    sheet: Any = client.get(url("dashboards"), {"export": "csv"})
    assert b"Everything" in b"".join(sheet.streaming_content)


def test_a_dashboard_asks_the_same_number_of_questions_however_much_there_is() -> None:
    portfolio = person_with("portfolio_manager", organisation())
    client = as_(portfolio)

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    watched()
    dashboard(portfolio, name="First")
    page, listed = url("ready_page", PORTFOLIO, "all"), url("dashboards")
    queries(page)
    few, rows = queries(page), queries(listed)
    for number in range(3):
        watched()
        dashboard(portfolio, name=f"Another {number}")
    assert queries(page) == few <= 40
    assert queries(listed) == rows <= 25


# -- REST ------------------------------------------------------------------------------------------------------------

API = "/api/v1/dashboards/"


def test_over_rest_one_is_made_changed_read_and_deleted() -> None:
    series, lead = watched()
    client = api_as(lead)
    body = {
        "name": "Quality",
        "use_case": series.use_case.key,
        "widgets": [{"widget": "value", "params": {"series": ["f1"]}}],
    }
    made = client.post(API, body, format="json")
    assert made.status_code == 201, made.content
    address = f"{API}{made.json()['id']}/"
    assert client.get(address).json()["widgets"][0]["width"] == 3
    assert client.get(f"{address}data/", {"range": "7d"}).json()["w1"]["value"] == 0.8
    assert client.get(f"{address}data/", {"range": "fortnight"}).status_code == 422
    assert client.patch(address, {"name": "Other"}, format="json").status_code == 422
    assert client.patch(address, {"name": "Other", "revision": 1}, format="json").json()["revision"] == 2
    assert client.patch(address, {"name": "Third", "revision": 1}, format="json").status_code == 409
    wrong = client.post(API, {"name": "X", "widgets": [{"widget": "pie"}]}, format="json")
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["widgets.0.widget"])
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert client.post(f"{address}restore/").status_code == 200
    assert [row["name"] for row in client.get(API).json()["results"]] == ["Other"]


def test_over_rest_strangers_see_none_and_machines_read_only() -> None:
    series, lead = watched()
    made = dashboard(lead, Scope(use_case=series.use_case), sharing="everybody")
    address = f"{API}{made.pk}/"
    stranger = api_as(PersonFactory.create())
    assert stranger.get(address).status_code == 404
    assert stranger.get(API).json()["results"] == []
    assert Client().get(address).status_code == 401
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", series.use_case)
    sent = api_as(machine).post(API, {"name": "Mine", "use_case": series.use_case.key}, format="json")
    assert sent.status_code == 404
    assert api_as(machine).post(API, {"name": "Mine"}, format="json").status_code == 403
    assert not Dashboard.objects.filter(owner=machine).exists()
    refused = stranger.post(API, {"name": "X", "use_case": UseCaseFactory.create().key}, format="json")
    assert refused.status_code == 404


def test_over_rest_a_list_asks_the_same_number_of_questions_however_long_it_is() -> None:
    by = PersonFactory.create()
    client = api_as(by)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(API).status_code == 200
        return len(captured)

    dashboard(by, name="0", sharing="roles", roles=["auditor"])
    queries()
    few = queries()
    for number in range(1, 4):
        dashboard(by, name=str(number), sharing="roles", roles=["auditor"])
    assert queries() == few <= 20
