"""A write with an ``Idempotency-Key`` happens once, whatever is repeated, lost or done at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

import ledger
from accounts.api import idempotency
from accounts.api.idempotency import IdempotentMixin
from accounts.models import IdempotencyRecord, User
from accounts.services import edit_person
from accounts.tasks import forget_answers
from kernel.errors import Conflict, Invalid
from ledger.models import Event
from tests.factories.accounts import PersonFactory, api_as, person_with
from tests.factories.portfolio import UseCaseFactory, organisation

pytestmark = pytest.mark.django_db
Handler = Callable[[Request], Response]


def add_a_person(request: Request) -> Response:
    with ledger.unit_of_work(by=ledger.SYSTEM) as uow:
        person = User.objects.create_user(f"once{User.objects.count()}@example.org", full_name="Once")
        uow.record("person.created", subject=person)
    return Response({"id": str(person.pk)}, status=201, headers={"Location": f"/people/{person.pk}/"})


def post(
    user: User, handler: Handler = add_a_person, *, key: str = "k1", body: Any = None, method: str = "post"
) -> Any:
    class View(IdempotentMixin, APIView):
        authentication_classes = ()

        def post(self, request: Request) -> Response:
            return handler(request)

        def put(self, request: Request) -> Response:
            return handler(request)

        def get(self, request: Request) -> Response:
            return handler(request)

    make = getattr(APIRequestFactory(), method)
    request = make("/things/?a=1", body or {"name": "ada"}, headers={"Idempotency-Key": key} if key else {})
    force_authenticate(request, user=user)
    return View.as_view()(request)


def people_made() -> int:
    return User.objects.filter(full_name="Once").count()


def test_a_repeat_gets_the_stored_answer_and_changes_nothing() -> None:
    user = PersonFactory.create()
    first, second = post(user), post(user)
    assert (first.status_code, second.status_code) == (201, 201)
    assert json.loads(first.content) == json.loads(second.content)
    assert second["Location"] == first["Location"]
    assert second["Content-Type"] == first["Content-Type"] == "application/json"
    assert ("Idempotency-Replayed" in first, second["Idempotency-Replayed"]) == (False, "true")
    assert people_made() == 1
    assert Event.objects.filter(action="person.created").count() == 1


def test_without_a_key_every_request_counts() -> None:
    user = PersonFactory.create()
    post(user, key="")
    post(user, key="")
    assert people_made() == 2
    assert not IdempotencyRecord.objects.exists()


def test_reading_needs_no_key_and_keeps_none() -> None:
    post(PersonFactory.create(), lambda request: Response({}), method="get")
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize(("body", "method"), [({"name": "grace"}, "post"), (None, "put")])
def test_the_same_key_for_another_request_is_refused(body: Any, method: str) -> None:
    user = PersonFactory.create()
    post(user)
    answer = post(user, body=body, method=method)
    assert answer.status_code == 422
    assert "another request" in answer.data["detail"]
    assert people_made() == 1


def test_two_accounts_may_use_the_same_key() -> None:
    post(PersonFactory.create())
    post(PersonFactory.create())
    assert people_made() == 2


def test_a_repeat_while_the_first_is_under_way_is_told_to_wait() -> None:
    user = PersonFactory.create()
    answers: list[Any] = []

    def asks_again(request: Request) -> Response:
        answers.append(post(user))
        return add_a_person(request)

    post(user, asks_again)
    assert [answer.status_code for answer in answers] == [409]
    assert people_made() == 1


@pytest.mark.parametrize(
    ("error", "status"), [(Invalid("No."), 422), (Conflict("Not now."), 409)], ids=["invalid", "conflict"]
)
def test_a_definitive_refusal_is_kept(error: Exception, status: int) -> None:
    user, calls = PersonFactory.create(), []

    def refuses(request: Request) -> Response:
        calls.append(1)
        raise error

    assert [post(user, refuses).status_code for _ in range(2)] == [status, status]
    assert len(calls) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_an_answer_that_may_turn_is_not_kept(status: int) -> None:
    user = PersonFactory.create()
    assert post(user, lambda request: Response({}, status=status)).status_code == status
    assert post(user).status_code == 201
    assert people_made() == 1


def test_a_failure_undoes_the_change_and_frees_the_key() -> None:
    user = PersonFactory.create()

    def fails_after_writing(request: Request) -> Response:
        add_a_person(request)
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        post(user, fails_after_writing)
    assert people_made() == 0
    assert not Event.objects.filter(action="person.created").exists()
    assert post(user).status_code == 201
    assert people_made() == 1


def test_if_the_answer_cannot_be_stored_the_change_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The heart of it: the process dies, or storing fails, after the change and before the commit."""
    user = PersonFactory.create()

    def dies(*args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(idempotency, "_store", dies)
        post(user)
    assert people_made() == 0
    assert post(user).status_code == 201
    assert people_made() == 1


def test_a_request_that_was_taken_over_does_not_happen_twice() -> None:
    """The first process was silent for longer than the lease, yet lives: only the one that took over counts."""
    user = PersonFactory.create()

    def slow(request: Request) -> Response:
        IdempotencyRecord.objects.update(created_at=timezone.now() + timedelta(seconds=1))  # somebody took it over
        return add_a_person(request)

    answer = post(user, slow)
    assert answer.status_code == 409
    assert people_made() == 0


def test_a_reservation_whose_process_died_is_taken_over_after_the_lease() -> None:
    user = PersonFactory.create()
    post(user)
    IdempotencyRecord.objects.update(status=None, body=b"", created_at=timezone.now() - idempotency.LEASE * 0.9)
    assert post(user).status_code == 409
    IdempotencyRecord.objects.update(created_at=timezone.now() - idempotency.LEASE * 1.1)
    assert post(user).status_code == 201
    assert people_made() == 2  # the first one was committed before we pretended that it died


def test_an_overlong_key_is_refused() -> None:
    assert post(PersonFactory.create(), key="k" * 201).status_code == 422
    assert people_made() == 0


def test_forms_with_files_are_told_apart_by_their_content() -> None:
    def send(content: bytes, note: str = "x") -> str:
        request = APIRequestFactory().post(
            "/things/", {"file": SimpleUploadedFile("a.txt", content), "note": note}, format="multipart"
        )
        parsed = APIView().initialize_request(request)
        digest = idempotency.request_digest(parsed)
        assert parsed.FILES["file"].read() == content  # the handler reads it from its beginning
        return digest

    assert send(b"one") == send(b"one")
    assert len({send(b"one"), send(b"two"), send(b"one", "y")}) == 3


def test_answers_are_forgotten_after_a_day() -> None:
    user = PersonFactory.create()
    post(user, key="old")
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=25))
    post(user, key="new")
    assert forget_answers() == 1
    assert IdempotencyRecord.objects.get().key == "new"


def test_it_works_over_rest_end_to_end() -> None:
    manager, person = person_with("portfolio_manager", organisation()), PersonFactory.create()
    use_case = UseCaseFactory.create()
    client = api_as(manager)
    body = {"user": str(person.pk), "role": "auditor", "use_case": use_case.key}
    answers = [client.post("/api/v1/role-assignments/", body, headers={"Idempotency-Key": "abc"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert person.role_assignments.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_carried_out() -> None:
    user = PersonFactory.create()

    def attempt(_n: int) -> int:
        try:
            return int(post(User.objects.get(pk=user.pk)).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(attempt, range(4)))
    assert people_made() == 1
    assert set(codes) <= {201, 409}
    assert 201 in codes


def test_what_is_edited_by_nobody_stays() -> None:
    """A unit of work inside the handler may itself be refused without spoiling the stored answer."""
    user = PersonFactory.create()

    def refused_halfway(request: Request) -> Response:
        with ledger.unit_of_work(by=user):
            edit_person(user=user, by=user, full_name="Changed")
            raise Conflict("Not now.")

    assert post(user, refused_halfway).status_code == 409
    user.refresh_from_db()
    assert user.full_name != "Changed"
