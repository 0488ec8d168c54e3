"""Dashboards as forms: what they are about, how they are called, who sees them, a definition from a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import for_user
from accounts.models import User
from accounts.roles import role_choices
from governance.models import ModelVersion
from monitoring.forms.filters import Filters
from monitoring.layouts import LONGEST_TITLE
from monitoring.models import Dashboard
from monitoring.spans import RANGE_LABELS
from monitoring.widget import PORTFOLIO, UNIT, USE_CASE, VERSION, VIEW, Scope
from portfolio.models import BusinessUnit, UseCase

LARGEST_FILE = 200_000
_ABOUT: dict[str, Q] = {
    PORTFOLIO: Q(use_case__isnull=True, unit__isnull=True),
    UNIT: Q(unit__isnull=False),
    USE_CASE: Q(use_case__isnull=False, version__isnull=True),
    VERSION: Q(version__isnull=False),
}


class DashboardFilter(Filters):
    q = forms.CharField(label=gettext_lazy("Name, use case or owner"), required=False)
    about = forms.ChoiceField(
        label=gettext_lazy("About"),
        required=False,
        choices=[
            ("", gettext_lazy("About anything")),
            (PORTFOLIO, gettext_lazy("The portfolio")),
            (UNIT, gettext_lazy("A unit")),
            (USE_CASE, gettext_lazy("A use case")),
            (VERSION, gettext_lazy("A version of a model")),
        ],
    )
    mine = forms.BooleanField(label=gettext_lazy("Mine"), required=False)

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "q": lambda value, _user: _by_words(value),
        "about": lambda value, _user: _ABOUT[value],
        "mine": lambda _value, user: Q(owner=user),
    }


class ScopeForm(forms.Form):
    """What a dashboard is about: empty is the whole portfolio."""

    use_case = forms.CharField(
        label=gettext_lazy("Use case"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Its key, such as UC-0001; left empty for a unit or the whole portfolio."),
    )
    version = forms.CharField(
        label=gettext_lazy("Model version"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("Label of a version of that use case's model; left empty, all of them."),
    )
    unit = forms.ModelChoiceField(
        label=gettext_lazy("Unit"),
        required=False,
        queryset=BusinessUnit.objects.none(),
        to_field_name="code",
        empty_label=gettext_lazy("The whole portfolio"),
    )

    def __init__(self, *args: Any, user: User, **more: Any) -> None:
        super().__init__(*args, **more)
        self.user = user
        units = for_user(BusinessUnit.objects.order_by("path"), user, VIEW)
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]  # a model choice field

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        self.scope = Scope(unit=found.get("unit"))
        if key := found.get("use_case"):
            seen = for_user(UseCase.objects.select_related("unit"), self.user, VIEW)
            use_case = seen.filter(key__iexact=key).first()
            if use_case is None:
                self.add_error("use_case", _("There is no use case with this key that you may see."))
                return found
            if found.get("unit"):
                self.add_error("unit", _("Choose a use case or a unit, not both."))
            self.scope = Scope(use_case=use_case, version=self._version(use_case, found.get("version", "")))
        elif found.get("version"):
            self.add_error("use_case", _("Say whose version that is."))
        return found

    def _version(self, use_case: UseCase, label: str) -> ModelVersion | None:
        if not label:
            return None
        found = list(ModelVersion.objects.filter(model__use_case=use_case, label=label).select_related("model")[:2])
        if len(found) != 1:
            said = _("There is no version of this label.") if not found else _("Several models have such a version.")
            self.add_error("version", said)
            return None
        return found[0]


class WordsForm(forms.Form):
    """How it is called and who sees it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    description = forms.CharField(label=gettext_lazy("What it is for"), required=False, max_length=500)
    range = forms.ChoiceField(label=gettext_lazy("Opens with"), choices=list(RANGE_LABELS.items()), initial="30d")
    sharing = forms.ChoiceField(
        label=gettext_lazy("Who sees it"),
        choices=Dashboard.Sharing.choices,
        initial=Dashboard.Sharing.PRIVATE,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Whoever sees it sees in it only what they may see anyway."),
    )
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"),
        required=False,
        choices=role_choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("With “People with certain roles”: whoever holds one of them."),
    )


class NewForm(ScopeForm, WordsForm):
    field_order = ("name", "use_case", "version", "unit", "description", "range", "sharing", "roles")


class CopyForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name of your copy"), max_length=120)


class ImportForm(ScopeForm):
    """A definition from a file or pasted."""

    file = forms.FileField(label=gettext_lazy("File"), required=False, help_text=gettext_lazy("JSON, as exported."))
    text = forms.CharField(
        label=gettext_lazy("Or its text"), required=False, widget=forms.Textarea(attrs={"rows": 8, "class": "mono"})
    )
    name = forms.CharField(
        label=gettext_lazy("Name"), required=False, max_length=120, help_text=gettext_lazy("Left empty, the file's.")
    )
    field_order = ("file", "text", "name", "use_case", "version", "unit")

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        given: UploadedFile[bytes] | None = found.get("file")
        where = "file" if given is not None else "text"
        self.definition: object = None
        if given is not None and (given.size or 0) > LARGEST_FILE:
            self.add_error("file", _("No dashboard is as large as this."))
            return found
        raw = given.read() if given is not None else found.get("text", "")
        if not raw:
            self.add_error("file", _("Choose a file, or paste its text."))
            return found
        try:
            self.definition = json.loads(raw)
        except UnicodeDecodeError:
            self.add_error(where, _("This is no text in UTF-8."))
        except json.JSONDecodeError as error:
            place = {"line": error.lineno, "column": error.colno, "why": error.msg}
            self.add_error(where, _("This is no JSON: line %(line)d, column %(column)d: %(why)s.") % place)
        except RecursionError:
            self.add_error(where, _("This JSON is nested too deeply."))
        return found


class TitleForm(forms.Form):
    """How one widget is called."""

    title = forms.CharField(
        label=gettext_lazy("Title"),
        required=False,
        max_length=LONGEST_TITLE,
        help_text=gettext_lazy("Left empty, what it shows."),
    )


def words_of(dashboard: Dashboard) -> Mapping[str, Any]:
    """What the form begins with."""
    return {
        "name": dashboard.name,
        "description": dashboard.description,
        "range": dashboard.range,
        "sharing": dashboard.sharing,
        "roles": list(dashboard.shares.values_list("role", flat=True)),
    }


def _by_words(text: str) -> Q:
    condition = Q()
    for word in text.split()[:8]:
        found = Q(name__icontains=word) | Q(description__icontains=word) | Q(owner__full_name__icontains=word)
        condition &= found | Q(use_case__key__icontains=word) | Q(use_case__name__icontains=word)
    return condition
