"""The pages about people and settings: who sees them, what they offer, what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.access import roles_on
from accounts.models import ApiToken, User
from accounts.roles import catalogue
from accounts.services import deactivate
from ledger import SYSTEM
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with, token_for
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(answer: Any) -> str:
    return str((answer.getvalue() if answer.streaming else answer.content).decode())


@pytest.fixture
def admin() -> User:
    return person_with("system_admin", organisation(), full_name="Agnes Admin")


@pytest.fixture
def manager() -> User:
    return person_with("portfolio_manager", organisation(), full_name="Mona Manager")


@pytest.mark.parametrize(
    "name", ["people", "person_new", "service_accounts", "service_account_new", "settings", "tokens", "token_new"]
)
def test_strangers_are_sent_to_sign_in(name: str) -> None:
    answer = Client().get(reverse(f"accounts:{name}"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_the_list_shows_people_with_their_roles(manager: User) -> None:
    use_case = UseCaseFactory.create(name="Claims triage")
    person_with("technical_lead", use_case, full_name="Tara Lead")
    page = text(browser(manager).get("/people/"))
    assert "Tara Lead" in page
    assert "Claims triage" in page


def test_the_list_is_found_by_name_role_unit_and_state(manager: User) -> None:
    retail = UnitFactory.create(code="retail")
    person_with("technical_lead", UseCaseFactory.create(unit=retail), full_name="Tara Lead")
    person_with("data_steward", UnitFactory.create(code="treasury"), full_name="Stefan Steward")
    left = PersonFactory.create(full_name="Gone Goner")
    deactivate(user=left, by=SYSTEM, reason="Left.")

    def names(query: str) -> set[str]:
        page = text(browser(manager).get(f"/people/?{query}", headers={"HX-Request": "true"}))
        return {name for name in ("Tara Lead", "Stefan Steward", "Gone Goner", "Mona Manager") if name in page}

    assert names("") == {"Tara Lead", "Stefan Steward", "Mona Manager"}
    assert names("q=tara") == {"Tara Lead"}
    assert names("role=data_steward") == {"Stefan Steward"}
    assert names("unit=retail") == {"Tara Lead"}
    assert names("state=inactive") == {"Gone Goner"}
    assert names("role=data_steward&unit=retail") == set()


def test_addresses_are_shown_to_administrators_alone(admin: User, manager: User) -> None:
    PersonFactory.create(email="private@example.org")
    assert "private@example.org" in text(browser(admin).get("/people/"))
    assert "private@example.org" in text(browser(admin).get("/people/?export=csv"))
    assert "private@example.org" not in text(browser(manager).get("/people/"))
    assert "private@example.org" not in text(browser(manager).get("/people/?export=csv"))


def test_the_export_spells_out_the_roles(manager: User) -> None:
    person_with("technical_lead", UseCaseFactory.create(name="Claims triage"), full_name="Tara Lead")
    assert "Tara Lead,Technical lead: Claims triage," in text(browser(manager).get("/people/?export=csv"))


def test_the_list_takes_as_many_queries_for_few_as_for_many(manager: User) -> None:
    client = browser(manager)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/people/").status_code == 200
        return len(asked)

    queries()
    few = queries()
    for _ in range(8):
        person_with("technical_lead", UseCaseFactory.create())
    assert queries() == few
    assert few <= 16


def test_somebody_one_may_not_know_of_is_404() -> None:
    stranger = PersonFactory.create()
    lead = person_with("technical_lead", UseCaseFactory.create())
    assert browser(lead).get(f"/people/{stranger.pk}/").status_code == 404


def test_a_person_has_present_and_past_roles(manager: User) -> None:
    use_case = UseCaseFactory.create(name="Claims triage")
    person = person_with("technical_lead", use_case, full_name="Tara Lead")
    give(person, "auditor", organisation())
    client = browser(manager)
    first = person.role_assignments.get(role="technical_lead")
    assert client.post(f"/people/roles/{first.pk}/end/", {"reason": "Moved on."}).status_code == 302
    page = text(client.get(f"/people/{person.pk}/"))
    assert "Held before" in page
    assert "Claims triage" in page
    assert "Assign a role" in page


def test_a_manager_assigns_a_role_on_a_unit_and_on_a_use_case(manager: User) -> None:
    unit, use_case, person = UnitFactory.create(code="retail"), UseCaseFactory.create(), PersonFactory.create()
    client, address = browser(manager), f"/people/{person.pk}/roles/new/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"role": "data_steward", "unit": "retail"}).status_code == 302
    assert client.post(address, {"role": "technical_lead", "use_case": use_case.key}).status_code == 302
    held = set(person.role_assignments.values_list("role", "scope_id"))
    assert held == {("data_steward", unit.pk), ("technical_lead", use_case.pk)}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"role": "auditor"}, "Choose a unit or name a use case"),
        ({"role": "auditor", "unit": "acme", "use_case": "uc"}, "one of the two"),
        ({"role": "auditor", "use_case": "nowhere"}, "There is no use case with this key"),
        ({"role": "emperor", "unit": "acme"}, "Select a valid choice"),
    ],
)
def test_an_assignment_that_says_too_little_is_422(manager: User, body: dict[str, str], words: str) -> None:
    UseCaseFactory.create(key="uc")
    answer = browser(manager).post(f"/people/{PersonFactory.create().pk}/roles/new/", body)
    assert answer.status_code == 422
    assert words in text(answer)


def test_a_conflicting_role_is_explained_in_the_form(manager: User, admin: User) -> None:
    answer = browser(manager).post(f"/people/{admin.pk}/roles/new/", {"role": "security", "unit": organisation().code})
    assert answer.status_code == 422
    assert "The same person may not hold Security" in text(answer)
    assert admin.role_assignments.count() == 1


def test_whoever_may_not_assign_gets_no_form_and_a_403() -> None:
    use_case = UseCaseFactory.create()
    lead, other = person_with("use_case_lead", use_case), person_with("technical_lead", use_case)
    client = browser(lead)
    page = text(client.get(f"/people/{other.pk}/"))
    assert "Assign a role" not in page
    assert client.get(f"/people/{other.pk}/roles/new/").status_code == 403
    assert client.post(f"/people/{other.pk}/roles/new/", {}).status_code == 403
    assert client.post(f"/people/roles/{other.role_assignments.get().pk}/end/", {}).status_code == 403
    assert roles_on(other, use_case) == {"technical_lead"}


def test_nobody_is_offered_to_change_their_own_roles(manager: User) -> None:
    client = browser(manager)
    page = text(client.get(f"/people/{manager.pk}/"))
    assert "This is you" in page
    assert "Assign a role" not in page
    answer = client.post(f"/people/{manager.pk}/roles/new/", {"role": "auditor", "unit": organisation().code})
    assert answer.status_code == 403


def test_an_administrator_adds_closes_and_reopens_an_account(admin: User) -> None:
    client = browser(admin)
    made = client.post("/people/new/", {"email": "New@Example.org", "full_name": "Nora New", "job_title": "Analyst"})
    person = User.objects.get(email="new@example.org")
    assert made["Location"] == f"/people/{person.pk}/"
    assert client.post(f"/people/{person.pk}/deactivate/", {"reason": ""}).status_code == 422
    assert client.post(f"/people/{person.pk}/deactivate/", {"reason": "Left."}).status_code == 302
    assert not User.objects.get(pk=person.pk).is_active
    assert "Open it again" in text(client.get(f"/people/{person.pk}/"))
    assert client.post(f"/people/{person.pk}/reactivate/").status_code == 302
    assert User.objects.get(pk=person.pk).is_active


def test_an_address_in_use_is_said_at_its_field(admin: User) -> None:
    answer = browser(admin).post("/people/new/", {"email": admin.email, "full_name": "Twin"})
    assert answer.status_code == 422
    assert "Already in use" in text(answer)


def test_accounts_are_not_opened_or_closed_by_others(manager: User) -> None:
    person, client = PersonFactory.create(), browser(manager)
    assert client.get("/people/new/").status_code == 403
    assert client.post(f"/people/{person.pk}/deactivate/", {"reason": "x"}).status_code == 403
    assert client.post(f"/people/{person.pk}/reactivate/").status_code == 403
    assert User.objects.get(pk=person.pk).is_active


def test_one_changes_ones_own_name() -> None:
    person = PersonFactory.create()
    client = browser(person)
    assert client.post("/settings/", {"full_name": "Ada Lovelace", "job_title": "Countess"}).status_code == 302
    page = text(client.get("/settings/"))
    assert "Ada Lovelace" in page
    assert "You hold no role yet" in page
    assert client.post("/settings/", {"full_name": ""}).status_code == 422


def test_a_token_is_made_shown_once_and_revoked() -> None:
    person = person_with("technical_lead", UseCaseFactory.create())
    client = browser(person)
    assert "No token" in text(client.get("/settings/tokens/"))
    assert "Use case: view" in text(client.get("/settings/tokens/new/"))
    made = client.post("/settings/tokens/new/", {"name": "CI", "lifetime": "30", "scopes": ["use_case.view"]})
    token = ApiToken.objects.get()
    assert made.status_code == 201
    assert f"tg_{token.prefix}_" in text(made)
    assert "no-store" in made["Cache-Control"]
    key = made.context["key"]
    listed = text(client.get("/settings/tokens/"))
    assert token.prefix in listed
    assert key not in listed
    assert client.get(f"/settings/tokens/{token.pk}/revoke/").status_code == 200
    assert ApiToken.objects.get().revoked_at is None
    assert client.post(f"/settings/tokens/{token.pk}/revoke/").status_code == 302
    assert ApiToken.objects.get().revoked_at is not None


def test_a_token_form_offers_nothing_beyond_the_account() -> None:
    client = browser(person_with("technical_lead", UseCaseFactory.create()))
    assert "user.manage" not in text(client.get("/settings/tokens/new/"))
    answer = client.post("/settings/tokens/new/", {"name": "x", "lifetime": "30", "scopes": ["user.manage"]})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_other_peoples_tokens_are_out_of_reach(admin: User) -> None:
    victim = person_with("auditor", organisation())
    token, _key = token_for(victim)
    client = browser(admin)
    assert client.get(f"/settings/tokens/{token.pk}/revoke/").status_code == 404
    assert client.get(f"/people/{victim.pk}/tokens/new/").status_code == 403


def test_a_lead_makes_a_machine_with_role_and_token(manager: User) -> None:
    use_case = UseCaseFactory.create()
    lead = person_with("technical_lead", use_case)
    client = browser(lead)
    made = client.post("/people/machines/new/", {"name": "Scoring service"})
    machine = User.objects.get(kind="service")
    assert made["Location"] == f"/people/{machine.pk}/"
    assert machine.owner == lead
    assert "There is nothing this token could do" in text(client.get(f"/people/{machine.pk}/tokens/new/"))
    body = {"role": "service_account", "use_case": use_case.key}
    assert browser(manager).post(f"/people/{machine.pk}/roles/new/", body).status_code == 302
    asked = {"name": "Prod", "lifetime": "365", "scopes": ["monitor.ingest"]}
    assert client.post(f"/people/{machine.pk}/tokens/new/", asked).status_code == 201
    page = text(client.get("/people/machines/"))
    assert "Scoring service" in page
    assert client.get("/people/machines/?export=csv").status_code == 200
    assert "Prod" in text(client.get(f"/people/{machine.pk}/"))


def test_a_machines_role_form_offers_its_one_role(manager: User) -> None:
    page = text(browser(manager).get(f"/people/{ServiceAccountFactory.create().pk}/roles/new/"))
    assert 'value="service_account"' in page
    assert 'value="auditor"' not in page


def test_only_administrators_are_offered_to_make_administrators(manager: User, admin: User) -> None:
    address = f"/people/{PersonFactory.create().pk}/roles/new/"
    assert 'value="system_admin"' in text(browser(admin).get(address))
    assert 'value="system_admin"' not in text(browser(manager).get(address))


def test_machines_are_not_made_by_everybody() -> None:
    assert browser(person_with("auditor", organisation())).get("/people/machines/new/").status_code == 403


def test_every_page_names_the_installations_people_without_markup_in_their_names(admin: User) -> None:
    person = PersonFactory.create(full_name="<b>O'Brien</b>")
    for address in ("/people/", f"/people/{person.pk}/", f"/people/{person.pk}/deactivate/"):
        page = text(browser(admin).get(address))
        assert "<b>O" not in page
        assert "&lt;b&gt;O" in page
        assert "&amp;lt;" not in page


def test_each_role_can_be_read_about_where_it_is_given(manager: User) -> None:
    page = text(browser(manager).get(f"/people/{PersonFactory.create().pk}/roles/new/"))
    assert catalogue().roles["auditor"].purpose.replace("'", "&#x27;") in page
