"""The use case as a form: what it is, why, which facts decide its gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from portfolio.forms.filters import unit_choices
from portfolio.models import BusinessUnit, UseCase
from portfolio.services.use_cases import EDITABLE

EU_ROLES = (
    ("", _("Not answered yet")),
    ("provider", _("Provider: we develop it or put our name on it")),
    ("deployer", _("Deployer: we use it under our own responsibility")),
    ("importer", _("Importer")),
    ("distributor", _("Distributor")),
    ("manufacturer", _("Product manufacturer")),
    ("representative", _("Authorised representative")),
    ("none", _("None: outside the EU AI Act")),
)
YES_NO = (("", _("Not answered yet")), ("true", _("Yes")), ("false", _("No")))


def _is_true(text: str) -> bool:
    return text == "true"


class YesNoField(forms.TypedChoiceField):
    """Yes, no, or not answered yet, which is never "no"."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=YES_NO, coerce=_is_true, empty_value=None, required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return {True: "true", False: "false", None: ""}.get(value, value)


class WordsField(forms.CharField):
    """Several short texts with commas between them."""

    def to_python(self, value: Any) -> Any:
        return [word.strip() for word in (value or "").split(",") if word.strip()]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """Each text is short enough by the length of the whole."""


class UnitField(forms.ChoiceField):
    """A unit by its code; gives the unit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units: dict[str, BusinessUnit] = {}

    def offer(self, units: Iterable[BusinessUnit]) -> None:
        found = list(units)
        self.units = {unit.code: unit for unit in found}
        self.choices = [*([("", _("Choose a unit"))] if len(found) != 1 else []), *unit_choices(found)]

    def prepare_value(self, value: Any) -> Any:
        return value.code if isinstance(value, BusinessUnit) else value

    def clean(self, value: Any) -> Any:
        return self.units.get(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != data)


class UseCaseForm(forms.Form):
    """Every field that people edit. ``seen`` is when the form was filled from the record, to notice other hands."""

    name = forms.CharField(label=_("Name"), max_length=300, help_text=_("What people call it in a meeting."))
    unit = UnitField(label=_("Business unit"))
    key = forms.SlugField(
        label=_("Key"),
        max_length=40,
        required=False,
        help_text=_("Used in addresses and by CI. Left empty, it gets the next number, such as UC-0042."),
    )
    summary = forms.CharField(
        label=_("Summary"), required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("Two sentences.")
    )

    problem_statement = forms.CharField(
        label=_("Problem"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What goes wrong today, how often, and what it costs."),
    )
    target_users = forms.CharField(label=_("Who will use it"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    non_ai_alternative = forms.CharField(
        label=_("Without AI"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What would be done otherwise, and why that is not enough."),
    )
    objective = forms.CharField(label=_("Objective"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    strategic_goal = forms.CharField(label=_("Strategic goal it serves"), required=False, max_length=300)
    decision_name = forms.CharField(
        label=_("Decision that will change"),
        required=False,
        max_length=300,
        help_text=_("The real decision that somebody takes differently because of it."),
    )

    third_party = YesNoField(
        label=_("Third party"), help_text=_("Bought, or built on a model or service of somebody else.")
    )
    personal_data = YesNoField(label=_("Personal data"), help_text=_("Processes data about identifiable people."))
    affects_people = YesNoField(
        label=_("Affects people"), help_text=_("Its output changes what happens to a person: access, money, rights.")
    )
    generative_or_agentic = YesNoField(
        label=_("Generative or agentic"), help_text=_("Writes text, images or code, or acts by itself.")
    )
    oversight_tier = forms.ChoiceField(
        label=_("Human oversight"),
        required=False,
        choices=UseCase._meta.get_field("oversight_tier").choices or (),
        help_text=_("Who has the last word on a single output."),
    )
    eu_role = forms.ChoiceField(label=_("Role under the EU AI Act"), required=False, choices=EU_ROLES)
    jurisdictions = WordsField(
        label=_("Jurisdictions"), required=False, help_text=_("Where it is used, with commas between: EU, UK, US-NY.")
    )
    regulations = WordsField(
        label=_("Regulations"), required=False, help_text=_("What it has to comply with: EU AI Act, GDPR, DORA.")
    )
    vendor = forms.CharField(label=_("Vendor"), required=False, max_length=200)
    primary_metric = forms.CharField(
        label=_("Metric that decides quality"),
        required=False,
        max_length=60,
        help_text=_("Key of the metric that validation and monitoring report, such as f1."),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    SECTIONS: ClassVar[Sequence[tuple[Any, Any, Sequence[str]]]] = (
        (_("What it is"), "", ("name", "unit", "key", "summary")),
        (
            _("Why"),
            _("The intake. The first gate asks for all of it; what is empty shows there as missing."),
            (
                "problem_statement",
                "target_users",
                "non_ai_alternative",
                "objective",
                "strategic_goal",
                "decision_name",
            ),
        ),
        (
            _("What decides which rules apply"),
            _("Not answered is never taken for no: the rules then apply until somebody answers."),
            (
                "third_party",
                "personal_data",
                "affects_people",
                "generative_or_agentic",
                "oversight_tier",
                "eu_role",
                "jurisdictions",
                "regulations",
            ),
        ),
        (_("How it is built and measured"), "", ("vendor", "primary_metric")),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        units: Iterable[BusinessUnit],
        use_case: UseCase | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial={**(_values(use_case) if use_case else {}), **(initial or {})})
        self.use_case = use_case
        self.unit_field.offer(units)
        if use_case is not None:
            del self.fields["key"]
            self._keep_unknown_role(use_case.eu_role)

    @property
    def unit_field(self) -> UnitField:
        field = self.fields["unit"]
        assert isinstance(field, UnitField)
        return field

    @property
    def sections(self) -> list[dict[str, Any]]:
        return [
            {
                "title": title,
                "lead": lead,
                "short": "third_party" in names or "vendor" in names,
                "fields": [self[name] for name in names if name in self.fields],
            }
            for title, lead, names in self.SECTIONS
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse to overwrite what somebody else has saved in the meantime, once; then the next press means it."""
        cleaned = super().clean() or self.cleaned_data
        if self.use_case is not None and cleaned.get("seen") != stamp(self.use_case):
            self.data = {**dict(self.data.items()), "seen": stamp(self.use_case)}
            self.add_error(
                None,
                _("Somebody else saved changes while you were editing. Look at them, then save again to keep yours."),
            )
        return cleaned

    def values(self) -> dict[str, Any]:
        """What the service takes: everything for a new use case, what was changed for an old one."""
        names = ["unit", *EDITABLE] if self.use_case is None else [n for n in self.changed_data if n != "seen"]
        values = {name: self.cleaned_data[name] for name in names}
        if self.cleaned_data.get("key"):
            values["key"] = self.cleaned_data["key"]
        return values

    def _keep_unknown_role(self, value: str) -> None:
        """A value that came by import and is not among the choices stays possible, or saving would lose it."""
        field = self.fields["eu_role"]
        assert isinstance(field, forms.ChoiceField)
        choices: list[Any] = list(EU_ROLES)
        if value not in dict(choices):
            field.choices = [*choices, (value, format_lazy(_("{value} (as imported)"), value=value))]


class ReasonForm(forms.Form):
    """Why something is done; ``required`` says whether it may be left out."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, required: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = required


def stamp(use_case: UseCase) -> str:
    return use_case.updated_at.isoformat()


def _values(use_case: UseCase) -> dict[str, Any]:
    return {"unit": use_case.unit, "seen": stamp(use_case), **{name: getattr(use_case, name) for name in EDITABLE}}
