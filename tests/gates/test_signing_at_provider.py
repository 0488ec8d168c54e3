"""Signing with the organisation's identity provider: a whole round trip, and every answer that confirms nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from accounts.models import User
from config import env
from gates.models import Review, SignOff
from tests.factories.accounts import give, prove
from tests.factories.gates import Case, ready_case
from tests.factories.identity_provider import Provider, Traveller, asked_for

pytestmark = pytest.mark.django_db
ROLE = "business_owner"
ADA, EVE = "ada-1", "eve-2"


@pytest.fixture
def provider(httpserver: HTTPServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Provider:
    found = Provider(httpserver)
    found.people = {
        ADA: {"name": "Ada Lovelace", "email": "ada@example.org", "email_verified": True},
        EVE: {"name": "Eve Moneypenny", "email": "eve@example.org", "email_verified": True},
    }
    for name, value in found.environment().items():
        monkeypatch.setenv(name, value)
    settings.SOCIALACCOUNT_PROVIDERS = env.identity_providers()
    return found


@dataclass
class Scene:
    """Ada came by the provider some hours ago and has a review to sign."""

    case: Case
    review: Review
    ada: User
    traveller: Traveller

    @property
    def address(self) -> str:
        return f"/gates/reviews/{self.review.number}/sign/"

    @property
    def browser(self) -> Client:
        return self.traveller.product

    def fill_in(self, **more: str) -> Any:
        body = {"role": ROLE, "verdict": "reject", "reason": "Far too early.", "digest": self.review.digest, **more}
        return self.browser.post(self.address, body)

    def said(self) -> str:
        return self.browser.get(self.address).content.decode()


def set_up(provider: Provider) -> Scene:
    traveller = Traveller(provider, ADA)
    assert traveller.sign_in().status_code == 302
    ada = User.objects.get(email="ada@example.org")
    case = ready_case()
    give(ada, ROLE, case.use_case)
    prove(traveller.product, ada, seconds_ago=3 * 3600)
    return Scene(case, case.submit(), ada, traveller)


def test_a_person_comes_by_the_provider_and_signs_with_it(provider: Provider) -> None:
    scene = set_up(provider)
    page = scene.said()
    assert "Confirm and come back" in page
    assert 'name="password"' not in page

    off = scene.fill_in()
    assert off["Location"].startswith(f"{provider.issuer}/authorize?")
    sent = asked_for(off)
    assert (sent["prompt"], sent["max_age"], sent["code_challenge_method"]) == ("login", "0", "S256")
    back = scene.traveller.travel(off)
    assert back["Location"] == scene.address
    assert not SignOff.objects.exists()

    page = scene.said()
    assert "You confirmed that it is you" in page
    assert "Far too early." in page
    assert scene.fill_in().status_code == 302
    vote = SignOff.objects.get()
    assert (vote.person, vote.method) == (scene.ada, "sso:oidc")
    record = scene.browser.get(f"/gates/sign-offs/{vote.pk}/").content.decode()
    assert "Sign-in at the identity provider (oidc)" in record


def test_the_provider_is_made_to_ask_although_its_own_session_is_open(provider: Provider) -> None:
    scene = set_up(provider)
    provider.sessions = {key: (subject, time.time() - 3600) for key, (subject, _at) in provider.sessions.items()}
    before = len(provider.sessions)
    scene.traveller.travel(scene.fill_in())
    assert len(provider.sessions) == before + 1


def refused(scene: Scene, words: str) -> None:
    """The round trip ends at the form as it was filled in, with a sentence, and with nothing confirmed or signed."""
    back = scene.traveller.travel(scene.fill_in())
    assert back["Location"] == scene.address
    page = scene.said()
    assert words in page
    assert "Confirm and come back" in page
    assert "Far too early." in page
    assert scene.browser.session["_auth_user_id"] == str(scene.ada.pk)
    assert scene.fill_in()["Location"].startswith(provider_of(scene).issuer)
    assert not SignOff.objects.exists()


def provider_of(scene: Scene) -> Provider:
    return scene.traveller.provider


def test_another_person_at_the_provider_confirms_nothing_and_is_not_signed_in(provider: Provider) -> None:
    scene = set_up(provider)
    scene.traveller.subject = EVE
    refused(scene, "signed in somebody else than Ada Lovelace")
    assert not User.objects.filter(email="eve@example.org").exists()


def test_a_colleague_at_the_provider_confirms_nothing_either(provider: Provider) -> None:
    scene = set_up(provider)
    Traveller(provider, EVE).sign_in()
    assert User.objects.filter(email="eve@example.org").exists()
    scene.traveller.subject = EVE
    refused(scene, "signed in somebody else than Ada Lovelace")


def test_a_provider_that_does_not_ask_again_confirms_nothing(provider: Provider) -> None:
    scene = set_up(provider)
    provider.never_asks_again = True
    provider.sessions = {key: (subject, time.time() - 301) for key, (subject, _at) in provider.sessions.items()}
    refused(scene, "did not ask you again")


def test_a_provider_that_does_not_say_when_it_asked_confirms_nothing(provider: Provider) -> None:
    scene = set_up(provider)
    provider.says_no_auth_time = True
    refused(scene, "does not say when it asked you (auth_time)")


def test_an_answer_to_another_question_confirms_nothing(provider: Provider) -> None:
    scene = set_up(provider)
    provider.answers_old_nonce = True
    refused(scene, "belongs to another request")


def test_userinfo_about_somebody_else_than_the_id_token_confirms_nothing(provider: Provider) -> None:
    scene = set_up(provider)
    provider.userinfo_subject, scene.traveller.subject = ADA, EVE
    refused(scene, "gave no usable answer")


@pytest.mark.parametrize(
    ("error", "words"), [("access_denied", "was cancelled"), ("login_required", "refused (login_required)")]
)
def test_an_error_of_the_provider_confirms_nothing(provider: Provider, error: str, words: str) -> None:
    scene = set_up(provider)
    provider.answers_with_error = error
    refused(scene, words)


def test_a_provider_that_is_down_is_named_as_the_reason_and_the_form_stays(provider: Provider) -> None:
    scene = set_up(provider)
    provider.server.clear()
    back = scene.fill_in()
    assert back["Location"] == scene.address
    page = scene.said()
    assert "does not answer" in page
    assert "Far too early." in page


def test_an_answer_for_another_browser_is_not_taken(provider: Provider) -> None:
    scene = set_up(provider)
    off = scene.fill_in()
    thief = Traveller(provider, ADA)
    answer = thief.travel(off)
    assert answer.status_code == 401
    assert "belongs to no sign-in that was begun in this browser" in answer.content.decode()
    assert "_auth_user_id" not in thief.product.session


def test_the_five_minutes_run_from_when_the_provider_asked(provider: Provider) -> None:
    scene = set_up(provider)
    provider.never_asks_again = True
    provider.sessions = {key: (subject, time.time() - 200) for key, (subject, _at) in provider.sessions.items()}
    scene.traveller.travel(scene.fill_in())
    newest = scene.browser.session["account_authentication_methods"][-1]
    assert 190 < time.time() - newest["at"] < 210


def test_a_silent_sign_in_by_the_open_session_of_the_provider_is_no_fresh_proof(provider: Provider) -> None:
    scene = set_up(provider)
    provider.sessions = {key: (subject, time.time() - 3600) for key, (subject, _at) in provider.sessions.items()}
    scene.browser.logout()
    scene.traveller.sign_in()
    assert "Confirm and come back" in scene.said()
    assert scene.fill_in()["Location"].startswith(provider.issuer)


def test_who_was_asked_at_the_sign_in_just_now_is_not_asked_again(provider: Provider) -> None:
    scene = set_up(provider)
    scene.browser.logout()
    scene.traveller.at_provider.cookies.clear()
    scene.traveller.sign_in()
    assert scene.fill_in().status_code == 302
    assert SignOff.objects.get().method == "sso:oidc"


def test_the_provider_can_be_pressed_for_beside_the_password(provider: Provider) -> None:
    scene = set_up(provider)
    scene.ada.set_password("a long pass phrase of hers")
    scene.ada.save(update_fields=["password"])
    scene.browser.force_login(scene.ada)
    assert "Confirm at your organisation" in scene.said()
    scene.traveller.travel(scene.fill_in(confirm="provider", verdict="", reason="Half a thought"))
    assert "Half a thought" in scene.said()
    assert scene.fill_in().status_code == 302
    assert SignOff.objects.get().method == "sso:oidc"


@pytest.mark.parametrize(
    "address", ["/accounts/2fa/webauthn/add/", "/accounts/2fa/totp/activate/", "/accounts/password/set/"]
)
def test_a_session_left_open_gets_no_way_in_of_its_own(provider: Provider, address: str) -> None:
    scene = set_up(provider)
    sent = scene.browser.get(address)
    assert sent.status_code == 302
    assert sent["Location"].startswith("/accounts/confirm/?next=")
    back = scene.traveller.travel(scene.browser.get(sent["Location"]))
    assert back["Location"] == address
    assert scene.browser.get(address).status_code == 200


def test_the_sign_in_page_says_so_when_the_provider_is_down(provider: Provider) -> None:
    provider.server.clear()
    answer = Client().post("/accounts/oidc/oidc/login/")
    assert answer.status_code == 502
    assert "does not answer as it should" in answer.content.decode()
    assert not SocialAccount.objects.exists()
