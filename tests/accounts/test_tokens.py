"""API tokens: who may make them, what they may do, when they stop."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.keys import digest_of, new_key, prefix_of
from accounts.models import ApiToken, User
from accounts.services import create_service_account, deactivate, issue_token, revoke_token
from kernel.errors import Invalid
from ledger import SYSTEM
from ledger.models import Event
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, api_as, give, person_with, token_for
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
ME = "/api/v1/me/"


def tomorrow() -> object:
    return timezone.now() + timedelta(days=1)


def with_key(key: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def issue(user: User, by: User, **changes: object) -> tuple[ApiToken, str]:
    asked: dict[str, object] = {"name": "CI", "scopes": ["use_case.view"], "expires_at": tomorrow()}
    return issue_token(user=user, by=by, **(asked | changes))  # type: ignore[arg-type]  # tests give wrong types too


def test_a_key_names_its_prefix_and_is_stored_as_its_digest_alone() -> None:
    person = person_with("technical_lead", UseCaseFactory.create())
    token, key = issue(person, person)
    assert key.startswith(f"tg_{token.prefix}_")
    assert prefix_of(key) == token.prefix
    assert token.digest == digest_of(key)
    stored = ApiToken.objects.values().get()
    assert key.rsplit("_", 1)[1] not in str(stored)
    assert not Event.objects.filter(body__contains=key).exists()


@pytest.mark.parametrize(
    "text", ["", "tg", "tg_", "tg_abc_secret", "tg_abcdefgh_", "xx_abcdefgh_secret", "tg_abcdefgh"]
)
def test_what_is_no_key_has_no_prefix(text: str) -> None:
    assert prefix_of(text) is None


def test_keys_differ() -> None:
    assert len({new_key()[1] for _ in range(50)}) == 50


def test_a_token_signs_in_with_one_query_and_notes_its_use_once_a_minute(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    from rest_framework.request import Request
    from rest_framework.test import APIRequestFactory

    from accounts.api.authentication import TokenAuthentication

    token, key = token_for(person_with("auditor", organisation()))
    request = Request(APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {key}"))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        with django_assert_num_queries(2):  # the token with its account, and the note of its use
            TokenAuthentication().authenticate(request)
        clock.shift(timedelta(seconds=50))
        with django_assert_num_queries(1):
            TokenAuthentication().authenticate(request)
        token.refresh_from_db()
        first_use = token.last_used_at
        clock.shift(timedelta(seconds=20))
        with django_assert_num_queries(2):
            TokenAuthentication().authenticate(request)
        token.refresh_from_db()
        assert first_use is not None
        assert token.last_used_at == timezone.now() != first_use


def test_what_a_token_changes_is_recorded_under_its_prefix() -> None:
    person = person_with("technical_lead", UseCaseFactory.create())
    _token, key = token_for(person, ["token.manage", "use_case.view"])
    answer = with_key(key).post(
        "/api/v1/tokens/", {"name": "second", "scopes": ["use_case.view"], "expires_at": str(tomorrow())}
    )
    assert answer.status_code == 201, answer.content
    assert Event.objects.filter(action="token.issued").latest("index").auth_method == f"token:{prefix_of(key)}"


@pytest.mark.parametrize("spoiled", ["unknown", "secret", "expired", "revoked", "inactive", "malformed"])
def test_a_token_that_does_not_count_is_401_with_the_same_words(spoiled: str) -> None:
    person = person_with("auditor", organisation())
    token, key = token_for(person)
    if spoiled == "unknown":
        key = new_key()[1]
    elif spoiled == "secret":
        key = key[:-1] + ("A" if key[-1] != "A" else "B")
    elif spoiled == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif spoiled == "revoked":
        revoke_token(token=token, by=person)
    elif spoiled == "inactive":
        deactivate(user=person, by=SYSTEM, reason="Left.")
    else:
        key = "hello"
    answer = with_key(key).get(ME)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="Tollgate"'
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "This token is unknown, expired or revoked."


def test_without_any_token_the_answer_is_401() -> None:
    answer = APIClient().get(ME)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_scopes_are_what_the_account_could_ever_do() -> None:
    person = person_with("technical_lead", UseCaseFactory.create())
    with pytest.raises(Invalid) as refusal:
        issue(person, person, scopes=["use_case.view", "user.manage", "use_case.destroy"])
    assert "user.manage" in str(refusal.value.errors["scopes"])
    assert "use_case.destroy" in str(refusal.value.errors["scopes"])
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "expires_at"),
        ({"expires_at": timezone.now() + timedelta(days=400)}, "expires_at"),
    ],
)
def test_a_token_has_a_name_a_purpose_and_an_end(changes: dict[str, object], field: str) -> None:
    person = person_with("technical_lead", UseCaseFactory.create())
    with pytest.raises(Invalid) as refusal:
        issue(person, person, **changes)
    assert set(refusal.value.errors) == {field}


def test_nobody_makes_a_token_for_another_person() -> None:
    victim, admin = person_with("auditor", organisation()), person_with("system_admin", organisation())
    with pytest.raises(PermissionDenied, match="only that person"):
        issue(victim, admin)


def test_a_service_accounts_token_is_made_by_its_owner_its_administrators_or_its_lead() -> None:
    use_case = UseCaseFactory.create()
    owner = PersonFactory.create()
    machine = ServiceAccountFactory.create(owner=owner)
    give(machine, "service_account", use_case)
    lead, stranger = person_with("technical_lead", use_case), person_with("technical_lead", UseCaseFactory.create())
    for maker in (owner, lead, person_with("system_admin", organisation())):
        issue(machine, maker, scopes=["monitor.ingest"])
    with pytest.raises(PermissionDenied):
        issue(machine, stranger, scopes=["monitor.ingest"])


def test_a_lead_of_one_use_case_does_not_manage_a_machine_that_also_serves_another() -> None:
    use_case = UseCaseFactory.create()
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    give(machine, "service_account", UseCaseFactory.create())
    with pytest.raises(PermissionDenied):
        issue(machine, person_with("technical_lead", use_case), scopes=["monitor.ingest"])


def test_a_token_makes_no_tokens_unless_it_may() -> None:
    person = person_with("technical_lead", UseCaseFactory.create())
    person.token_scopes = frozenset({"use_case.view"})
    with pytest.raises(PermissionDenied, match=r"token\.manage"):
        issue(person, person)


def test_a_token_never_makes_one_that_may_more_than_itself() -> None:
    person = person_with("technical_lead", UseCaseFactory.create())
    person.token_scopes = frozenset({"use_case.view", "token.manage"})
    issue(person, person, scopes=["use_case.view"])
    with pytest.raises(PermissionDenied, match=r"evidence\.upload"):
        issue(person, person, scopes=["evidence.upload"])


def test_revoking_is_done_once_and_by_those_who_may() -> None:
    person = person_with("auditor", organisation())
    token, _key = token_for(person)
    with pytest.raises(PermissionDenied):
        revoke_token(token=token, by=PersonFactory.create())
    revoke_token(token=token, by=person_with("system_admin", organisation()))
    revoke_token(token=token, by=person)
    assert Event.objects.filter(action="token.revoked").count() == 1


def test_a_service_account_has_a_person_who_answers_for_it() -> None:
    lead = person_with("technical_lead", UseCaseFactory.create())
    machine = create_service_account(name="Scoring pipeline", owner=lead, by=lead)
    assert (machine.kind, machine.owner, machine.has_usable_password()) == ("service", lead, False)
    assert Event.objects.get(action="service_account.created").subject_label == "Scoring pipeline"
    with pytest.raises(Invalid):
        create_service_account(name="x", owner=machine, by=lead)
    with pytest.raises(PermissionDenied):
        create_service_account(name="x", owner=lead, by=person_with("auditor", organisation()))


def test_a_token_reaches_no_further_than_its_scopes() -> None:
    auditor = person_with("auditor", organisation())
    assert api_as(auditor, ["audit_log.view"]).get("/api/v1/people/").json()["results"] == []
    assert api_as(auditor, ["use_case.view"]).get("/api/v1/people/").json()["results"] != []
