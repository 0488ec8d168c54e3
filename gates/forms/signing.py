"""The form of a signature."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.roles import role_name

VERDICTS = (
    ("approve", _("Approve")),
    ("approve_with_conditions", _("Approve with conditions")),
    ("reject", _("Reject")),
)


class SignForm(forms.Form):
    """``roles`` are those the person may sign in on this review."""

    role = forms.ChoiceField(label=_("Sign as"))
    verdict = forms.ChoiceField(label=_("Verdict"), choices=VERDICTS, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed for a refusal and for conditions; it becomes part of the record."),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    digest = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, roles: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(key, role_name(key)) for key in roles]  # type: ignore[attr-defined]
        if len(roles) == 1:
            self.fields["role"].initial = roles[0]
