"""Where somebody settles a criterion: the very form where there is one they may use, else the tab it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from accounts.access import actions_on
from accounts.models import User
from gates.criterion import criterion_types
from gates.policy import Criterion
from governance.catalogue import validation_kinds
from governance.forms.entry import entries
from portfolio.models import UseCase

VERBS = {
    "attestation": _("Confirm"),
    "document": _("Write"),
    "validation_result": _("Log a result"),
    "questionnaire_score": _("Answer"),
    "kpi_improvement": _("Record a measurement"),
    "risk_assessment": _("Classify"),
    "metric_threshold": _("Add a measurement"),
    "monitor_active": _("Connect"),
    "field_present": _("Fill in"),
    "declaration": _("Declare"),
}


MayUse = Callable[[str], bool]
"""Whether the reader may use the form with that key."""


def nobody(_entry: str) -> bool:
    return False


def forms_open_to(user: User, use_case: UseCase) -> MayUse:
    """Which forms about ``use_case`` somebody may use; asks for the rights once."""

    def may_use(entry: str) -> bool:
        return entry in entries and entries.get(entry).permitted(user, use_case, actions_on(user, use_case))

    return may_use


def way_to_settle(criterion: Criterion, use_case_key: str, may_use: MayUse) -> tuple[str, str]:
    """Address and words of the button. It leads back to the gate."""
    back = reverse_or_empty("portfolio:use_case_panel", key=use_case_key, panel="gate")
    query = {"criterion": criterion.id, "next": back}
    for entry, first_values in _forms_for(criterion):
        if may_use(entry):
            url = reverse("governance:enter", args=[use_case_key, entry])
            verb = VERBS["validation_result" if entry == "validation" else criterion.type]
            return f"{url}?{urlencode({**query, **first_values})}", str(verb)
    place = criterion_types.get(criterion.type).place
    label = str(VERBS.get(criterion.type, _("Settle")))
    if place == "overview":
        return f"{reverse_or_empty('portfolio:edit', key=use_case_key)}?{urlencode(query)}", label
    url = reverse_or_empty("portfolio:use_case_panel", key=use_case_key, panel=place)
    return f"{url}?{urlencode(query)}", label


def reverse_or_empty(name: str, **kwargs: Any) -> str:
    try:
        return reverse(name, kwargs=kwargs)
    except NoReverseMatch:
        return ""


def _forms_for(criterion: Criterion) -> Iterator[tuple[str, dict[str, str]]]:
    """Entries of governance that settle it, with what they are opened with; the most fitting first."""
    params = criterion.params
    match criterion.type:
        case "validation_result":
            yield "validation", {"kind": params.kinds[0]}
        case "attestation":
            yield "attestation", {}
        case "document":
            yield from ((f"document-{key.replace('_', '-')}", {}) for key in params.doc_types)
        case "questionnaire_score":
            yield f"questionnaire-{params.questionnaire.replace('_', '-')}", {}
        case "declaration":
            yield "declaration", {"practice": params.practices[0]}
        case "metric_threshold":
            yield from _results_with(params.metric)
        case "custom_expression" if criterion.threshold is not None:
            yield from _results_with(criterion.threshold.measure)


def _results_with(metric: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The kinds of validation that measure ``metric``."""
    yield from (("validation", {"kind": kind.key}) for kind in validation_kinds().values() if metric in kind.metrics)
