"""People who come by single sign-on or open sign-up get a name, an event and no role."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.access import possible_actions
from accounts.models import User
from ledger.models import Event

pytestmark = pytest.mark.django_db


def arrive(**claims: str) -> User:
    request = RequestFactory().get("/")
    request.session = Client().session
    login = SocialLogin(
        user=User(),
        account=SocialAccount(provider="oidc", uid="1"),
        email_addresses=[EmailAddress(email=claims["email"], verified=True, primary=True)],
    )
    adapter = get_adapter()
    adapter.populate_user(request, login, claims)
    saved = adapter.save_user(request, login)
    assert isinstance(saved, User)
    return saved


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Ada Lovelace"}, "Ada Lovelace"),
        ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace"),
        ({}, "ada"),
    ],
)
def test_single_sign_on_names_the_person(claims: dict[str, str], name: str) -> None:
    person = User.objects.get(pk=arrive(email="Ada@Example.org", **claims).pk)
    assert (person.full_name, person.email, person.has_usable_password()) == (name, "ada@example.org", False)
    assert possible_actions(person) == {"use_case.view"}
    event = Event.objects.get(action="person.created")
    assert (event.actor_kind, event.subject_id) == ("system", str(person.pk))
    assert "Lovelace" not in event.body


def test_open_sign_up_is_recorded_too(settings: Settings) -> None:
    settings.TOLLGATE_SIGNUP_OPEN = True
    body = {"email": "grace@example.org", "password1": "a long pass phrase", "password2": "a long pass phrase"}
    assert Client().post("/accounts/signup/", body).status_code == 302
    assert User.objects.get().full_name == "grace"
    assert Event.objects.filter(action="person.created").count() == 1


def test_sign_up_is_closed_otherwise() -> None:
    body = {"email": "grace@example.org", "password1": "a long pass phrase", "password2": "a long pass phrase"}
    Client().post("/accounts/signup/", body)
    assert not User.objects.exists()
