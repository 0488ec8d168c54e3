"""Forms of the gates. They shape input; services decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.roles import role_name
from gates.services.decisions import STOP_REASONS

VERDICTS = (
    ("approve", _("Approve")),
    ("approve_with_conditions", _("Approve with conditions")),
    ("reject", _("Reject")),
)
OUTCOMES = (
    ("go", _("Go: pass this gate")),
    ("return", _("Return: the evidence is not enough")),
    ("pivot", _("Pivot: back to an earlier stage")),
    ("stop", _("Stop this use case")),
)


class SubmitForm(forms.Form):
    message = forms.CharField(
        label=_("Message to the signers"),
        help_text=_("What changed, what to look at first. Everybody who signs reads it."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class WithdrawForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


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


class DecideForm(forms.Form):
    outcome = forms.ChoiceField(label=_("Decision"), choices=OUTCOMES, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed for everything but a go."),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    reason_code = forms.ChoiceField(
        label=_("Why it stops"),
        required=False,
        choices=[("", "–"), *((code, code.replace("_", " ").capitalize()) for code in STOP_REASONS)],
    )
    to_stage = forms.ChoiceField(
        label=_("Return to stage"),
        required=False,
        choices=[("", "–"), ("idea", _("Idea")), ("poc", _("PoC")), ("pilot", _("Pilot"))],
    )
    digest = forms.CharField(widget=forms.HiddenInput)


class ReviewFilter(forms.Form):
    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Any state")),
            ("open", _("Open")),
            ("decided", _("Decided")),
            ("returned", _("Returned")),
            ("withdrawn", _("Withdrawn")),
        ],
    )
    gate = forms.ChoiceField(label=_("Gate"), required=False)
    tier = forms.ChoiceField(
        label=_("Tier"),
        required=False,
        choices=[("", _("Any tier")), ("minimal", _("Minimal")), ("limited", _("Limited")), ("high", _("High"))],
    )

    def __init__(self, *args: Any, gates: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["gate"].choices = [("", _("Any gate")), *gates]  # type: ignore[attr-defined]
