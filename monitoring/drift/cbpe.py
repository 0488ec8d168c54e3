"""Performance that calibrated scores promise, before any label is in."""

from __future__ import annotations

import numpy as np
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from monitoring.profiles import Numbers
from monitoring.profiles.columns import Column
from monitoring.statistic import CELLS, Measured, Statistic, statistics

CUT = 0.5


@statistics.register
class _EstimatedAuc(Statistic):
    """Fall of the expected ROC AUC: that of the reference minus that of the newer data, both without labels.

    Confidence-based performance estimation: a calibrated score s is positive with probability s, so a cell of n scores
    around s holds s*n expected positives and (1 - s)*n expected negatives, and the area under the curve of those is
    the expectation to first order. It sees a shift of the inputs, not a change of what they mean: where the scores are
    no longer calibrated it is wrong and does not know it. Garcia et al., NannyML (2022); scores lie in their cell's
    middle, which moves the result by less than a cell.
    """

    key = "estimated_auc_drop"
    label = _("Fall of the estimated ROC AUC")
    definition = _(
        "Expected ROC AUC of the reference − that of the newer data, without labels: a calibrated score s is positive "
        "with probability s. True as long as the scores stay calibrated; it cannot see that their meaning changed."
    )
    kinds = CELLS
    for_scores = True
    warn, act = 0.03, 0.05

    def distance(self, reference: Column, current: Column, by: str) -> Measured:
        assert isinstance(reference, Numbers)
        assert isinstance(current, Numbers)
        if any(
            column.least is None or column.least < 0 or (column.greatest or 0) > 1 for column in (reference, current)
        ):
            return Measured(None, note=_g("Scores lie between 0 and 1; these do not."))
        before, now = estimated_auc(reference), estimated_auc(current)
        if before is None or now is None:
            return Measured(None, note=_g("All scores are the same: there is nothing to rank by."))
        said = _g("Estimated ROC AUC %(now)s, in the reference %(before)s; accuracy at 0.5 %(right)s, was %(was)s.") % {
            "now": f"{now:.3f}",
            "before": f"{before:.3f}",
            "right": f"{estimated_accuracy(current):.3f}",
            "was": f"{estimated_accuracy(reference):.3f}",
        }
        return Measured(before - now, error=2 * reference.lattice.width, note=said)


def estimated_auc(scores: Numbers) -> float | None:
    """The expected ROC AUC of calibrated scores; None where no pair can be told apart."""
    middle, counts = _cells(scores)
    positive, negative = middle * counts, (1 - middle) * counts
    pairs = positive.sum() * negative.sum()
    if not pairs:
        return None
    beaten = np.cumsum(negative) - negative / 2
    return float((positive * beaten).sum() / pairs)


def estimated_accuracy(scores: Numbers) -> float:
    """The expected share of right answers when a score from 0.5 on means yes."""
    middle, counts = _cells(scores)
    right = np.where(middle >= CUT, middle, 1 - middle) * counts
    return float(right.sum() / counts.sum())


def _cells(scores: Numbers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The middles of the cells within 0 to 1, and how many scores each holds; what is outside counts at the ends."""
    lattice = scores.lattice
    middle = np.clip(lattice.lo + (np.arange(lattice.cells) + 0.5) * lattice.width, 0, 1)
    ends = np.clip([lattice.lo, lattice.hi], 0, 1)
    places = np.concatenate((ends[:1], middle, ends[1:]))
    return places, np.concatenate(([scores.under], scores.counts, [scores.over])).astype(np.float64)
