"""A rule as a form: the fields that its kind asks for, and those that every rule has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kernel.errors import Invalid
from monitoring.condition import Condition, conditions
from monitoring.forms.settings import setting_field
from monitoring.models import Rule, Series
from monitoring.rules import BETWEEN, GTE, LTE, MOST_AMONG
from monitoring.services.rules import LIMITS, WORDS, default_limits
from monitoring.wording import number

NUMBERS = ("warn", "act", "warn_high", "act_high", "clear", "clear_high")


class RuleForm(forms.Form):
    """Where warn and act begin. A new rule of fixed limits starts with those of the catalogue.

    Settings of the kind are called ``param-…``.
    """

    name = forms.CharField(label=_("Name"), max_length=200)
    op = forms.ChoiceField(label=_("The value"), widget=forms.RadioSelect)
    warn = forms.FloatField(label=_("Warn limit"), required=False)
    warn_high = forms.FloatField(label=_("Upper warn limit"), required=False, help_text=_("With “between” only."))
    act = forms.FloatField(
        label=_("Act limit"), required=False, help_text=_("Beyond it somebody has to decide what is done.")
    )
    act_high = forms.FloatField(label=_("Upper act limit"), required=False, help_text=_("With “between” only."))
    needed = forms.IntegerField(label=_("Values beyond the limit"), min_value=1, max_value=MOST_AMONG, initial=1)
    among = forms.IntegerField(
        label=_("Of the newest"),
        min_value=1,
        max_value=MOST_AMONG,
        initial=1,
        help_text=_("1 of 1 fires at once; 3 of 3 needs three in a row; 3 of 5 forgives two between them."),
    )
    clear = forms.FloatField(
        label=_("The alert ends at"),
        required=False,
        help_text=_(
            "A limit of its own, inside the warn limit, so that a value at the edge does not open and end it "
            "again and again. Left empty, it ends with the first value inside."
        ),
    )
    clear_high = forms.FloatField(
        label=_("Upper end of the alert"), required=False, help_text=_("With “between” only.")
    )
    min_n = forms.IntegerField(
        label=_("Least observations"),
        min_value=0,
        required=False,
        initial=0,
        help_text=_("A value from fewer, or from an unknown number, says nothing: it fires no rule and ends no alert."),
    )
    reaction = forms.CharField(
        label=_("What is to be done"),
        required=False,
        max_length=300,
        help_text=_("Who does what when it fires: criteria ask for it."),
    )
    runbook_url = forms.URLField(
        label=_("Runbook"),
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text=_("Address of the steps to take. Left empty, the runbook among the use case's documents."),
    )

    def __init__(
        self, data: Any = None, *, series: Series, rule: Rule | None = None, condition: str = "threshold"
    ) -> None:
        self.kind: type[Condition] = conditions.get(rule.condition if rule else condition)
        super().__init__(data, initial=_values(rule) if rule else _suggested(series, self.kind))
        self.rule = rule
        op: Any = self.fields["op"]
        op.choices = self.kind.ways
        params = rule.params if rule else {}
        for setting in self.kind.settings:
            self.fields[f"param-{setting.name}"] = setting_field(setting, params.get(setting.name, setting.default))
        if not self.kind.has_band:
            self.fields["warn"].help_text = self.kind.limit_help
            for name in ("warn_high", "act_high", "clear_high"):
                del self.fields[name]
        if not self.kind.counts_sample:
            del self.fields["min_n"]
        if len(self.kind.ways) == 1:
            op.widget, op.initial = forms.HiddenInput(), self.kind.ways[0][0]
        self.unit = self.kind(params).limit_unit(series.unit) if rule or not self.kind.settings else ""

    def values(self) -> dict[str, Any]:
        """What a new rule is defined with."""
        return {**self.changes(), "condition": self.kind.key}

    def changes(self) -> dict[str, Any]:
        """What an existing rule is changed to."""
        given = {name: self.cleaned_data[name] for name in (*LIMITS, *WORDS) if name in self.fields}
        if given.get("min_n", 0) is None:
            given["min_n"] = 0
        return {**given, "params": self.params()}

    def only_limits(self) -> dict[str, Any]:
        return {name: value for name, value in self.values().items() if name not in WORDS}

    def params(self) -> dict[str, str]:
        return {
            name.removeprefix("param-"): value for name, value in self.cleaned_data.items() if name.startswith("param-")
        }

    def put_errors(self, errors: Mapping[str, list[str]]) -> None:
        """What a service refused, at the fields it is about."""
        for name, messages in errors.items():
            places = [place for place in (name, f"param-{name}") if place in self.fields]
            for message in messages:
                self.add_error(places[0] if places else None, message)

    @property
    def asked_fields(self) -> list[Any]:
        settings = [field for field in self if field.name.startswith("param-")]
        return [*settings, *self._some("op", "warn", "warn_high", "act", "act_high")]

    @property
    def modifier_fields(self) -> list[Any]:
        return self._some("needed", "among", "clear", "clear_high", "min_n")

    @property
    def word_fields(self) -> list[Any]:
        return self._some("name", "reaction", "runbook_url")

    @property
    def has_modifiers(self) -> bool:
        """Whether the part that is folded away says something."""
        return any(field.errors or field.value() not in (None, "", 0, 1, "0", "1") for field in self.modifier_fields)

    def _some(self, *names: str) -> list[Any]:
        return [self[name] for name in names if name in self.fields]


def _values(rule: Rule) -> dict[str, Any]:
    values = {name: getattr(rule, name) for name in (*LIMITS, *WORDS)}
    return values | {name: number(values[name]) for name in NUMBERS if values[name] is not None}


def _suggested(series: Series, kind: type[Condition]) -> dict[str, Any]:
    values: dict[str, Any] = {"name": kind.label, "op": kind.ways[0][0]}
    worse = {"higher": GTE, "lower": LTE, "target": BETWEEN}.get(series.direction, BETWEEN)
    if worse in dict(kind.ways):
        values["op"] = worse
    try:
        limits = default_limits(series, kind.key)
    except Invalid:
        return values
    return values | {name: number(value) if name in NUMBERS else value for name, value in limits.items()}
