"""Forms around a review: submit, withdraw, comment, and the filter of the list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class SubmitForm(forms.Form):
    message = forms.CharField(
        label=_("Message to the signers"),
        help_text=_("What changed, what to look at first. Everybody who signs reads it."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class EndForm(forms.Form):
    message = forms.CharField(
        label=_("Why should it stop, change or retire?"),
        help_text=_("Whoever decides reads it first: what was tried, what it showed, what you propose."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class WithdrawForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


class CommentForm(forms.Form):
    """``criteria`` are the identifiers and titles of the gate's criteria."""

    text = forms.CharField(label=_("Comment"), max_length=5000, widget=forms.Textarea(attrs={"rows": 3}))
    criterion = forms.ChoiceField(label=_("About"), required=False)

    def __init__(self, *args: Any, criteria: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["criterion"].choices = [("", _("the whole review")), *criteria]  # type: ignore[attr-defined]


class ReviewFilter(forms.Form):
    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Any state")),
            ("open", _("Open")),
            ("late", _("Late")),
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
    unit = forms.CharField(label=_("Unit"), required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, gates: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["gate"].choices = [("", _("Any gate")), *gates]  # type: ignore[attr-defined]
