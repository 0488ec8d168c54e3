"""The part of a form that asks for the password or a code, for what needs a fresh authentication.

A form that binds its person inherits ``ConfirmForm`` first and is given the request. When the last authentication is
fresh, nothing is asked. When it is not, the form asks for what the person has. Whoever presses for the passkey or the
identity provider, or has nothing else, is sent there and comes back to the form as it was filled in:

    form = SignForm(posted, request=request, ...)
    if away := form.detour():
        return away
    if request.method == "POST" and form.is_valid():
        ...
"""

from __future__ import annotations

import time
from typing import Any, cast
from urllib.parse import urlencode

from allauth.core import context, ratelimit
from allauth.mfa.base.forms import ReauthenticateForm
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.demo import DEMO_PASSWORD
from accounts.freshness import FRESH_SECONDS, Proof, Ways, confirm_password, fresh_proof, ways_to_confirm
from accounts.identity import ask_again
from accounts.models import User

KEPT = "tollgate_forms_kept"
NEVER_KEPT = frozenset({"csrfmiddlewaretoken", "password", "code", "confirm"})
ELSEWHERE: dict[str, tuple[Any, str]] = {
    "passkey": (_("Confirm with a passkey"), "fingerprint"),
    "provider": (_("Confirm at your organisation's sign-in"), "key"),
}
"""Ways that leave the form: value of the button ``confirm`` -> its words and its icon."""


class ConfirmForm(forms.Form):
    """``request`` is the one that the form answers; unbound, it is filled with what was kept of an earlier attempt."""

    def __init__(self, data: Any = None, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        self.proof: Proof | None = fresh_proof(request)
        self.ways: Ways | None = None
        if data is None and (kept := take_back(request)):
            kwargs["initial"] = {**(kwargs.get("initial") or {}), **kept}
        super().__init__(data, *args, **kwargs)
        if self.proof is None:
            self.ways = ways_to_confirm(self._person)
            self.fields.update(_fields(self.ways))

    @property
    def is_confirmed(self) -> bool:
        return self.proof is not None

    @property
    def buttons(self) -> list[tuple[str, Any, str]]:
        """Ways to leave the form for, beside its main button: value, words, icon."""
        if self.proof is not None or self.ways is None:
            return []
        # With nothing to enter, the main button leads to the first way already.
        offered = self.ways.elsewhere if self.ways.in_form else self.ways.elsewhere[1:]
        return [(way, *ELSEWHERE[way]) for way in offered]

    def detour(self) -> HttpResponse | None:
        """Where to confirm, for who pressed for it or has nothing to enter here; None where the form goes on."""
        if not self.is_bound or self.proof is not None or self.ways is None:
            return None
        asked = self.data.get("confirm", "")
        if asked in self.ways.elsewhere:
            return self._sent(asked)
        return self._sent(self.ways.elsewhere[0]) if self.is_valid() and not self.is_confirmed else None

    def _sent(self, way: str) -> HttpResponse:
        """Keep what was filled in, and go."""
        assert self.ways is not None
        back = self.request.get_full_path()
        keep(self.request, self.data)
        if way == "provider":
            return ask_again(self.request, provider=self.ways.provider, after=back)
        return redirect(f"{reverse('mfa_reauthenticate_webauthn')}?{urlencode({'next': back})}")

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        password, code = said.pop("password", ""), said.pop("code", "")
        if self.proof is None and self.ways is not None and not self._confirmed(password, code):
            self._refuse(password, code)
        return said

    @property
    def _person(self) -> User:
        return cast(User, self.request.user)

    def _confirmed(self, password: str, code: str) -> bool:
        if not (password or code):
            return False
        if not ratelimit.consume(self.request, action="reauthenticate", user=self._person):
            self.add_error(None, _("Too many attempts. Wait a minute, then try again."))
            return False
        right = bool(password) and confirm_password(self.request, self._person, password)
        if not right and code:
            right = self._code_is_right(code)
        if right:
            # Other fields may still be wrong: what was right here is not asked for again.
            self.proof = fresh_proof(self.request)
            for name in ("password", "code"):
                self.fields.pop(name, None)
        return right

    def _code_is_right(self, code: str) -> bool:
        with context.request_context(self.request):
            second = ReauthenticateForm({"code": code}, user=self._person)
            right = second.is_valid()
            if right:
                second.save()
        return bool(right)

    def _refuse(self, password: str, code: str) -> None:
        if password and "password" in self.fields:
            self.add_error("password", _("This is not your password."))
        elif code and "code" in self.fields:
            self.add_error("code", _("This code is not right, or it was used already."))
        elif self.ways is not None and self.ways.in_form:
            name = "password" if self.ways.password else "code"
            if not self.has_error(name):
                self.add_error(name, _("Confirm that it is you."))
        elif self.ways is not None and not self.ways.elsewhere:
            self.add_error(
                None, _("There is nothing that you could confirm this with: set a password or a second factor first.")
            )


def keep(request: HttpRequest, data: Any) -> None:
    """Keep a filled form in the session until its page is opened again, ten minutes at most. Never a password."""
    said = {name: data.getlist(name) for name in data if name not in NEVER_KEPT}
    request.session[KEPT] = {"path": request.path, "at": time.time(), "said": said}


def take_back(request: HttpRequest) -> dict[str, Any]:
    """What was kept of the form on this page, once."""
    kept = request.session.get(KEPT)
    if not isinstance(kept, dict) or kept.get("path") != request.path:
        return {}
    del request.session[KEPT]
    if time.time() - float(kept["at"]) > 2 * FRESH_SECONDS:
        return {}
    return {name: values[0] if len(values) == 1 else values for name, values in kept["said"].items()}


def _fields(ways: Ways) -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {}
    if ways.password:
        words: Any = _("Once more, because this binds you. It is not asked again for five minutes.")
        if ways.demonstration:
            words = _("Demonstration: type the password “%(password)s”. Elsewhere, this is the person's own.") % {
                "password": DEMO_PASSWORD
            }
        found["password"] = forms.CharField(
            label=_("Your password"),
            help_text=words,
            required=not ways.code,
            strip=False,
            max_length=500,
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        )
    if ways.code:
        found["code"] = forms.CharField(
            label=_code_label(ways),
            required=not ways.password,
            max_length=40,
            widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        )
    for field in found.values():
        # With two ways neither is required by itself, and neither is optional.
        field.one_of_several = True  # type: ignore[attr-defined]  # read by the form_row tag
    return found


def _code_label(ways: Ways) -> Any:
    if ways.app:
        return _("Or a code of your authenticator app") if ways.password else _("A code of your authenticator app")
    return _("Or a recovery code") if ways.password or ways.elsewhere else _("A recovery code")
