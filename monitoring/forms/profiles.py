"""Profiles, the terms of a reference, and the filters of their lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from governance.models import ModelVersion
from monitoring.comparing import EFFECTS, Role
from monitoring.forms.filters import Filters
from monitoring.models import DataProfile, DriftReport, DriftResult, Source
from monitoring.profiling import DUCKDB
from monitoring.services.places import Where, Window
from monitoring.services.profiles import Wanted
from monitoring.statistic import EVIDENTLY, FROUROS, NANNYML, statistics
from portfolio.models import UseCase

BY = [("", _("Tollgate")), (EVIDENTLY, "Evidently"), (NANNYML, "NannyML"), (FROUROS, "frouros")]
SCORES = _("One a line: probabilities that are right on average. ROC AUC is estimated from them before labels are in.")
MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class WhereForm(forms.Form):
    """Where the rows are that a worker shall count."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("Such as “Training data 2026” or “Week 47”."))
    path = forms.CharField(
        label=_("Files"),
        max_length=500,
        required=False,
        help_text=_("Parquet, CSV or DuckDB below the folders that an operator named: exports/week-47.parquet."),
    )
    source = forms.ModelChoiceField(
        label=_("Or an SQL source"),
        queryset=Source.objects.none(),
        required=False,
        empty_label=_("None: files"),
        help_text=_("A PostgreSQL source of this use case; the database does the counting."),
    )
    query = forms.CharField(
        label=_("Query or table"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For SQL the SELECT whose rows are counted; for a DuckDB file the name of a table."),
    )
    version = forms.ModelChoiceField(
        label=_("Model version"), required=False, queryset=ModelVersion.objects.none(), empty_label=_("All versions")
    )

    def __init__(self, data: Any = None, *, use_case: UseCase, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        source: Any = self.fields["source"]
        source.queryset = Source.objects.filter(use_case=use_case, connector="sql").order_by("name")
        version: Any = self.fields["version"]
        version.queryset = ModelVersion.objects.filter(model__use_case=use_case).order_by("-number")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if bool(given.get("path")) == bool(given.get("source")) and not self.errors:
            self.add_error("path", ValidationError(_g("Give either files or an SQL source.")))
        return given

    def where(self) -> Where:
        told = self.cleaned_data
        is_table = told["path"].lower().endswith(DUCKDB)
        return Where(told["path"], told["source"], told["query"] if told["source"] or is_table else "")


class ReferenceForm(WhereForm):
    """The data that says what is normal."""

    ignored = forms.CharField(
        label=_("Columns to leave out"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line: identifiers, names of people, free text."),
    )
    predictions = forms.CharField(
        label=_("Columns with predictions"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line: the model's outputs. Their drift is reported as prediction drift."),
    )
    scores = forms.CharField(
        label=_("Columns with calibrated scores"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=SCORES,
    )

    def wanted(self) -> Wanted:
        roles = dict.fromkeys(_lines(self.cleaned_data["predictions"]), Role.PREDICTION.value)
        roles |= dict.fromkeys(_lines(self.cleaned_data["scores"]), Role.SCORE.value)
        return Wanted(_lines(self.cleaned_data["ignored"]), {"roles": roles} if roles else {})


class CurrentForm(WhereForm):
    """Newer data, compared with the reference in force."""

    window_start = forms.DateTimeField(label=_("From (UTC)"), required=False, widget=MOMENT)
    window_end = forms.DateTimeField(
        label=_("To (UTC)"),
        required=False,
        widget=MOMENT,
        help_text=_("The report is of this time; left empty, of now."),
    )

    def window(self) -> Window:
        return Window(self.cleaned_data["window_start"], self.cleaned_data["window_end"])


class TermsForm(forms.Form):
    """What a comparison holds against."""

    effect = forms.ChoiceField(
        label=_("Statistic that decides"),
        help_text=_("Where it does not apply to a feature, the Jensen–Shannon distance decides."),
    )
    limit = forms.FloatField(label=_("A feature drifts from"), min_value=0, max_value=100)
    alpha = forms.FloatField(
        label=_("Level of significance"),
        min_value=0,
        max_value=1,
        help_text=_("For all features together: each is held against its share of it (Bonferroni)."),
    )
    missing_points = forms.FloatField(label=_("Shift of missing values, in points"), min_value=0, max_value=100)
    new_share = forms.FloatField(label=_("Rows with new categories, in %"), min_value=0, max_value=100)
    least_rows = forms.IntegerField(label=_("Least number of values"), min_value=1, max_value=1_000_000)
    warn_share = forms.FloatField(label=_("Watch from, in % of features"), min_value=0, max_value=100)
    act_share = forms.FloatField(label=_("Drift from, in % of features"), min_value=0, max_value=100)
    by = forms.ChoiceField(
        label=_("Definitions of"),
        required=False,
        choices=BY,
        help_text=_("To reproduce a report of another tool; where it has no definition of its own, ours holds."),
    )
    predictions = forms.CharField(
        label=_("Columns with predictions"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    scores = forms.CharField(
        label=_("Columns with calibrated scores"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=SCORES,
    )
    left_out = forms.CharField(
        label=_("Columns that are not compared"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    watched = forms.CharField(
        label=_("Features with a series of their own"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line. Their population stability index becomes a metric that rules can watch."),
    )

    NUMBERS: ClassVar[tuple[str, ...]] = (
        "limit",
        "alpha",
        "missing_points",
        "new_share",
        "least_rows",
        "warn_share",
        "act_share",
    )

    def __init__(self, data: Any = None, *, reference: DataProfile) -> None:
        terms = reference.agreed()
        initial: dict[str, Any] = {name: getattr(terms, name) for name in (*self.NUMBERS, "effect", "by")}
        initial["predictions"] = _with_role(terms.roles, Role.PREDICTION)
        initial["scores"] = _with_role(terms.roles, Role.SCORE)
        initial["left_out"] = _with_role(terms.roles, Role.IGNORED)
        initial["watched"] = "\n".join(terms.watched)
        super().__init__(data, initial=initial)
        effect: Any = self.fields["effect"]
        effect.choices = [(key, statistics.get(key).label) for key in EFFECTS]

    def changes(self) -> dict[str, Any]:
        told = self.cleaned_data
        roles = dict.fromkeys(_lines(told["predictions"]), Role.PREDICTION.value)
        roles |= dict.fromkeys(_lines(told["scores"]), Role.SCORE.value)
        roles |= dict.fromkeys(_lines(told["left_out"]), Role.IGNORED.value)
        changes = {name: told[name] for name in (*self.NUMBERS, "effect", "by")}
        return changes | {"roles": roles, "watched": _lines(told["watched"])}


class ReportFilterForm(Filters):
    verdict = forms.ChoiceField(
        label=_("Verdict"), required=False, choices=[("", _("Any verdict")), *DriftReport.Outcome.choices]
    )

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {"verdict": lambda value, _user: Q(verdict=value)}


class ProfileFilterForm(Filters):
    q = forms.CharField(label=_("Search"), required=False)
    purpose = forms.ChoiceField(
        label=_("Purpose"), required=False, choices=[("", _("Any purpose")), *DataProfile.Purpose.choices]
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("Any state")), *DataProfile.ProfileState.choices]
    )

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "q": lambda value, _user: Q(name__icontains=value) | Q(path__icontains=value),
        "purpose": lambda value, _user: Q(purpose=value),
        "state": lambda value, _user: Q(state=value),
    }


class FeatureFilterForm(Filters):
    q = forms.CharField(label=_("Search"), required=False)
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("Any state")), *DriftResult.Outcome.choices]
    )
    role = forms.ChoiceField(
        label=_("Role"),
        required=False,
        choices=[
            ("", _("Any role")),
            ("feature", _("Inputs")),
            ("prediction", _("Predictions")),
            ("score", _("Scores")),
        ],
    )
    drifted = forms.BooleanField(label=_("Drifted only"), required=False)

    conditions: ClassVar[dict[str, Callable[[Any, User], Q]]] = {
        "q": lambda value, _user: Q(name__icontains=value),
        "state": lambda value, _user: Q(state=value),
        "role": lambda value, _user: Q(role=value),
        "drifted": lambda _value, _user: Q(is_drifted=True),
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _with_role(roles: Any, role: Role) -> str:
    return "\n".join(sorted(name for name, held in roles.items() if held == role))
