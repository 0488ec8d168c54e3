"""The form that an inventory is handed in with, and the filter of its preview."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portfolio.importing.plan import Outcome
from portfolio.importing.profiles import all_profiles
from portfolio.importing.reading import MAX_BYTES

OUTCOMES = (
    ("", _("Whatever happens")),
    (Outcome.CREATE, _("New")),
    (Outcome.UPDATE, _("Updated")),
    (Outcome.UNCHANGED, _("Unchanged")),
    (Outcome.DUPLICATE, _("Exact duplicates")),
)


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or XLSX, at most %(size)s MB. The first row holds the column names.")
        % {"size": MAX_BYTES // 1024 // 1024},
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    profile = forms.ChoiceField(label=_("Profile"), help_text=_("It says which column becomes which field."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["profile"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(profile.name, profile.title) for profile in all_profiles()]

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than %(size)s MB.") % {"size": MAX_BYTES // 1024 // 1024})
        return upload


class PreviewFilter(forms.Form):
    q = forms.CharField(label=_("Search name, unit, problem"), required=False)
    outcome = forms.ChoiceField(label=_("What happens"), choices=OUTCOMES, required=False)
    problems = forms.ChoiceField(
        label=_("Problems"),
        choices=(("", _("With and without problems")), ("yes", _("With problems")), ("no", _("Without problems"))),
        required=False,
    )
