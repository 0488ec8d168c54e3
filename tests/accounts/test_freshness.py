"""What binds a person needs a password or a second factor that was entered within five minutes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.http import QueryDict
from django.template import Context, Template
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.confirming import ConfirmForm, keep, take_back
from accounts.demo import DOMAIN
from accounts.freshness import ReauthenticationRequired, fresh_proof, require_fresh, ways_to_confirm
from accounts.models import User
from kernel.problems import exception_handler
from tests.factories.accounts import PASSWORD, PersonFactory, api_as, prove

pytestmark = pytest.mark.django_db


def visit(user: User, *, seconds_ago: float | None = None, method: str = "password", **more: str) -> Any:
    """A request in a session of ``user`` that proved itself so long ago, or never."""
    client = Client()
    client.force_login(user)
    if seconds_ago is not None:
        prove(client, user, seconds_ago=seconds_ago, method=method, **more)
    request = RequestFactory().post("/somewhere/")
    request.user = user
    request.session = client.session
    return request


def test_a_session_alone_proves_nothing() -> None:
    with pytest.raises(ReauthenticationRequired):
        require_fresh(visit(PersonFactory.create()))


def test_a_password_is_fresh_for_five_minutes() -> None:
    user = PersonFactory.create()
    assert require_fresh(visit(user, seconds_ago=290)).method == "password"
    assert fresh_proof(visit(user, seconds_ago=301)) is None


def test_the_proof_of_somebody_else_in_the_same_browser_does_not_count() -> None:
    user, other = PersonFactory.create(), PersonFactory.create()
    request = visit(user, seconds_ago=1)
    request.user = other
    assert fresh_proof(request) is None


def test_a_link_from_an_email_and_a_time_to_come_prove_nothing() -> None:
    user = PersonFactory.create()
    assert fresh_proof(visit(user, seconds_ago=1, method="password_reset")) is None
    assert fresh_proof(visit(user, seconds_ago=-60)) is None


def test_coming_by_a_provider_that_does_not_say_when_it_asked_proves_nothing() -> None:
    assert fresh_proof(visit(PersonFactory.create(), seconds_ago=1, method="socialaccount", provider="entra")) is None


def test_a_token_is_never_fresh() -> None:
    request = visit(PersonFactory.create(), seconds_ago=1)
    request.user.token_scopes = frozenset({"gate.sign"})
    assert fresh_proof(request) is None


@pytest.mark.parametrize(
    ("method", "more", "shown"),
    [
        ("mfa", {"type": "totp"}, "totp"),
        ("mfa", {"type": "webauthn"}, "webauthn"),
        ("socialaccount", {"provider": "entra", "auth_time": "now"}, "sso:entra"),
    ],
)
def test_the_proof_says_how(method: str, more: dict[str, str], shown: str) -> None:
    assert require_fresh(visit(PersonFactory.create(), seconds_ago=1, method=method, **more)).method == shown


def test_over_rest_it_is_403_with_a_code_of_its_own_and_a_way_out() -> None:
    answer = exception_handler(ReauthenticationRequired(), {"request": RequestFactory().post("/api/v1/x/")})
    assert answer is not None
    assert answer.status_code == 403
    assert answer.data["type"].endswith("reauthentication_required")
    assert "/api/v1/me/confirm/" in answer.data["hint"]


def test_the_form_asks_for_the_password_only_when_it_has_to() -> None:
    user = PersonFactory.create()
    assert "password" not in ConfirmForm(request=visit(user, seconds_ago=5)).fields
    assert "password" in ConfirmForm(request=visit(user)).fields


def test_the_right_password_confirms_and_a_wrong_one_or_none_does_not() -> None:
    user = PersonFactory.create()
    for said in ("", "wrong horse"):
        request = visit(user)
        form = ConfirmForm({"password": said}, request=request)
        assert not form.is_valid()
        assert "password" in form.errors
        assert fresh_proof(request) is None
    request = visit(user)
    form = ConfirmForm({"password": PASSWORD}, request=request)
    assert form.is_valid(), form.errors
    assert form.is_confirmed
    assert require_fresh(request).method == "password"


def test_a_code_of_the_second_factor_confirms() -> None:
    user = PersonFactory.create()
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(user, secret)
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    request = visit(user)
    wrong = ConfirmForm({"code": "000000" if code != "000000" else "111111"}, request=request)
    assert not wrong.is_valid()
    assert "code" in wrong.errors
    assert ConfirmForm({"code": code}, request=request).is_valid()
    assert require_fresh(request).method == "totp"


def test_of_two_ways_to_confirm_neither_is_called_optional() -> None:
    user = PersonFactory.create()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    form = ConfirmForm(None, request=visit(user))
    assert {"password", "code"} <= set(form.fields)
    shown = Template("{% load tollgate %}{% form_row form.password %}{% form_row form.code %}").render(
        Context({"form": form})
    )
    assert "authenticator app" in shown
    assert "optional" not in shown


def test_who_has_a_passkey_alone_confirms_elsewhere_and_finds_the_form_as_it_was() -> None:
    user = PersonFactory.create(password=None)
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    assert ways_to_confirm(user).elsewhere == ("passkey",)
    request = visit(user)
    form = ConfirmForm(QueryDict("reason=Too+early."), request=request)
    assert form.buttons == []
    away = form.detour()
    assert away is not None
    assert away["Location"] == "/accounts/2fa/webauthn/reauthenticate/?next=%2Fsomewhere%2F"
    assert take_back(request) == {"reason": "Too early."}


def test_beside_a_password_the_passkey_is_a_button_of_its_own() -> None:
    user = PersonFactory.create()
    for kind in (Authenticator.Type.WEBAUTHN, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=user, type=kind, data={})
    form = ConfirmForm(QueryDict("confirm=passkey"), request=visit(user))
    assert [way for way, _words, _icon in form.buttons] == ["passkey"]
    assert form.fields["code"].label == "Or a recovery code"
    away = form.detour()
    assert away is not None
    assert away["Location"].startswith("/accounts/2fa/webauthn/reauthenticate/")
    assert ConfirmForm(QueryDict("confirm=provider"), request=visit(user)).detour() is None


def test_what_is_kept_comes_back_once_on_the_same_page_and_never_a_password() -> None:
    request = RequestFactory().post("/a/", {"reason": "Too early.", "password": "secret"})
    request.session = {}  # type: ignore[assignment]
    keep(request, request.POST)
    assert "secret" not in json.dumps(dict(request.session))
    other = RequestFactory().get("/b/")
    other.session = request.session
    assert take_back(other) == {}
    assert take_back(request) == {"reason": "Too early."}
    assert take_back(request) == {}


def test_who_has_nothing_to_confirm_with_is_told() -> None:
    request = visit(PersonFactory.create(password=None))
    form = ConfirmForm({}, request=request)
    assert not form.is_valid()
    assert "set a password" in str(form.errors)


def test_demonstration_people_have_a_password_in_demonstration_mode_alone(settings: Settings) -> None:
    user = PersonFactory.create(password=None, email=f"clara@{DOMAIN}")
    settings.TOLLGATE_DEMO = False
    assert not ConfirmForm({"password": "demo"}, request=visit(user)).is_valid()
    settings.TOLLGATE_DEMO = True
    request = visit(user)
    assert "demo" in str(ConfirmForm(request=request).fields["password"].help_text)
    assert ConfirmForm({"password": "demo"}, request=request).is_valid()
    assert require_fresh(request).method == "demonstration"
    stranger = PersonFactory.create(password=None)
    assert not ConfirmForm({"password": "demo"}, request=visit(stranger)).is_valid()


def test_who_has_nothing_to_type_confirms_nothing_over_rest() -> None:
    user = PersonFactory.create(password=None)
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    client = Client()
    client.force_login(user)
    answer = client.post("/api/v1/me/confirm/", {"password": ""}, content_type="application/json")
    assert answer.status_code == 422
    assert "in the browser" in answer.json()["hint"]


def test_a_session_confirms_over_rest_and_a_token_does_not() -> None:
    user = PersonFactory.create()
    client = Client()
    client.force_login(user)
    refused = client.post("/api/v1/me/confirm/", {"password": "no"}, content_type="application/json")
    assert refused.status_code == 422
    answer = client.post("/api/v1/me/confirm/", {"password": PASSWORD}, content_type="application/json")
    assert answer.status_code == 204, answer.content
    request = RequestFactory().post("/")
    request.user, request.session = user, client.session
    assert require_fresh(request).method == "password"
    by_token = api_as(user).post("/api/v1/me/confirm/", {"password": PASSWORD})
    assert by_token.status_code == 403
