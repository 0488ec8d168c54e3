"""Two decisions of the past that were a go with conditions: what was owed, and how it stands today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gates.decision_record import Term, Verdict
from gates.demonstration.story import Story
from gates.models import Condition, Decision
from ledger import UnitOfWork, state

GATE = "pilot_to_production"


@dataclass(frozen=True, slots=True)
class Owed:
    """One condition of the story. ``due_in`` is in days from today: before today it is overdue, unless closed."""

    text: str
    scope: str
    owner: str
    due_in: int
    evidence: str
    report: str = ""
    closing_note: str = ""


OWED = {
    "Complaint detection in chat": (
        Owed(
            "Show complaints that were missed in a weekly sample of 100 chats to the complaints team.",
            "Chats in German and English; other languages stay with people.",
            "business_owner",
            -6,
            "Minutes of four weekly samples",
            "Four samples of 100 chats were read with the complaints team: 3 of 41 complaints were missed.",
            "Minutes read; the rate is inside what was promised.",
        ),
        Owed(
            "Measure the error rate for customers who write in a second language, and report it by language.",
            "Customers who do not write in their first language",
            "technical_lead",
            25,
            "A validation run with results by language",
        ),
    ),
    "Reserve forecasting": (
        Owed(
            "Run the forecast beside the actuaries' own for two closing dates before it feeds the ledger.",
            "Motor and household; no automatic booking until then",
            "technical_lead",
            -9,
            "Both forecasts with the deviation for each line of business",
        ),
    ),
}
"""Name of a use case -> what it owes since it went into production."""
ASKED_BY = "risk_compliance"
ASKED = "It can go live if this is settled in its first weeks; the pilot was too short to show it."


def owed_by(story: Story, gate: str) -> tuple[Owed, ...]:
    return OWED.get(story.name, ()) if gate == GATE else ()


def verdict_of(story: Story, gate: str) -> Verdict:
    """A go, with what the story owes from then on."""
    terms = tuple(
        Term(o.text, o.scope, story.person(o.owner), story.day(story.ago(-o.due_in)), o.evidence)
        for o in owed_by(story, gate)
    )
    return Verdict("go_with_conditions", ASKED, conditions=terms) if terms else Verdict("go")


def impose_past(story: Story, decision: Decision, verdict: Verdict, when: datetime, uow: UnitOfWork) -> None:
    """Write down what was owed since, and what has been done about it."""
    rows = zip(verdict.conditions, owed_by(story, GATE), strict=False)
    for position, (term, owed) in enumerate(rows, start=1):
        row = Condition(
            id=story.id("condition", position),
            decision=decision,
            use_case=story.use_case,
            position=position,
            text=term.text,
            scope=term.scope,
            owner=term.owner,
            due_on=term.due_on,
            evidence_wanted=term.evidence_wanted,
        )
        if owed.report:
            row.state, row.report, row.closing_note = Condition.State.CLOSED, owed.report, owed.closing_note
            row.reported_by, row.reported_at = term.owner, when + timedelta(days=13)
            row.closed_by, row.closed_at = story.cast.everywhere[ASKED_BY][0], when + timedelta(days=14)
        row.save(force_insert=True)
        after = {**state(row, ("text", "scope", "owner", "due_on", "state")), "decided_at": when}
        uow.record("condition.imposed", subject=row, use_case=story.use_case, after=after, note="Demonstration history")
