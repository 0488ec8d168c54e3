"""The form of a decision: an outcome, and what that outcome asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.confirming import ConfirmForm
from gates.closing_plans import PARTS, Part
from gates.models import Review
from gates.models.conditions import MOST_CONDITIONS
from gates.services.choices import Choice, stages_before
from gates.services.conditions import LIMITS
from gates.services.decisions import ENDING, STOP_REASONS
from gates.services.outcomes import GOES
from governance.forms.entry import DateInput, words
from governance.forms.issues import colleagues
from kernel.errors import DomainError

CONDITION = ("text", "scope", "evidence_wanted", "owner", "due_on")


@dataclass(frozen=True, slots=True)
class Row:
    """The fields of one condition."""

    number: int
    fields: Sequence[forms.BoundField]
    open: bool
    """Whether it is unfolded: the first, what holds something, and what is wrong."""


class DecideForm(ConfirmForm):
    """``choices`` are all outcomes; those that the person has a right to can be sent, the service judges the rest."""

    outcome = forms.ChoiceField(label=_("Decision"), widget=forms.RadioSelect)
    reason = words(
        _("Reason"), help=_("Needed for everything but a go. It becomes part of the record."), rows=3, limit=4000
    )
    reason_code = forms.ChoiceField(
        label=_("Why it stops"),
        required=False,
        choices=[("", "–"), *((code, code.replace("_", " ").capitalize()) for code in STOP_REASONS)],
    )
    to_stage = forms.ChoiceField(label=_("Back to the stage"), required=False)
    typed_key = forms.CharField(required=False, max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    digest = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, review: Review, choices: Sequence[Choice], **kwargs: Any) -> None:
        self.review, self.choices = review, choices
        super().__init__(*args, **kwargs)
        self._choose("outcome", [(c.key, c.label) for c in choices if c.permitted])
        self._choose("to_stage", [("", "–"), *stages_before(review)])
        self.fields["typed_key"].label = _("Type %(key)s to confirm") % {"key": review.use_case.key}
        self.fields["typed_key"].help_text = _("A use case that has ended cannot be taken up again.")
        self.people = colleagues(review.use_case)
        for number in range(1, MOST_CONDITIONS + 1):
            self.fields.update({_name(number, key): field for key, field in self._condition_fields().items()})
        for outcome, parts in PARTS.items():
            self.fields.update({f"{outcome}_{part.key}": _part_field(part) for part in parts})

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("outcome") in ENDING and said.get("typed_key", "").strip().upper() != self.review.use_case.key:
            self.add_error("typed_key", _("This is not %(key)s.") % {"key": self.review.use_case.key})
        return said

    @property
    def offered(self) -> list[tuple[Choice, Any]]:
        """Outcomes that can be chosen now, each with its radio button."""
        radios = {radio.data["value"]: radio for radio in self["outcome"]}
        return [(c, radios[c.key]) for c in self.choices if not c.why_not]

    @property
    def not_offered(self) -> list[Choice]:
        return [c for c in self.choices if c.why_not]

    @property
    def rows(self) -> list[Row]:
        found = []
        for number in range(1, MOST_CONDITIONS + 1):
            fields = [_asked(self[_name(number, key)]) for key in CONDITION]
            found.append(Row(number, fields, number == 1 or any(f.errors or f.value() for f in fields)))
        return found

    @property
    def confirmation(self) -> list[forms.BoundField]:
        """What proves who decides, when that is asked for."""
        return [_asked(self[name]) for name in ("password", "code") if name in self.fields]

    def plan_fields(self, outcome: str) -> list[forms.BoundField]:
        return [_asked(self[f"{outcome}_{part.key}"]) for part in PARTS[outcome]]

    @property
    def stop_fields(self) -> list[forms.BoundField]:
        return [_asked(self["reason_code"]), *self.plan_fields("stop")]

    @property
    def pivot_fields(self) -> list[forms.BoundField]:
        return [_asked(self["to_stage"])]

    @property
    def ending_fields(self) -> list[forms.BoundField]:
        return [_asked(self["typed_key"])]

    @property
    def retire_fields(self) -> list[forms.BoundField]:
        return self.plan_fields("retire")

    def decision(self) -> dict[str, Any]:
        """What the service is asked for: of the sections, only the one of the chosen outcome.

        Conditions are sent with a plain go as well: to be refused there is better than to be lost.
        """
        said = self.cleaned_data
        outcome = said["outcome"]
        return {
            **{name: said[name] for name in ("outcome", "reason", "reason_code", "to_stage", "digest")},
            "conditions": [row for _number, row in self._filled()] if outcome in GOES else [],
            "plan": {part.key: said[f"{outcome}_{part.key}"] for part in PARTS.get(outcome, ())},
        }

    def explain(self, wrong: DomainError) -> None:
        """Put a refusal of the service at its field; what has none, at the top."""
        placed = False
        for name, lines in (wrong.errors or {}).items():
            field = self._field_of(name)
            placed |= field is not None
            for line in lines:
                self.add_error(field, line)
        if not placed:
            self.add_error(None, f"{wrong} {wrong.hint}".strip())

    def _filled(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Rows in which something was written, with their number on the form."""
        for number in range(1, MOST_CONDITIONS + 1):
            row = {key: self.cleaned_data.get(_name(number, key)) for key in CONDITION}
            if any(row.values()):
                yield number, row

    def _field_of(self, name: str) -> str | None:
        head, _dot, rest = name.partition(".")
        if head == "plan":
            name = f"{self.cleaned_data.get('outcome')}_{rest}"
        elif head == "conditions" and rest:
            index, _dot, key = rest.partition(".")
            name = _name([number for number, _row in self._filled()][int(index)], key)
        elif head == "conditions":
            name = _name(1, "text")
        return name if name in self.fields else None

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]  # a field of choices

    def _condition_fields(self) -> dict[str, forms.Field]:
        people: Any = forms.ModelChoiceField(
            label=_("Who sees to it"),
            queryset=self.people,
            required=False,
            empty_label=_("Choose a person"),
        )
        return {
            "text": words(_("What has to be done"), rows=2, limit=LIMITS["text"]),
            "scope": forms.CharField(
                label=_("What it concerns or limits"),
                help_text=_("Users, region, volume, data."),
                required=False,
                max_length=LIMITS["scope"],
            ),
            "owner": people,
            "due_on": forms.DateField(label=_("Until"), required=False, widget=DateInput()),
            "evidence_wanted": forms.CharField(
                label=_("What will show that it is done"),
                help_text=_("A result, a document, minutes."),
                required=False,
                max_length=LIMITS["evidence_wanted"],
            ),
        }


def _asked(field: forms.BoundField) -> forms.BoundField:
    """Shown as one to be filled in: it is left out only together with its whole part, which the service judges."""
    field.field.required = True
    return field


def _name(number: int, key: str) -> str:
    return f"condition_{number}_{key}"


def _part_field(part: Part) -> forms.Field:
    if part.is_day:
        return forms.DateField(label=part.label, help_text=part.help, required=False, widget=DateInput())
    field: forms.Field = words(part.label, help=part.help, rows=3)
    return field
