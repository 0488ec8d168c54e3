"""A source as a form: its own fields, and those that its connector declares."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from monitoring.connector import Connector, Setting, connectors
from monitoring.models import Source

EVERY: list[tuple[int, Any]] = [
    (60, _("minute")),
    (300, _("5 minutes")),
    (900, _("15 minutes")),
    (3600, _("hour")),
    (21_600, _("6 hours")),
    (86_400, _("day")),
]


class SourceForm(forms.Form):
    """Fields of settings are called ``config-…``, those of secrets ``secret-…``; a stored secret is never shown."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("Such as “Model gateway, production”."))
    every_seconds = forms.TypedChoiceField(label=_("Pull every"), choices=EVERY, coerce=int, initial=300)

    def __init__(self, data: Any = None, *, connector: str = "http_json", source: Source | None = None) -> None:
        initial = {"name": source.name, "every_seconds": source.every_seconds} if source else {}
        super().__init__(data, initial=initial)
        self.source = source
        self.plugin: type[Connector] = connectors.get(source.connector if source else connector)
        if source and source.every_seconds not in {seconds for seconds, _label in EVERY}:
            every: Any = self.fields["every_seconds"]
            every.choices = [*EVERY, (source.every_seconds, _("%(n)d seconds") % {"n": source.every_seconds})]
        config = source.config if source else {}
        for setting in self.plugin.settings:
            self.fields[f"config-{setting.name}"] = _field(setting, config.get(setting.name, setting.default))
        for setting in self.plugin.secrets:
            self.fields[f"secret-{setting.name}"] = _secret_field(setting, has_secret=bool(source and source.secret))
        if source and source.secret:
            self.fields["forget_secret"] = forms.BooleanField(label=_("Take the stored secret away"), required=False)

    def config(self) -> dict[str, str]:
        return self._part("config-")

    def secret(self) -> dict[str, str] | None:
        """What replaces the stored secret; None keeps it."""
        if self.cleaned_data.get("forget_secret"):
            return {}
        given = {name: value for name, value in self._part("secret-").items() if value}
        if given or self.source is None:
            return given
        return None

    def put_errors(self, errors: dict[str, list[str]]) -> None:
        """What a service refused, at the fields it is about."""
        for name, messages in errors.items():
            places = [place for place in (name, f"config-{name}", f"secret-{name}") if place in self.fields]
            for message in messages:
                self.add_error(places[0] if places else None, message)

    def _part(self, prefix: str) -> dict[str, str]:
        return {
            name.removeprefix(prefix): value for name, value in self.cleaned_data.items() if name.startswith(prefix)
        }


def _field(setting: Setting, initial: str) -> forms.Field:
    common: dict[str, Any] = {"label": setting.label, "help_text": setting.help, "initial": initial}
    if setting.choices:
        return forms.ChoiceField(choices=setting.choices, required=True, **common)
    return forms.CharField(required=setting.required, max_length=1000, **common)


def _secret_field(setting: Setting, *, has_secret: bool) -> forms.Field:
    help_text = _("Stored encrypted. Leave empty to keep what is stored.") if has_secret else setting.help
    return forms.CharField(
        label=setting.label,
        required=False,
        max_length=4000,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
