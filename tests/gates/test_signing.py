"""The page and the verb of signing: who it is has to be proved afresh, and the record says how it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import delegate, record_absence
from gates.models import Review, SignOff
from gates.services.reviews import withdraw_review
from tests.factories.accounts import PASSWORD, api_as, person_with, prove
from tests.factories.gates import Case, ready_case
from tests.factories.portfolio import UnitFactory

pytestmark = pytest.mark.django_db
ROLE = "business_owner"


def browser(user: User, *, seconds_ago: float | None = None) -> Client:
    client = Client()
    client.force_login(user)
    if seconds_ago is not None:
        prove(client, user, seconds_ago=seconds_ago)
    return client


def body(review: Review, **more: str) -> dict[str, str]:
    return {"role": ROLE, "verdict": "approve", "digest": review.digest, **more}


def set_up() -> tuple[Case, Review, User, str]:
    case = ready_case()
    review = case.submit()
    return case, review, case.signers[ROLE], f"/gates/reviews/{review.number}/sign/"


def test_the_form_asks_for_the_password_when_it_was_not_entered_just_now() -> None:
    _case, review, owner, address = set_up()
    client = browser(owner, seconds_ago=301)
    assert 'name="password"' in client.get(address).content.decode()
    for said in ("", "wrong"):
        answer = client.post(address, body(review, password=said))
        assert answer.status_code == 422
        assert not SignOff.objects.exists()
    assert client.post(address, body(review, password=PASSWORD)).status_code == 302
    assert SignOff.objects.get().method == "password"


def test_what_was_filled_in_stays_when_the_password_was_wrong_and_the_password_does_not() -> None:
    _case, review, owner, address = set_up()
    answer = browser(owner).post(address, body(review, verdict="reject", reason="Far too early.", password="wrong"))
    shown = answer.content.decode()
    assert "Far too early." in shown
    assert "This is not your password" in shown
    assert 'value="wrong"' not in shown


def test_nothing_is_asked_within_five_minutes() -> None:
    _case, review, owner, address = set_up()
    client = browser(owner, seconds_ago=200)
    assert 'name="password"' not in client.get(address).content.decode()
    assert client.post(address, body(review)).status_code == 302


def test_the_password_of_another_person_signs_nothing() -> None:
    case, review, owner, address = set_up()
    owner.set_password("another secret of mine")
    owner.save(update_fields=["password"])
    client = browser(User.objects.get(pk=owner.pk))
    assert client.post(address, body(review, password=PASSWORD)).status_code == 422
    assert case.signers["technical_lead"].check_password(PASSWORD)
    assert not SignOff.objects.exists()


def test_over_rest_a_session_that_is_not_fresh_is_403_with_its_code_and_can_be_confirmed() -> None:
    _case, review, owner, _address = set_up()
    client = APIClient()
    client.force_login(owner)
    url = f"/api/v1/reviews/{review.number}/sign/"
    refused = client.post(url, body(review), format="json")
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("reauthentication_required")
    assert client.post("/api/v1/me/confirm/", {"password": PASSWORD}, format="json").status_code == 204
    answer = client.post(url, body(review), format="json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["method"] == "password"


def test_a_method_cannot_be_made_up_over_rest_and_a_token_is_told_so_first() -> None:
    _case, review, owner, _address = set_up()
    url = f"/api/v1/reviews/{review.number}/sign/"
    token = api_as(owner).post(url, body(review), format="json")
    assert token.status_code == 403
    assert "token never signs" in token.json()["detail"]
    client = APIClient()
    client.force_login(owner)
    prove(client, owner)
    answer = client.post(url, {**body(review), "method": "webauthn"}, format="json")
    assert answer.json().get("method", "password") == "password"
    for verb in (client.get, client.put, client.patch, client.delete):
        assert verb(url).status_code == 405


def stand_in_for(giver: User) -> User:
    found = person_with(ROLE, UnitFactory.create())
    delegate(giver=giver, stand_in=found, role=ROLE, ends_at=timezone.now() + timedelta(days=2), by=giver)
    return found


def test_a_stand_in_signs_on_the_page_and_the_record_shows_both() -> None:
    case, review, owner, address = set_up()
    stand_in = stand_in_for(owner)
    client = browser(stand_in, seconds_ago=5)
    shown = client.get(address).content.decode()
    assert f"in place of {owner.full_name}" in shown
    assert client.post(address, body(review, role=f"{ROLE}:{owner.pk}")).status_code == 302
    vote = SignOff.objects.get()
    record = browser(case.lead).get(f"/gates/sign-offs/{vote.pk}/").content.decode()
    for words in (vote.signer_name, owner.full_name, "UTC", "Business owner", "I approve", vote.digest):
        assert words in record
    assert owner.full_name in browser(case.lead).get(f"/gates/reviews/{review.number}/").content.decode()


def test_a_stand_in_signs_over_rest_and_names_nobody_else() -> None:
    case, review, owner, _address = set_up()
    stand_in = stand_in_for(owner)
    client = APIClient()
    client.force_login(stand_in)
    prove(client, stand_in)
    url = f"/api/v1/reviews/{review.number}/sign/"
    wrong: Any = client.post(url, body(review, on_behalf_of=str(case.lead.pk)), format="json")
    assert wrong.status_code == 422
    answer = client.post(url, body(review, on_behalf_of=str(owner.pk)), format="json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["on_behalf_of"]["name"] == owner.full_name


def test_the_record_is_seen_by_who_sees_the_use_case_alone() -> None:
    case, review, owner, _address = set_up()
    vote = case.sign(review, ROLE)
    address = f"/gates/sign-offs/{vote.pk}/"
    assert browser(owner).get(address).status_code == 200
    assert browser(person_with(ROLE, UnitFactory.create())).get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_a_withdrawn_review_is_signed_by_nobody() -> None:
    case, review, owner, address = set_up()
    withdraw_review(review=review, by=case.lead, reason="A mistake.")
    assert browser(owner, seconds_ago=1).post(address, body(review)).status_code == 403
    client = APIClient()
    client.force_login(owner)
    prove(client, owner)
    assert client.post(f"/api/v1/reviews/{review.number}/sign/", body(review), format="json").status_code == 409


def test_who_is_away_and_who_stands_in_shows_beside_the_seat() -> None:
    case, review, owner, _address = set_up()
    stand_in = person_with(ROLE, UnitFactory.create())
    today = timezone.localdate()
    record_absence(
        person=owner, starts_on=today, ends_on=today + timedelta(days=3), stand_in=stand_in, roles=[ROLE], by=owner
    )
    shown = browser(case.lead).get(f"/gates/reviews/{review.number}/").content.decode()
    assert f"{owner.full_name} is away until" in shown
    assert f"{stand_in.full_name} may sign in their place" in shown
