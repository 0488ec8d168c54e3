"""The portfolio over REST: who may read and write what, how errors look, how many queries it takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from ledger.models import Event
from portfolio.api.serializers import UseCaseDetail, UseCaseRow
from portfolio.models import UseCase
from tests.factories.accounts import PersonFactory, api_as, person_with
from tests.factories.portfolio import KpiFactory, UnitFactory, UseCaseFactory, measure, organisation

pytestmark = pytest.mark.django_db
API = "/api/v1/"


def keys(response: Any) -> list[str]:
    return [row["key"] for row in response.json()["results"]]


def test_a_reader_gets_the_use_cases_of_their_unit_and_no_others() -> None:
    inside, outside = UseCaseFactory.create(), UseCaseFactory.create()
    client = api_as(person_with("business_owner", inside.unit))
    response = client.get(f"{API}use-cases/")
    assert response.status_code == 200
    assert keys(response) == [inside.key]
    assert client.get(f"{API}use-cases/{outside.key}/").status_code == 404
    assert client.get(f"{API}use-cases/{inside.key}/").json()["name"] == inside.name


def test_without_a_token_nothing_is_told() -> None:
    use_case = UseCaseFactory.create()
    for address in ("use-cases/", f"use-cases/{use_case.key}/", "kpis/", "measurements/", "units/", "stage-changes/"):
        assert APIClient().get(API + address).status_code == 401


def test_the_rows_are_what_the_schema_says() -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("auditor", organisation()))
    listed = client.get(f"{API}use-cases/").json()["results"][0]
    assert set(listed) == set(UseCaseRow().fields)
    assert set(client.get(f"{API}use-cases/{use_case.key}/").json()) == set(UseCaseDetail().fields)


def test_a_list_costs_the_same_number_of_queries_for_one_row_and_for_thirty() -> None:
    unit = UnitFactory.create()
    client = api_as(person_with("business_owner", unit))
    counts = []
    for more in (1, 29):
        for _ in range(more):
            UseCaseFactory.create(unit=unit)
        client.get(f"{API}use-cases/")  # the first use of a token in a minute is noted
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{API}use-cases/").status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 5


def test_pages_follow_each_other_without_repetition() -> None:
    unit = UnitFactory.create()
    wanted = sorted(UseCaseFactory.create(unit=unit).key for _ in range(7))
    client = api_as(person_with("auditor", organisation()))
    found, address = [], f"{API}use-cases/?page_size=3"
    while address:
        response = client.get(address)
        found += keys(response)
        address = response.json()["next"]
    assert found == wanted


def test_a_use_case_is_opened_with_its_event() -> None:
    unit = UnitFactory.create()
    owner = person_with("business_owner", unit)
    response = api_as(owner).post(
        f"{API}use-cases/", {"name": "Claims triage", "unit": unit.code, "personal_data": True}
    )
    assert response.status_code == 201, response.json()
    created = UseCase.objects.get(key=response.json()["key"])
    assert response.headers["Location"] == f"/api/v1/use-cases/{created.key}/"
    assert (created.created_by, created.personal_data, created.stage) == (owner, True, "idea")
    event = Event.objects.latest("index")
    assert (event.action, event.actor_id) == ("use_case.created", owner.pk)
    assert event.auth_method.startswith("token:")


def test_a_repeated_request_opens_one_use_case() -> None:
    unit = UnitFactory.create()
    client = api_as(person_with("business_owner", unit))
    body = {"name": "Claims triage", "unit": unit.code}
    answers = [client.post(f"{API}use-cases/", body, headers={"Idempotency-Key": "a-1"}) for _ in range(2)]
    assert answers[0].json()["key"] == answers[1].json()["key"]
    assert UseCase.objects.count() == 1


def test_who_may_not_open_one_is_told_who_may() -> None:
    unit = UnitFactory.create()
    response = api_as(person_with("auditor", unit)).post(f"{API}use-cases/", {"name": "A", "unit": unit.code})
    assert response.status_code == 403
    assert "Business owner" in response.json()["detail"]
    assert not UseCase.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "A", "unit": "nowhere"}, "unit"),
        ({"name": "", "unit": "UNIT"}, "name"),
        ({"name": "A", "unit": "UNIT", "colour": "red"}, "colour"),
        ({"name": "A", "unit": "UNIT", "stage": "production"}, "stage"),
        ({"name": "A", "unit": "UNIT", "regulations": [1]}, "regulations"),
        ({"name": "A", "unit": "UNIT", "oversight_tier": "sometimes"}, "oversight_tier"),
        ({"unit": "UNIT"}, "name"),
    ],
)
def test_wrong_input_is_said_by_field_and_changes_nothing(body: dict[str, Any], field: str) -> None:
    unit = UnitFactory.create()
    given = {name: unit.code if value == "UNIT" else value for name, value in body.items()}
    response = api_as(person_with("portfolio_manager", organisation())).post(f"{API}use-cases/", given)
    assert response.status_code == 422, response.json()
    assert field in response.json()["errors"]
    assert not UseCase.objects.exists()


def test_a_use_case_is_changed_by_who_may_edit_it() -> None:
    use_case = UseCaseFactory.create()
    address = f"{API}use-cases/{use_case.key}/"
    assert api_as(person_with("use_case_lead", use_case)).patch(address, {"vendor": "Acme"}).json()["vendor"] == "Acme"
    assert api_as(person_with("auditor", organisation())).patch(address, {"vendor": "B"}).status_code == 403
    assert api_as(PersonFactory.create()).patch(address, {"vendor": "B"}).status_code == 404
    use_case.refresh_from_db()
    assert use_case.vendor == "Acme"


def test_holding_twice_is_a_conflict() -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("use_case_lead", use_case))
    assert client.post(f"{API}use-cases/{use_case.key}/hold/", {"reason": "Budget"}).json()["status"] == "on_hold"
    assert client.post(f"{API}use-cases/{use_case.key}/hold/", {"reason": "Budget"}).status_code == 409
    assert client.post(f"{API}use-cases/{use_case.key}/resume/", {}).json()["status"] == "active"


def test_a_plan_is_read_and_changed() -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("use_case_lead", use_case))
    address = f"{API}use-cases/{use_case.key}/plan/"
    assert client.get(address).json()["budget_poc"] is None
    assert client.patch(address, {"budget_poc": "12000.50"}).json()["budget_poc"] == "12000.50"
    assert client.patch(address, {"budget_poc": "-1"}).status_code == 422
    assert client.patch(address, {"budget": "1"}).status_code == 422


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("stage=pilot", {"b"}),
        ("stage=pilot&stage=idea", {"a", "b"}),
        ("tier=none", {"a"}),
        ("tier=high&tier=none", {"a", "b"}),
        ("assurance=at_risk", {"c"}),
        ("only=at_risk", {"c"}),
        ("q=triage+claims", {"a"}),
        ("q=OpenVendor", {"b"}),
        ("q=triage+pilot", set()),
        ("status=closed", {"d"}),
        ("unit=nowhere", set()),
    ],
)
def test_filters(query: str, expected: set[str]) -> None:
    unit = UnitFactory.create()
    UseCaseFactory.create(unit=unit, key="a", name="Triage of claims")
    UseCaseFactory.create(unit=unit, key="b", name="Second", stage="pilot", tier="high", vendor="OpenVendor")
    UseCaseFactory.create(unit=unit, key="c", name="Third", stage="production", tier="limited", assurance="at_risk")
    UseCaseFactory.create(unit=unit, key="d", name="Fourth", stage="retired", tier="minimal")
    client = api_as(person_with("auditor", organisation()))
    assert set(keys(client.get(f"{API}use-cases/?{query}"))) == expected


def test_a_unit_filter_takes_the_units_below_with_it() -> None:
    parent = UnitFactory.create()
    below, beside = UseCaseFactory.create(unit=UnitFactory.create(parent=parent)), UseCaseFactory.create()
    client = api_as(person_with("auditor", organisation()))
    found = keys(client.get(f"{API}use-cases/?unit={parent.code}"))
    assert found == [below.key]
    assert beside.key not in found


def test_mine_is_what_i_answer_for() -> None:
    held, other = UseCaseFactory.create(), UseCaseFactory.create()
    person = person_with("auditor", organisation())
    client = api_as(person)
    assert keys(client.get(f"{API}use-cases/?only=mine")) == []
    lead = person_with("use_case_lead", held)
    assert keys(api_as(lead).get(f"{API}use-cases/?only=mine")) == [held.key]
    assert other.key in keys(client.get(f"{API}use-cases/"))


def test_an_unknown_filter_value_is_refused() -> None:
    response = api_as(person_with("auditor", organisation())).get(f"{API}use-cases/?stage=someday")
    assert response.status_code == 422
    assert "stage" in response.json()["errors"]


def test_a_kpi_is_defined_locked_and_measured_over_rest() -> None:
    use_case = UseCaseFactory.create()
    owner, sponsor = person_with("business_owner", use_case), person_with("business_sponsor", use_case)
    body = {"use_case": use_case.key, "key": "handling", "name": "Handling time", "unit": "min", "direction": "lower"}
    created = api_as(owner).post(f"{API}kpis/", {**body, "baseline": "12.5", "target": "8"})
    assert created.status_code == 201, created.json()
    kpi = created.json()
    assert (kpi["baseline"], kpi["is_primary"], kpi["version"]) == ("12.500000", True, 1)
    assert api_as(owner).post(f"{API}kpis/{kpi['id']}/lock/").status_code == 403
    assert api_as(sponsor).post(f"{API}kpis/{kpi['id']}/lock/").json()["locked_at"]
    day = timezone.localdate() - timedelta(days=1)
    measured = {"use_case": use_case.key, "kpi": "handling", "window_start": str(day), "window_end": str(day)}
    answer = api_as(owner).post(f"{API}measurements/", {**measured, "value": "9.1", "source": "warehouse"})
    assert answer.status_code == 201, answer.json()
    assert (answer.json()["value"], answer.json()["unit"]) == ("9.100000", "min")
    assert (
        api_as(owner).post(f"{API}measurements/", {**measured, "value": "9.1", "source": "warehouse"}).status_code
        == 409
    )
    revised = api_as(owner).patch(f"{API}kpis/{kpi['id']}/", {"target": "7"}).json()
    assert (revised["version"], revised["id"] != kpi["id"], revised["locked_at"]) == (2, True, None)
    assert api_as(owner).get(f"{API}kpis/?use_case={use_case.key}&current=true").json()["results"] == [revised]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "much", "1e400"])
def test_a_measurement_that_is_no_number_is_refused(value: str) -> None:
    kpi = KpiFactory.create()
    client = api_as(person_with("business_owner", kpi.use_case))
    day = str(timezone.localdate())
    body = {"use_case": kpi.use_case.key, "kpi": kpi.key, "window_start": day, "window_end": day, "source": "x"}
    response = client.post(f"{API}measurements/", {**body, "value": value})
    assert response.status_code == 422
    assert "value" in response.json()["errors"]
    assert not kpi.measurements.exists()


def test_measurements_are_seen_by_who_sees_the_use_case() -> None:
    kpi = KpiFactory.create()
    found = measure(kpi, 9)
    assert api_as(person_with("technical_lead", kpi.use_case)).get(f"{API}measurements/{found.pk}/").status_code == 200
    assert api_as(PersonFactory.create()).get(f"{API}measurements/{found.pk}/").status_code == 404
    assert api_as(PersonFactory.create()).get(f"{API}measurements/").json()["results"] == []


def test_units_are_added_by_portfolio_managers() -> None:
    root = organisation()
    body = {"code": "retail", "name": "Retail", "parent": root.code}
    assert api_as(person_with("auditor", root)).post(f"{API}units/", body).status_code == 403
    manager = api_as(person_with("portfolio_manager", root))
    assert manager.post(f"{API}units/", body).json()["path"] == "/retail/"
    assert manager.post(f"{API}units/", body).status_code == 409
    assert manager.patch(f"{API}units/retail/", {"name": "Retail bank"}).json()["name"] == "Retail bank"


def test_moves_between_stages_are_read_only() -> None:
    use_case = UseCaseFactory.create()
    client = api_as(person_with("portfolio_manager", organisation()))
    assert client.get(f"{API}stage-changes/?use_case={use_case.key}").json()["results"][0]["to_stage"] == "idea"
    assert client.post(f"{API}stage-changes/", {"use_case": use_case.key, "to_stage": "poc"}).status_code == 405
