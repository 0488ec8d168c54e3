"""Who settles an open criterion, and by when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class AssignForm(forms.Form):
    """``people`` are those who have to do with the use case: (id, name)."""

    criterion = forms.CharField(widget=forms.HiddenInput, max_length=40)
    person = forms.ChoiceField(label=_("Who settles it"), required=False)
    due_on = forms.DateField(label=_("Due"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(label=_("Note"), required=False, max_length=300)

    def __init__(self, *args: Any, people: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [("", _("whoever holds the role")), *people]  # type: ignore[attr-defined]
