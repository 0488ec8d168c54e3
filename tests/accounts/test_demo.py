"""Being a person of the demonstration with one press, and nowhere else."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.demo import demo_people, demo_roles
from accounts.models import User
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
ADDRESS = "/accounts/demo/"


def demo_person(role: str, name: str = "Ines") -> User:
    return person_with(role, organisation(), full_name=name, email=f"{name.lower()}@demo.tollgate.example")


@pytest.fixture
def _demonstration(settings: Settings) -> None:
    settings.TOLLGATE_DEMO = True


def test_outside_a_demonstration_there_is_no_such_page() -> None:
    ines = demo_person("auditor")
    client = Client()
    assert client.get(ADDRESS).status_code == 404
    assert client.post(ADDRESS, {"person": str(ines.pk)}).status_code == 404
    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("_demonstration")
def test_one_press_signs_in() -> None:
    ines = demo_person("auditor")
    client = Client()
    assert "Be Ines" in client.get(ADDRESS).content.decode()
    answer = client.post(ADDRESS, {"person": str(ines.pk), "next": "/people/"})
    assert answer["Location"] == "/people/"
    assert client.session["_auth_user_id"] == str(ines.pk)


@pytest.mark.usefixtures("_demonstration")
def test_it_takes_a_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(ADDRESS, {"person": str(demo_person("auditor").pk)}).status_code == 403


@pytest.mark.usefixtures("_demonstration")
@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_it_leads_nowhere_else(target: str) -> None:
    answer = Client().post(ADDRESS, {"person": str(demo_person("auditor").pk), "next": target})
    assert answer["Location"] == "/"


@pytest.mark.usefixtures("_demonstration")
@pytest.mark.parametrize("person", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_nobody_is_404(person: str) -> None:
    assert Client().post(ADDRESS, {"person": person}).status_code == 404


@pytest.mark.usefixtures("_demonstration")
def test_nobody_else_can_be_impersonated() -> None:
    others = [
        PersonFactory.create(email="real@example.org"),
        PersonFactory.create(email="root@demo.tollgate.example", is_superuser=True),
        PersonFactory.create(email="staff@demo.tollgate.example", is_staff=True),
        PersonFactory.create(email="gone@demo.tollgate.example", is_active=False),
        PersonFactory.create(email="eve@demo.tollgate.example.evil.org"),
        ServiceAccountFactory.create(email="machine@demo.tollgate.example"),
    ]
    assert not demo_people().exists()
    for other in others:
        assert Client().post(ADDRESS, {"person": str(other.pk)}).status_code == 404


def test_each_person_stands_once_under_the_role_they_hold_most(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ines = demo_person("auditor")
    for _ in range(2):
        give(ines, "technical_lead", UseCaseFactory.create(name="Claims"))
    tom = demo_person("business_sponsor", "Tom")
    demo_person("security", "Sara")
    with django_assert_num_queries(2):
        groups = demo_roles()
    assert [group.role.key for group in groups] == ["business_sponsor", "technical_lead", "security"]
    assert [[person.user for person in group.people] for group in groups][:2] == [[tom], [ines]]
    assert groups[1].people[0].places == ["Claims", "Claims"]
    assert groups[1].people[0].other_roles == ["Internal or external auditor"]


@pytest.mark.usefixtures("_demonstration")
def test_without_people_the_page_says_what_to_do() -> None:
    assert "Nobody is here yet" in Client().get(ADDRESS).content.decode()
