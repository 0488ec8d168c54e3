"""The current document of a type has the required status, sections and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _

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
from gates.measures import HUNDRED, MEASURE_NEEDS, MEASURES, days_between, percent
from gates.params import require_some
from governance.catalogue import document_types

RANK = {"draft": 0, "reviewed": 1, "approved": 2}
POINT_FIELDS = ("requirement", "constraint", "failure_mode", "feasible")
COMPLETENESS = frozenset({"sections_complete", "elements_complete", "doc_completeness"})


@dataclass(frozen=True, slots=True)
class Params:
    """
    doc_types: Types of document; each has to be there.
    min_status: Status it has at least.
    sections: Sections that have to be filled.
    fields: What every registered integration point has to state.
    tested: Somebody new has tried it.
    """

    doc_types: tuple[str, ...]
    min_status: Literal["draft", "reviewed", "approved"] = "draft"
    sections: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    tested: bool = False

    def __post_init__(self) -> None:
        require_some(doc_types=self.doc_types)
        for name in self.fields:
            if name not in POINT_FIELDS:
                raise ValueError(f"unknown field {name!r} in 'fields' (known: {', '.join(POINT_FIELDS)})")
        for name in self.doc_types:
            if name not in document_types():
                raise ValueError(f"unknown document type {name!r} (known: {', '.join(sorted(document_types()))})")


@criterion_types.register
class Document(CriterionType[Params]):
    key = "document"
    label = _("Document")
    passes_when = _("The current document of the type has the required status, sections and figures.")
    accepts = Params
    place = "documents"
    needs = (*MEASURE_NEEDS, "documents")

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        required = self._required(ask)
        absent = [name for name in ask.params.doc_types if name not in facts["documents"]]
        if absent:
            return missing(ask, required=required, reason=f"No {listed(absent)} on record yet.")
        docs = [facts["documents"][name] for name in ask.params.doc_types]
        refs = tuple(Ref("document", str(d["id"]), f"{d['title']} r{d['revision']}", d["sha256"] or "") for d in docs)
        observed = ", ".join(sorted({d["status"] for d in docs}))
        wrong = self._shortfall(ask, docs) or _unstated(ask.params.fields, facts)
        if not wrong and ask.bound is not None:
            value = self._measure(ask.bound.measure, ask, docs, facts, at)
            if value is None:
                reason = f"The document does not state its {ask.bound.measure.replace('_', ' ')}."
                return missing(ask, observed=observed, required=required, reason=reason, evidence=refs)
            observed = f"{observed}; {with_unit(plain(value), ask.bound.unit)}"
            if not ask.bound.holds(value):
                wrong = f"{ask.bound.measure.replace('_', ' ').capitalize()} has to be {ask.bound.text()}."
        if wrong:
            return not_met(ask, observed=observed, required=required, reason=wrong, evidence=refs)
        finding = met(ask, observed=observed, required=required, reason="The document is complete.", evidence=refs)
        oldest = min(d["written_at"] for d in docs)
        return aged(ask, finding, facts, oldest, at, what="The document")

    def remedy(self, ask: Ask[Params]) -> str:
        status = {"draft": "Write", "reviewed": "Write and have reviewed:", "approved": "Write and have approved:"}
        sections = f" with the sections {listed(ask.params.sections)}" if ask.params.sections else ""
        return f"{status[ask.params.min_status]} the {listed(ask.params.doc_types)}{sections}."

    def _required(self, ask: Ask[Params]) -> str:
        parts = [f"{listed(ask.params.doc_types)}, {ask.params.min_status}"]
        if ask.params.sections:
            parts.append(f"{len(ask.params.sections)} sections")
        if ask.params.tested:
            parts.append("tried")
        if ask.bound:
            parts.append(f"{ask.bound.measure.replace('_', ' ')} {ask.bound.text()}")
        return ", ".join(parts)

    def _shortfall(self, ask: Ask[Params], docs: list[dict[str, Any]]) -> str:
        for doc in docs:
            if RANK[doc["status"]] < RANK[ask.params.min_status]:
                return f"{doc['title']} is {doc['status']}; it has to be {ask.params.min_status}."
            empty = [s for s in ask.params.sections if s not in doc["filled"]]
            if empty and (ask.bound is None or ask.bound.measure not in COMPLETENESS):
                return f"{doc['title']} lacks {listed(empty)}."
            if ask.params.tested and doc["tested_at"] is None:
                return f"{doc['title']} has not been tried by someone new."
        return ""

    def _measure(
        self, name: str, ask: Ask[Params], docs: list[dict[str, Any]], facts: Facts, at: datetime
    ) -> Decimal | None:
        if name in COMPLETENESS:
            wanted = [(d, s) for d in docs for s in (ask.params.sections or _sections(d["doc_type"]))]
            filled = sum(1 for d, s in wanted if s in d["filled"])
            return percent(filled, len(wanted)) if wanted else HUNDRED
        if name == "runbook_age":
            return days_between(max(docs[0]["tested_at"] or docs[0]["written_at"], docs[0]["written_at"]), at)
        for doc in docs:
            if name in doc["measures"]:
                return Decimal(str(doc["measures"][name]))
        measured = MEASURES[name](facts, at) if name in MEASURES else None
        return measured.value if measured else None


def _unstated(fields: tuple[str, ...], facts: Facts) -> str:
    """What integration points do not state although the policy asks for it."""
    if not fields:
        return ""
    points = facts["controls"]["integrations"]
    if not points:
        return "No integration point is registered."
    for point in points:
        empty = [name for name in fields if point[name] is None or not str(point[name]).strip()]
        if empty:
            return f"{point['name']} does not state its {listed(empty)}."
    return ""


def _sections(doc_type: str) -> tuple[str, ...]:
    return tuple(section.key for section in document_types()[doc_type].sections if section.required)
