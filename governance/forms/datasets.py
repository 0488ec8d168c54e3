"""Datasets on their own pages, where no use case is given."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.forms.days import end_of
from governance.forms.entry import DateInput, words
from governance.forms.models import DatasetFields


class CertifyForm(forms.Form):
    """The steward stands for a dataset until a day."""

    until = forms.DateField(
        label=_("Until"), required=False, widget=DateInput(), help_text=_("Left empty, until it changes.")
    )

    @property
    def last_moment(self) -> datetime | None:
        return end_of(self.cleaned_data["until"])


class DatasetForm(forms.Form):
    NAMES: ClassVar[tuple[str, ...]] = ("name", "description", "sensitivity", "lineage")

    name = forms.CharField(label=_("Name"), max_length=200)
    description = words(_("What it holds"))
    sensitivity = forms.ChoiceField(
        label=_("Sensitivity"),
        required=False,
        choices=DatasetFields.base_fields["sensitivity"].choices,  # type: ignore[attr-defined]
    )
    lineage = words(_("Where it comes from"), help=_("Another sensitivity or lineage ends the certification."))
