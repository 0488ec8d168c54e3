"""Share of the people who owe the courses and have a valid completion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from gates.criterion import (
    Ask,
    CriterionType,
    Facts,
    Finding,
    aged,
    criterion_types,
    listed,
    met,
    missing,
    not_met,
    plain,
)
from gates.measures import training_done
from gates.params import require_some


@dataclass(frozen=True, slots=True)
class Params:
    """
    courses: Courses; somebody has to owe each of them.
    """

    courses: tuple[str, ...]

    def __post_init__(self) -> None:
        require_some(courses=self.courses)


@criterion_types.register
class TrainingCompleted(CriterionType[Params]):
    key = "training_completed"
    label = _("Training completed")
    passes_when = _("Enough of the people who owe the courses have a valid completion.")
    accepts = Params
    place = "controls"
    needs = ("controls", "changes")
    needs_bound = True

    def judge(self, ask: Ask[Params], facts: Facts, at: datetime) -> Finding:
        assert ask.bound is not None
        measured = training_done(facts, ask.params.courses, at)
        if measured is None:
            reason = f"Nobody is assigned to every one of the courses {listed(ask.params.courses)}."
            return missing(ask, reason=reason)
        observed = f"{plain(measured.value)} % of {measured.sample_size} completions"
        if not ask.bound.holds(measured.value):
            reason = f"{plain(measured.value)} % are complete and valid, which has to be {ask.bound.text()}."
            return not_met(ask, observed=observed, reason=reason)
        finding = met(ask, observed=observed, reason="Enough people are trained.")
        return aged(ask, finding, facts, measured.at, at, what="The newest completion") if measured.at else finding

    def remedy(self, ask: Ask[Params]) -> str:
        return f"Assign {listed(ask.params.courses)} to the people concerned and have them complete it."
