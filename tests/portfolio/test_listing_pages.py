"""The portfolio as a list, a board and a timeline: filters, numbers, exports, queries."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from portfolio.models import SavedView, UseCase
from portfolio.reports.inventory import FIELDS
from tests.factories.accounts import PersonFactory, person_with
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
LIST = "/portfolio/"
VIEWS = (LIST, "/portfolio/board/", "/portfolio/timeline/")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def auditor() -> Client:
    return client_of(person_with("auditor", organisation()))


def text(response: Any) -> str:
    content: bytes = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode("utf-8-sig")


@pytest.mark.parametrize("address", VIEWS)
def test_a_person_sees_their_use_cases_and_no_others(address: str) -> None:
    inside, outside = UseCaseFactory.create(name="Claims triage"), UseCaseFactory.create(name="Fraud alerts")
    page = text(client_of(person_with("technical_lead", inside)).get(address))
    assert "Claims triage" in page
    assert outside.name not in page


@pytest.mark.parametrize("address", [*VIEWS, "/", "/units/", "/reports/", "/search/", "/palette/", "/portfolio/views/"])
def test_whoever_is_not_signed_in_is_asked_to(address: str) -> None:
    response = Client().get(address)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("address", VIEWS)
def test_the_number_of_queries_does_not_depend_on_the_rows(address: str) -> None:
    unit = UnitFactory.create()
    client = client_of(person_with("business_owner", unit))
    counts = []
    for more in (2, 28):
        for number in range(more):
            use_case = UseCaseFactory.create(unit=unit, stage=("idea", "pilot")[number % 2])
            person_with("use_case_lead", use_case)
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 30


def test_a_filter_leaves_the_others_out_and_is_shown_as_a_chip() -> None:
    UseCaseFactory.create(name="Claims triage", stage="pilot")
    UseCaseFactory.create(name="Fraud alerts")
    page = text(auditor().get(LIST, {"stage": "pilot"}))
    assert "Claims triage" in page
    assert "Fraud alerts" not in page
    assert "Clear all" in page


def test_each_number_says_what_its_link_gives() -> None:
    for stage in ("idea", "pilot", "pilot"):
        UseCaseFactory.create(stage=stage)
    UseCaseFactory.create(stage="production", assurance="at_risk")
    client = auditor()
    stats = {stat["label"]: stat for stat in client.get(LIST, {"stage": "idea"}).context["stats"]}
    assert {label: stat["value"] for label, stat in stats.items()} == {
        "Idea": 1,
        "PoC": 0,
        "Pilot": 2,
        "Production": 1,
        "Operations": 0,
        "At risk": 1,
    } | {label: stat["value"] for label, stat in stats.items() if label not in BASE}
    assert stats["Idea"]["current"]
    for stat in stats.values():
        if not stat["current"]:
            shown = client.get(stat["href"].replace("stage=idea&", "") if "only=" in stat["href"] else stat["href"])
            assert shown.context["table"].total == stat["value"]


BASE = {"Idea", "PoC", "Pilot", "Production", "Operations", "At risk"}


def test_an_unknown_filter_value_is_left_out_and_said() -> None:
    UseCaseFactory.create(name="Claims triage")
    page = text(auditor().get(LIST, {"stage": "someday"}))
    assert "left out" in page
    assert "Claims triage" in page


def test_stages_sort_as_life_goes() -> None:
    for stage in ("operations", "idea", "pilot"):
        UseCaseFactory.create(name=f"In {stage}", stage=stage)
    table = auditor().get(LIST, {"sort": "stage"}).context["table"]
    assert [row.stage for row in table] == ["idea", "pilot", "operations"]


def test_htmx_gets_the_table_alone() -> None:
    UseCaseFactory.create(name="Claims triage")
    page = text(auditor().get(LIST, headers={"HX-Request": "true"}))
    assert "Claims triage" in page
    assert "<html" not in page


def test_the_export_holds_the_filtered_rows_in_columns_that_can_be_read_back() -> None:
    UseCaseFactory.create(name="=cmd()", stage="pilot", regulations=["GDPR", "DORA"], personal_data=False)
    UseCaseFactory.create(name="Fraud alerts")
    rows = list(csv.DictReader(io.StringIO(text(auditor().get(LIST, {"stage": "pilot", "export": "csv"})))))
    assert tuple(rows[0]) == FIELDS
    assert len(rows) == 1
    assert rows[0]["name"] == "'=cmd()"
    assert (rows[0]["stage"], rows[0]["regulations"]) == ("pilot", "GDPR; DORA")
    assert (rows[0]["personal_data"], rows[0]["third_party"]) == ("false", "")


def test_the_export_holds_nothing_that_one_may_not_see() -> None:
    inside, outside = UseCaseFactory.create(), UseCaseFactory.create()
    client = client_of(person_with("technical_lead", inside))
    for address in (f"{LIST}?export=csv", "/reports/inventory/?export=csv", "/reports/responsibilities/?export=csv"):
        body = text(client.get(address))
        assert inside.key in body
        assert outside.key not in body


def test_the_spreadsheet_export_is_a_workbook() -> None:
    UseCaseFactory.create()
    response = auditor().get(LIST, {"export": "xlsx"})
    body = b"".join(response.streaming_content)  # type: ignore[attr-defined]  # a streaming response
    assert body.startswith(b"PK")


def test_the_board_caps_its_columns_and_links_to_the_rest() -> None:
    unit = UnitFactory.create()
    for _ in range(22):
        UseCaseFactory.create(unit=unit, stage="pilot")
    columns = auditor().get("/portfolio/board/").context["columns"]
    pilot = next(column for column in columns if column["title"] == "Pilot")
    assert (pilot["count"], len(pilot["cards"])) == (22, 20)
    assert "stage=pilot" in pilot["more_url"]


def test_several_are_put_on_hold_with_one_reason_where_that_is_allowed() -> None:
    unit = UnitFactory.create()
    mine, other = UseCaseFactory.create(unit=unit), UseCaseFactory.create(unit=unit)
    lead = person_with("use_case_lead", mine)
    person = client_of(lead)
    from tests.factories.accounts import give

    give(lead, "auditor", organisation())
    chosen = {"action": "hold", "chosen": [str(mine.pk), str(other.pk)]}
    asked = person.post("/portfolio/bulk/", chosen)
    assert asked.status_code == 200
    assert UseCase.objects.filter(status="on_hold").count() == 0
    assert person.post("/portfolio/bulk/", {**chosen, "confirmed": "1"}).status_code == 422
    done = person.post("/portfolio/bulk/", {**chosen, "confirmed": "1", "reason": "Budget"}, follow=True)
    assert [row.key for row in UseCase.objects.filter(status="on_hold")] == [mine.key]
    assert other.key in text(done)


def test_a_view_is_saved_shared_renamed_and_deleted_by_its_owner_only() -> None:
    owner, other = person_with("auditor", organisation()), PersonFactory.create()
    client = client_of(owner)
    client.post("/portfolio/views/save/", {"name": "High risk", "query": "tier=high&sort=-days"})
    view = SavedView.objects.get()
    assert (view.user, view.query, view.shared) == (owner, "tier=high&sort=-days", False)
    assert "High risk" in text(client.get(LIST))
    stranger = client_of(other)
    assert stranger.post(f"/portfolio/views/{view.pk}/delete/").status_code == 404
    client.post(f"/portfolio/views/{view.pk}/", {"name": "High risk, oldest first", "shared": "1"})
    view.refresh_from_db()
    assert (view.name, view.shared) == ("High risk, oldest first", True)
    assert "High risk, oldest first" in text(stranger.get(LIST))
    assert stranger.post(f"/portfolio/views/{view.pk}/delete/").status_code == 403
    assert stranger.post(f"/portfolio/views/{view.pk}/", {"name": "Mine now"}).status_code == 403
    client.post(f"/portfolio/views/{view.pk}/delete/")
    assert not SavedView.objects.exists()


def test_a_view_needs_a_name() -> None:
    client = client_of(PersonFactory.create())
    assert client.post("/portfolio/views/save/", {"name": " ", "query": "tier=high"}).status_code == 422


@pytest.mark.parametrize("address", VIEWS)
def test_an_empty_list_says_why_it_is_empty_and_what_to_do(address: str) -> None:
    assert "Ask a portfolio manager" in text(client_of(PersonFactory.create()).get(address))
    manager = client_of(person_with("portfolio_manager", organisation()))
    assert "Open a use case" in text(manager.get(address))
    assert "Clear all filters" in text(manager.get(address, {"stage": "pilot"}))


def test_addresses_stay_short_when_a_table_is_swapped() -> None:
    UseCaseFactory.create()
    asked = {"q": "", "stage": ["idea"], "columns": ["", "tier", "assurance", "gate", "days", "lead"], "sort": "-days"}
    swapped = auditor().get(LIST, asked, headers={"HX-Request": "true"})
    assert swapped.headers["HX-Push-Url"] == "/portfolio/?stage=idea&sort=-days"


def test_columns_can_be_chosen() -> None:
    UseCaseFactory.create(vendor="OpenVendor")
    client = auditor()
    assert "OpenVendor" not in text(client.get(LIST))
    assert "OpenVendor" in text(client.get(LIST, {"columns": ["vendor"]}))


@pytest.mark.parametrize("key", ["inventory", "stage-ages", "responsibilities", "kpi-progress"])
def test_every_report_is_read_and_exported(key: str) -> None:
    use_case = UseCaseFactory.create(stage="pilot")
    person_with("use_case_lead", use_case)
    client = auditor()
    assert client.get(f"/reports/{key}/").status_code == 200
    assert client.get(f"/reports/{key}/", {"export": "csv"}).status_code == 200
    assert f"/reports/{key}/" in text(client.get("/reports/"))


def test_an_unknown_report_is_not_found() -> None:
    assert auditor().get("/reports/nothing/").status_code == 404
