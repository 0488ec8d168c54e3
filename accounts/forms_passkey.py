"""The form that adds a passkey: allauth's, in the words of this product."""

from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.utils.translation import gettext_lazy as _


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name, passwordless = self.fields["name"], self.fields["passwordless"]
        name.label = _("Name")
        name.help_text = _("To tell it from others later on, such as the name of the device.")
        passwordless.label = _("Sign in with it alone")
        passwordless.help_text = _("Without it, the key is a second step after the password, and confirms signatures.")
        passwordless.initial = True
