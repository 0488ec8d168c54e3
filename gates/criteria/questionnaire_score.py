"""Weighted score of the latest complete answer set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

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
)
from governance.catalogue import questionnaires


@dataclass(frozen=True, slots=True)
class Params:
    """
    questionnaire: Key of the questionnaire.
    min_dimension: Least score of every dimension, in %.
    """

    questionnaire: str
    min_dimension: Decimal | None = None

    def __post_init__(self) -> None:
        if self.questionnaire not in questionnaires():
            raise ValueError(
                f"unknown questionnaire {self.questionnaire!r} (known: {', '.join(sorted(questionnaires()))})"
            )


@criterion_types.register
class QuestionnaireScore(CriterionType[Params]):
    key = "questionnaire_score"
    label = _("Questionnaire score")
    passes_when = _("The weighted score of the latest complete answers reaches the limit.")
    accepts = Params
    place = "readiness"
    needs = ("questionnaires", "changes")
    needs_bound = True

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        assert ask.bound is not None
        name = ask.params.questionnaire.replace("_", " ")
        row = facts["questionnaires"].get(ask.params.questionnaire)
        if row is None:
            return missing(ask, reason=f"The {name} questionnaire has not been answered.")
        observed = f"{plain(row['score'])} %"
        ref = (Ref("questionnaire", str(row["id"]), name),)
        if not row["complete"]:
            return missing(ask, observed=observed, reason=f"The {name} questionnaire is not complete.", evidence=ref)
        if not ask.bound.holds(row["score"]):
            reason = f"The score is {observed}, which has to be {ask.bound.text()}."
            return not_met(ask, observed=observed, reason=reason, evidence=ref)
        floor = ask.params.min_dimension
        weak = [k for k, v in row["dimensions"].items() if floor is not None and Decimal(str(v)) < floor]
        if weak:
            reason = f"Below {plain(floor)} % in {listed(weak)}."
            return not_met(ask, observed=observed, reason=reason, evidence=ref)
        finding = met(ask, observed=observed, reason="The score is reached.", evidence=ref)
        return aged(ask, finding, facts, row["answered_at"], at, what="The answer set")

    def remedy(self, ask: Ask[Params]) -> str:
        return f"Answer every question of the {ask.params.questionnaire.replace('_', ' ')} questionnaire."
