"""Named roles confirmed a statement; text, person and time are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.roles import catalogue, role_name
from gates.criterion import (
    Ask,
    CriterionType,
    Facts,
    Finding,
    Ref,
    aged,
    criterion_types,
    listed,
    met,
    missing,
    not_met,
    plain,
    with_unit,
)
from gates.fields import FIELD_NAMES, field_value
from gates.measures import MEASURE_NEEDS, MEASURES
from gates.params import require_some


@dataclass(frozen=True, slots=True)
class Params:
    """
    by: Roles that each confirm the statement.
    items: Points of the statement that have to be confirmed one by one.
    fields: Fields that have to be filled beside the confirmation.
    min_sample: Least number of cases that were looked at.
    """

    by: tuple[str, ...]
    items: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    min_sample: int = 0

    def __post_init__(self) -> None:
        require_some(by=self.by)
        for key in self.by:
            if key not in catalogue().roles:
                raise ValueError(f"unknown role {key!r} in 'by'")
        for name in self.fields:
            if name not in FIELD_NAMES:
                raise ValueError(f"unknown field {name!r} in 'fields'")


@criterion_types.register
class Attestation(CriterionType[Params]):
    key = "attestation"
    label = _("Attestation")
    passes_when = _("The named roles confirmed the statement; text, person and time are on record.")
    accepts = Params
    place = "evidence"
    needs = (*MEASURE_NEEDS, "people", "evidence")

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        newest = self._newest(ask, facts, at)
        required = f"confirmed by {listed(role_name(key) for key in ask.params.by)}"
        absent = [key for key in ask.params.by if key not in newest]
        if absent:
            reason = f"Not confirmed yet by {listed(role_name(key) for key in absent)}."
            return missing(
                ask, observed=f"{len(newest)} of {len(ask.params.by)} confirmed", required=required, reason=reason
            )
        refs = tuple(Ref("evidence", str(row["id"]), row["title"], row["sha256"]) for row in newest.values())
        wrong = self._shortfall(ask, facts, newest, at)
        if wrong:
            return not_met(ask, observed="confirmed", required=required, reason=wrong, evidence=refs)
        ends = [row["valid_until"] for row in newest.values() if row["valid_until"]]
        finding = met(
            ask,
            observed="confirmed",
            required=required,
            reason="Confirmed by all named roles.",
            evidence=refs,
            valid_until=min(ends) if ends else None,
        )
        oldest = min(row["added_at"] for row in newest.values())
        return aged(ask, finding, facts, oldest, at, what="The attestation")

    def remedy(self, ask: Ask[Params]) -> str:
        return f"{listed(role_name(key) for key in ask.params.by)}: read the statement and confirm it."

    def _newest(self, ask: Ask[Params], facts: Facts, at: datetime) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for row in facts["evidence"]:  # newest first
            if row["kind"] == "attestation" and row["criterion"] == ask.criterion and row["role"] in ask.params.by:
                found.setdefault(row["role"], row)
        return found

    def _shortfall(self, ask: Ask[Params], facts: Facts, newest: dict[str, Any], at: datetime) -> str:
        empty = [name for name in ask.params.fields if not field_value(name, facts)]
        if empty:
            return f"Confirmed, but not on record: {listed(name.split('.')[-1] for name in empty)}."
        confirmed = {item for row in newest.values() for item in row["items"]}
        open_items = [item for item in ask.params.items if item not in confirmed]
        if open_items:
            return f"Confirmed without: {listed(open_items)}."
        sample = max((row["sample_size"] or 0 for row in newest.values()), default=0)
        if sample < ask.params.min_sample:
            return f"Only {sample} looked at; at least {ask.params.min_sample} are needed."
        return self._outside(ask, facts, sample, at)

    def _outside(self, ask: Ask[Params], facts: Facts, sample: int, at: datetime) -> str:
        if ask.bound is None:
            return ""
        value = Decimal(sample)
        if ask.bound.measure in MEASURES:
            measured = MEASURES[ask.bound.measure](facts, at)
            if measured is None:
                return f"{ask.bound.measure.replace('_', ' ').capitalize()} is not on record."
            value = measured.value
        if ask.bound.holds(value):
            return ""
        name = ask.bound.measure.replace("_", " ")
        return f"{name.capitalize()} is {with_unit(plain(value), ask.bound.unit)}, which has to be {ask.bound.text()}."
