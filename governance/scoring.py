"""Scores of questionnaires: sum over the dimensions of weight * mean(answers) / 4, in percent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from governance.catalogue import ScoredQuestionnaire

CENT = Decimal("0.01")
MOST = 4


@dataclass(frozen=True, slots=True)
class Score:
    """``total`` and each dimension in percent with two decimals; ``complete`` when every question is answered."""

    total: Decimal
    dimensions: Mapping[str, Decimal]
    complete: bool
    answered: int


def score(questionnaire: ScoredQuestionnaire, answers: Mapping[str, Sequence[int | None]]) -> Score:
    """Unanswered questions count as 0, so a partial answer set never scores higher than it will when complete."""
    total, dimensions, answered = Decimal(0), {}, 0
    for dimension in questionnaire.dimensions:
        given = [value for value in answers.get(dimension.key, ()) if value is not None]
        share = Decimal(sum(given)) / (MOST * len(dimension.questions))
        dimensions[dimension.key] = (share * 100).quantize(CENT, ROUND_HALF_UP)
        total += dimension.weight * share
        answered += len(given)
    return Score(total.quantize(CENT, ROUND_HALF_UP), dimensions, answered == questionnaire.size, answered)
