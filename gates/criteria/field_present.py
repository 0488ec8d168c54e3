"""Listed fields are filled with more than placeholder text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from gates.criterion import (
    Ask,
    CriterionType,
    Facts,
    Finding,
    criterion_types,
    listed,
    met,
    missing,
    not_met,
    plain,
    with_unit,
)
from gates.fields import FIELD_NAMES, FieldValue, field_value
from gates.measures import MEASURE_NEEDS, MEASURES
from gates.params import require_some

PLACEHOLDERS = frozenset(
    {"n/a", "na", "none", "tbd", "tba", "todo", "to do", "unknown", "-", "–", "?", ".", "x", "xx", "xxx"}
)


@dataclass(frozen=True, slots=True)
class Params:
    """
    fields: Fields that have to be filled; see below.
    """

    fields: tuple[str, ...]

    def __post_init__(self) -> None:
        require_some(fields=self.fields)
        for name in self.fields:
            if name not in FIELD_NAMES:
                raise ValueError(f"unknown field {name!r} (known: {', '.join(sorted(FIELD_NAMES))})")


@criterion_types.register
class FieldPresent(CriterionType[Params]):
    key = "field_present"
    label = _("Fields filled")
    passes_when = _("The listed fields are filled and hold more than placeholder text.")
    accepts = Params
    place = "overview"
    needs = (*MEASURE_NEEDS, "people")

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        values = {name: field_value(name, facts) for name in ask.params.fields}
        absent = [name for name, value in values.items() if not _filled(value)]
        required = listed(name.split(".")[-1] for name in ask.params.fields)
        if ask.bound:
            required = f"{required}; {ask.bound.measure.replace('_', ' ')} {ask.bound.text()}"
        if absent:
            reason = f"Not filled yet: {listed(name.split('.')[-1] for name in absent)}."
            done = f"{len(values) - len(absent)} of {len(values)} filled"
            return missing(ask, observed=done, required=required, reason=reason)
        filled = f"all {len(values)} filled"
        if ask.bound is None:
            return met(ask, observed=filled, required=required, reason="All fields are filled.")
        measured = MEASURES[ask.bound.measure](facts, at) if ask.bound.measure in MEASURES else None
        if measured is None:
            reason = f"{ask.bound.measure.replace('_', ' ').capitalize()} is not on record."
            return missing(ask, observed=filled, required=required, reason=reason)
        shown = f"{filled}; {with_unit(plain(measured.value), ask.bound.unit)}"
        if ask.bound.holds(measured.value):
            return met(ask, observed=shown, required=required, reason="All fields are filled and within the limit.")
        name = ask.bound.measure.replace("_", " ").capitalize()
        value = with_unit(plain(measured.value), ask.bound.unit)
        reason = f"{name} is {value}, which has to be {ask.bound.text()}."
        return not_met(ask, observed=shown, required=required, reason=reason)

    def remedy(self, ask: Ask[Params]) -> str:
        return f"Fill in {listed(name.split('.')[-1] for name in ask.params.fields)} on the use case."


def _filled(value: FieldValue) -> bool:
    if value is None:
        return False
    if isinstance(value, str):
        text = value.strip()
        return bool(text) and text.casefold() not in PLACEHOLDERS
    if isinstance(value, (list, tuple, dict)):
        return bool(value)
    return True
