"""People, roles and oneself over REST: insider, outsider, anonymous, without the right, and the queries it takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.factories.accounts import (
    PASSWORD,
    PersonFactory,
    ServiceAccountFactory,
    api_as,
    give,
    person_with,
    token_for,
)
from tests.factories.portfolio import KpiFactory, UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
PEOPLE, ROLES, TOKENS, ME = (f"/api/v1/{name}/" for name in ("people", "role-assignments", "tokens", "me"))


def names(client: APIClient) -> set[str]:
    return {row["name"] for row in client.get(PEOPLE).json()["results"]}


@pytest.mark.parametrize("address", [PEOPLE, ROLES, TOKENS, ME])
def test_anonymous_is_401(address: str) -> None:
    answer = APIClient().get(address)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")


def test_me_says_who_one_is_and_what_the_token_may() -> None:
    use_case = UseCaseFactory.create(key="claims")
    person = person_with("technical_lead", use_case, full_name="Ada")
    give(person, "auditor", organisation())
    me = api_as(person, ["use_case.view"]).get(ME).json()
    assert (me["id"], me["name"], me["scopes"]) == (str(person.pk), "Ada", ["use_case.view"])
    assert [(r["role"], r["scope_kind"], r["scope"]) for r in me["roles"]] == [
        ("auditor", "unit", organisation().code),
        ("technical_lead", "use_case", "claims"),
    ]


def test_me_by_session_is_limited_by_no_token() -> None:
    person = PersonFactory.create()
    client = APIClient()
    assert client.login(email=person.email, password=PASSWORD)
    assert client.get(ME).json()["scopes"] is None


def test_people_are_those_with_roles_where_one_sees_something() -> None:
    unit = UnitFactory.create()
    use_case = UseCaseFactory.create(unit=unit)
    lead = person_with("technical_lead", use_case, full_name="Lead")
    person_with("business_sponsor", use_case, full_name="Beside")
    person_with("data_steward", unit, full_name="Above")
    person_with("auditor", organisation(), full_name="Root")
    person_with("technical_lead", UseCaseFactory.create(), full_name="Elsewhere")
    ServiceAccountFactory.create(full_name="My machine", owner=lead)
    PersonFactory.create(full_name="Nobody")
    assert names(api_as(lead)) == {"Lead", "Beside", "Above", "Root", "My machine"}


def test_whoever_assigns_roles_knows_everybody() -> None:
    PersonFactory.create(full_name="Nobody")
    manager = person_with("portfolio_manager", organisation(), full_name="Manager")
    assert names(api_as(manager)) == {"Nobody", "Manager"}


def test_people_come_without_addresses() -> None:
    manager = person_with("portfolio_manager", organisation())
    row = api_as(manager).get(PEOPLE).json()["results"][0]
    assert set(row) == {"id", "name", "kind", "job_title", "is_active", "manager"}


def test_a_person_one_may_not_know_of_is_404() -> None:
    stranger = PersonFactory.create()
    client = api_as(person_with("technical_lead", UseCaseFactory.create()))
    assert client.get(f"{PEOPLE}{stranger.pk}/").status_code == 404


def test_a_manager_assigns_and_ends_a_role() -> None:
    use_case, person = UseCaseFactory.create(), PersonFactory.create()
    client = api_as(person_with("portfolio_manager", organisation()))
    body = {"user": str(person.pk), "role": "technical_lead", "use_case": use_case.key, "reason": "Builds it."}
    made = client.post(ROLES, body)
    assert made.status_code == 201, made.content
    assert (made.json()["scope"], made.json()["reason"]) == (use_case.key, "Builds it.")
    ended = client.post(f"{ROLES}{made.json()['id']}/end/", {"reason": "Done."})
    assert ended.json()["ended_at"] is not None
    assert client.post(f"{ROLES}{made.json()['id']}/end/").status_code == 409


def test_a_role_on_a_unit_is_assigned_by_its_code() -> None:
    unit, person = UnitFactory.create(), PersonFactory.create()
    client = api_as(person_with("portfolio_manager", organisation()))
    made = client.post(ROLES, {"user": str(person.pk), "role": "data_steward", "unit": unit.code})
    assert (made.json()["scope_kind"], made.json()["scope"]) == ("unit", unit.code)


def test_without_the_right_to_assign_it_is_403() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("use_case_lead", use_case)
    other = person_with("technical_lead", use_case)
    answer = api_as(lead).post(ROLES, {"user": str(other.pk), "role": "auditor", "use_case": use_case.key})
    assert answer.status_code == 403
    assert "AI programme" in answer.json()["detail"]


def test_a_use_case_one_does_not_see_is_404() -> None:
    manager = person_with("portfolio_manager", UnitFactory.create())
    hidden, person = UseCaseFactory.create(), PersonFactory.create()
    answer = api_as(manager).post(ROLES, {"user": str(person.pk), "role": "auditor", "use_case": hidden.key})
    assert answer.status_code == 404


def test_a_conflicting_role_is_409_with_the_sentence() -> None:
    admin = person_with("system_admin", organisation())
    client = api_as(person_with("portfolio_manager", organisation()))
    answer = client.post(ROLES, {"user": str(admin.pk), "role": "security", "unit": organisation().code})
    assert answer.status_code == 409
    assert "may never" in answer.json()["detail"]


@pytest.mark.parametrize("wrong", [{}, {"use_case": "a", "unit": "b"}, {"role": "emperor"}, {"user": "x"}])
def test_a_request_that_says_too_little_or_too_much_is_422(wrong: dict[str, str]) -> None:
    person = PersonFactory.create()
    body = {"user": str(person.pk), "role": "auditor", **wrong}
    answer = api_as(person_with("portfolio_manager", organisation())).post(ROLES, body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_roles_are_filtered_by_where_and_who() -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    client = api_as(person_with("auditor", organisation()))
    for query in (f"use_case={use_case.key}", f"user={lead.pk}", "role=technical_lead"):
        rows = client.get(f"{ROLES}?{query}&current=true").json()["results"]
        assert [row["user"]["id"] for row in rows] == [str(lead.pk)], query
    assert client.get(f"{ROLES}?unit={organisation().code}&current=false").json()["results"] == []


def test_a_session_makes_a_token_that_works_and_is_shown_once() -> None:
    person = person_with("technical_lead", UseCaseFactory.create())
    client = APIClient()
    assert client.login(email=person.email, password=PASSWORD)
    expires_at = (timezone.now() + timedelta(days=30)).isoformat()
    made = client.post(TOKENS, {"name": "CI", "scopes": ["use_case.view"], "expires_at": expires_at})
    assert made.status_code == 201, made.content
    key = made.json()["key"]
    other = APIClient()
    other.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    assert other.get(ME).json()["id"] == str(person.pk)
    listed = client.get(TOKENS).json()["results"]
    assert [row["prefix"] for row in listed] == [made.json()["prefix"]]
    assert "key" not in listed[0]
    assert client.post(f"{TOKENS}{made.json()['id']}/revoke/").json()["revoked_at"]
    assert other.get(ME).status_code == 401


def test_a_token_without_the_scope_makes_no_token() -> None:
    person = person_with("technical_lead", UseCaseFactory.create())
    body = {"name": "x", "scopes": ["use_case.view"], "expires_at": (timezone.now() + timedelta(days=1)).isoformat()}
    assert api_as(person, ["use_case.view"]).post(TOKENS, body).status_code == 403


def test_somebody_elses_tokens_are_404() -> None:
    token, _key = token_for(person_with("auditor", organisation()))
    assert api_as(person_with("auditor", organisation())).post(f"{TOKENS}{token.pk}/revoke/").status_code == 404


@pytest.mark.parametrize("address", [PEOPLE, ROLES])
def test_queries_do_not_grow_with_the_rows(address: str) -> None:
    unit = UnitFactory.create()
    reader = person_with("technical_lead", unit)
    client = api_as(reader)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    give(PersonFactory.create(), "data_scientist", UseCaseFactory.create(unit=unit))
    queries()  # the first use of a token is noted
    few = queries()
    for _ in range(5):
        give(PersonFactory.create(), "data_scientist", UseCaseFactory.create(unit=unit))
    assert queries() == few
    assert few <= 6


def test_an_account_that_was_deactivated_is_shut_out_of_its_session() -> None:
    person = PersonFactory.create()
    client = APIClient()
    assert client.login(email=person.email, password=PASSWORD)
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert client.get(ME).status_code == 401


def test_a_machine_acts_on_the_use_case_that_it_serves_without_reading_it() -> None:
    kpi = KpiFactory.create(key="handling-time")
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", kpi.use_case)
    client = api_as(machine, ["kpi.record"])
    body = {
        "use_case": kpi.use_case.key,
        "kpi": "handling-time",
        "window_start": "2026-10-01",
        "window_end": "2026-10-31",
        "value": "9.5",
        "source": "warehouse",
    }
    assert client.post("/api/v1/measurements/", body).status_code == 201
    assert client.get(f"/api/v1/use-cases/{kpi.use_case.key}/").status_code == 404
    other = KpiFactory.create(key="handling-time")
    assert client.post("/api/v1/measurements/", {**body, "use_case": other.use_case.key}).status_code == 404
