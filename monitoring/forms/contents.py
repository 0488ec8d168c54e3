"""Texts and embeddings as forms: what is watched, what is compared, the filters of their list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from monitoring.forms.filters import Filters
from monitoring.forms.profiles import CurrentForm, WhereForm
from monitoring.models import ContentComparison, ContentSetup
from monitoring.services.contents import ACT, WARN, Content

SELECT = _("For SQL the SELECT whose rows are read; for a DuckDB file the name of a table.")
SOURCE = _("A PostgreSQL source of this use case; the database draws the rows.")


class ContentSetupForm(WhereForm):
    """A column of texts or embeddings, and where its reference rows lie."""

    kind = forms.ChoiceField(label=_("What is compared"), choices=ContentSetup.Kind.choices, widget=forms.RadioSelect)
    column = forms.CharField(
        label=_("Column"),
        max_length=100,
        help_text=_("Its name. For vectors in columns of their own a pattern, such as emb_*."),
    )
    warn = forms.FloatField(
        label=_("Watch from (AUC)"), min_value=0.5, max_value=1, initial=WARN, help_text=_("0.5: no difference.")
    )
    act = forms.FloatField(
        label=_("Drift from (AUC)"), min_value=0.5, max_value=1, initial=ACT, help_text=_("1: told apart always.")
    )

    field_order = ("kind", "column", "path", "source", "query", "version", "warn", "act")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["name"]
        self.fields["query"].help_text, self.fields["source"].help_text = SELECT, SOURCE
        self.fields["path"].label = _("Files with the reference rows")
        self.initial.setdefault("kind", ContentSetup.Kind.TEXT)

    def content(self) -> Content:
        told = self.cleaned_data
        return Content(told["kind"], told["column"], told["warn"], told["act"])


class ContentComparisonForm(CurrentForm):
    """Where newer rows lie; everything else is known from the setup."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["version"]
        self.fields["name"].help_text = _("Such as “Week 47”.")
        self.fields["query"].help_text, self.fields["source"].help_text = SELECT, SOURCE


class ContentFilterForm(Filters):
    q = forms.CharField(label=_("Search"), required=False)
    verdict = forms.ChoiceField(
        label=_("Verdict"), required=False, choices=[("", _("Any verdict")), *ContentComparison.Outcome.choices]
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("Any state")), *ContentComparison.JobState.choices]
    )

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "q": lambda value, _user: Q(name__icontains=value) | Q(path__icontains=value),
        "verdict": lambda value, _user: Q(verdict=value),
        "state": lambda value, _user: Q(state=value),
    }
