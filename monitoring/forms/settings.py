"""What a plugin asks for, as fields of a form."""

from __future__ import annotations

from typing import Any

from django import forms

from monitoring.setting import Setting


def setting_field(setting: Setting, initial: str) -> forms.Field:
    common: dict[str, Any] = {"label": setting.label, "help_text": setting.help, "initial": initial}
    if setting.choices:
        return forms.ChoiceField(choices=setting.choices, required=True, **common)
    if setting.is_long:
        attrs = {"rows": 5, "spellcheck": "false", "class": "mono"}
        return forms.CharField(
            required=setting.required, max_length=20_000, widget=forms.Textarea(attrs=attrs), **common
        )
    widget = forms.TextInput(attrs={"inputmode": "numeric"} if setting.most is not None else {})
    return forms.CharField(required=setting.required, max_length=1000, widget=widget, **common)
