"""Django's admin shows and never edits; the command line makes the first administrator."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.access import can_everywhere
from accounts.models import ApiToken, RoleAssignment, User
from ledger.models import Event
from tests.factories.accounts import PersonFactory, person_with, token_for
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    root = User.objects.create_superuser("root@example.org", full_name="Root")
    client = Client()
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_admin_shows_accounts_roles_and_tokens_and_no_secret(client: Client) -> None:
    person = person_with("auditor", organisation())
    token, _key = token_for(person)
    pages = {
        "user": person.pk,
        "roleassignment": RoleAssignment.objects.get().pk,
        "apitoken": token.pk,
    }
    for model, key in pages.items():
        assert client.get(f"/admin/accounts/{model}/").status_code == 200
        page = client.get(f"/admin/accounts/{model}/{key}/change/")
        assert page.status_code == 200
        assert token.digest not in page.content.decode()
        assert person.password not in page.content.decode()


@pytest.mark.parametrize("model", ["user", "roleassignment", "apitoken"])
def test_the_admin_adds_changes_and_deletes_nothing(client: Client, model: str) -> None:
    person = person_with("auditor", organisation())
    token_for(person)
    key = {"user": person, "roleassignment": RoleAssignment.objects.get(), "apitoken": ApiToken.objects.get()}[model].pk
    assert client.get(f"/admin/accounts/{model}/add/").status_code == 403
    assert client.post(f"/admin/accounts/{model}/{key}/change/", {"full_name": "Changed"}).status_code == 403
    assert client.post(f"/admin/accounts/{model}/{key}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.get(pk=person.pk).full_name != "Changed"


def test_the_first_administrator_is_made_by_a_command() -> None:
    organisation()
    said = StringIO()
    for _ in range(2):  # a second run changes nothing
        call_command("add_person", "Ada@example.org", name="Ada", role="system_admin", stdout=said)
    ada = User.objects.get(email="ada@example.org")
    assert can_everywhere(ada, "user.manage")
    assert not ada.is_superuser
    assert Event.objects.filter(action="role.assigned", actor_kind="system").count() == 1


def test_the_command_gives_roles_on_units_and_use_cases() -> None:
    unit, use_case, ada = UnitFactory.create(), UseCaseFactory.create(), PersonFactory.create()
    call_command("add_person", ada.email, role="data_steward", unit=unit.code, stdout=StringIO())
    call_command("add_person", ada.email, role="technical_lead", use_case=use_case.key, stdout=StringIO())
    assert set(ada.role_assignments.values_list("scope_id", flat=True)) == {unit.pk, use_case.pk}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new@example.org"], "--name"),
        (["new@example.org", "--name", "New", "--role", "auditor", "--unit", "nowhere"], "no such place"),
        (["nonsense", "--name", "New"], "not an e-mail address"),
        (["admin@example.org", "--role", "security"], "may never"),
    ],
)
def test_the_command_says_what_is_wrong_and_changes_nothing(arguments: list[str], words: str) -> None:
    person_with("system_admin", organisation(), email="admin@example.org")
    before = Event.objects.count()
    with pytest.raises(CommandError, match=words):
        call_command("add_person", *arguments, stdout=StringIO())
    assert Event.objects.count() == before
    assert not User.objects.filter(email="new@example.org").exists()
