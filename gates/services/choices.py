"""Which outcomes of a review one person may choose now, and in words why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.access import actions_on
from accounts.models import User
from accounts.roles import role, roles_allowing
from gates.in_force import body_of
from gates.models import Review
from gates.services.decisions import OUTCOMES, PIVOTS, RETIRED_FROM, Readiness, right_for
from gates.services.outcomes import CONDITIONAL, GO, GOES, PIVOT, RETIRE, RETURN, STOP
from portfolio.lifecycle import position
from portfolio.models import Stage


@dataclass(frozen=True, slots=True)
class Choice:
    """One outcome as a page offers it."""

    key: str
    label: Any
    help: Any
    permitted: bool
    """Whether the person has the right to it at all."""
    why_not: str = ""
    """Why it cannot be chosen now; empty when it can."""


def choices_for(review: Review, user: User, ready: Readiness) -> list[Choice]:
    """All six, in the order in which they are offered. No query beyond the person's rights."""
    may = actions_on(user, review.use_case)
    words = _words(review)
    found = []
    for key in OUTCOMES:
        permitted = right_for(key) in may
        why_not = _state_against(key, review, ready) if permitted else _for_whom(key)
        found.append(Choice(key, *words[key], permitted, why_not))
    return found


def stages_before(review: Review) -> list[tuple[str, Any]]:
    """Where a pivot can lead."""
    here = position(review.use_case.stage)
    return [(key, Stage(key).label) for key in PIVOTS if position(key) < here]


def _words(review: Review) -> dict[str, tuple[str, str]]:
    stage = Stage(body_of(review.policy_version).gates[review.gate].to_stage).label
    return {
        GO: (_("Go"), _("Passes the gate: the use case is in %(stage)s from then on.") % {"stage": stage}),
        CONDITIONAL: (_("Go with conditions"), _("Passes the gate, and leaves one to five things owed until a day.")),
        RETURN: (_("Return"), _("The evidence is not enough. The sign-offs lapse; it can be submitted again.")),
        PIVOT: (_("Pivot"), _("Scope or approach changes: back to an earlier stage, and the tier is computed anew.")),
        STOP: (_("Stop"), _("The use case ends here. What was learned stays on record.")),
        RETIRE: (_("Retire"), _("What has been running is switched off in order, and its users are told.")),
    }


def _for_whom(outcome: str) -> str:
    names = ", ".join(role(key).name for key in roles_allowing(right_for(outcome)))
    return _("This is for: %(roles)s.") % {"roles": names}


def _state_against(outcome: str, review: Review, ready: Readiness) -> str:
    if outcome in GOES and not ready.open:
        return _("Something stands against a go; it is listed above.")
    if outcome == GO and ready.conditions_because:
        return _("It passes on conditions only.")
    if outcome == PIVOT and not stages_before(review):
        return _("There is no earlier stage to go back to.")
    if outcome == RETIRE and review.use_case.stage not in RETIRED_FROM:
        return _("Only what has run in production is retired. Stop it instead.")
    return ""
