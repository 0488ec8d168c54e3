"""People and machines for tests, the roles they hold and the keys they use."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta

from allauth.account.internal.userkit import user_id_to_str
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from factory.declarations import Sequence, SubFactory
from factory.django import DjangoModelFactory, Password
from rest_framework.test import APIClient

import ledger
from accounts.access import possible_actions
from accounts.models import ApiToken, RoleAssignment, User
from accounts.services import assign_role, issue_token

PASSWORD = "correct horse battery staple"


class PersonFactory(DjangoModelFactory[User]):
    """Somebody who can sign in; ``PersonFactory(full_name="Ada Lovelace")``. No role yet: see ``give``."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    full_name = Sequence(lambda n: f"Person {n}")
    email = Sequence(lambda n: f"person{n}@example.org")
    job_title = ""
    kind = User.Kind.PERSON
    password = Password(PASSWORD)


class ServiceAccountFactory(DjangoModelFactory[User]):
    """A machine; give it ``service_account`` on a use case or unit."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    full_name = Sequence(lambda n: f"Machine {n}")
    email = Sequence(lambda n: f"machine{n}@service.invalid")
    kind = User.Kind.SERVICE
    owner = SubFactory(PersonFactory)
    password = Password(None)


def give(user: User, role: str, on: Model) -> RoleAssignment:
    """``user`` holds ``role`` on a unit or use case from now on."""
    return assign_role(user=user, role=role, on=on, by=ledger.SYSTEM)


def person_with(role: str, on: Model, **fields: object) -> User:
    """A new person who holds one role."""
    user = PersonFactory.create(**fields)
    give(user, role, on)
    return user


def token_for(user: User, scopes: Iterable[str] | None = None) -> tuple[ApiToken, str]:
    """A token that is valid for a day, with everything its account may ever do unless scopes are named."""
    chosen = possible_actions(user) if scopes is None else scopes
    expires_at = timezone.now() + timedelta(days=1)
    return issue_token(user=user, name="test", scopes=chosen, expires_at=expires_at, by=ledger.SYSTEM)


def api_as(user: User, scopes: Iterable[str] | None = None) -> APIClient:
    """A REST client that sends a token of ``user``."""
    _token, key = token_for(user, scopes)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def prove(client: Client, user: User, *, seconds_ago: float = 0, method: str = "password", **more: str) -> None:
    """The session of ``client`` holds an authentication of ``user``, as entering a password leaves it."""
    session = client.session
    session["account_authentication_methods"] = [{"method": method, "at": time.time() - seconds_ago, **more}]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()
