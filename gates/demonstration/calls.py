"""Reviews that were called: one that a later decision answered, and those that the story itself calls for."""

from __future__ import annotations

from datetime import timedelta

from gates.calling import call_due_reviews
from gates.demonstration.story import Story
from gates.models import Decision, ReviewCall
from ledger import SYSTEM, unit_of_work

LAW = "A new duty to mark generated text applies; the notice to users has to be looked at."
BEFORE = timedelta(days=21)


def call_reviews(stories: list[Story]) -> int:
    """Returns how many reviews are owed now."""
    _answered(stories)
    return call_due_reviews()


def _answered(stories: list[Story]) -> None:
    """A change of law, called by hand three weeks before the decision that looked at it."""
    story = next((s for s in stories if s.stage == "operations" and "production_to_operations" in s.passed), None)
    decision = _decision(story) if story else None
    if story is None or decision is None:
        return
    called = decision.decided_at - BEFORE
    with unit_of_work(by=SYSTEM) as uow:
        call = ReviewCall.objects.create(
            id=story.id("review_call", "law"),
            use_case=story.use_case,
            gate="pilot_to_production",
            cause=ReviewCall.Cause.LAW,
            text=LAW,
            reference="by_hand:demonstration",
            called_at=called,
            due_at=called + timedelta(days=30),
            settled_at=decision.decided_at,
            settled_by=decision.review,
        )
        after = {"cause": call.cause, "due_at": call.due_at, "settled_at": call.settled_at}
        uow.record(
            "review_call.settled", subject=call, use_case=story.use_case, after=after, note="Demonstration history"
        )


def _decision(story: Story) -> Decision | None:
    rows = Decision.objects.filter(review__use_case=story.use_case, review__gate="production_to_operations")
    return rows.select_related("review").order_by("decided_at").first()
