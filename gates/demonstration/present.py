"""Reviews that are under way when the demonstration starts, made by the services that people use."""

from __future__ import annotations

from accounts.models import User
from gates.demonstration.board import voters
from gates.demonstration.story import Story
from gates.duties import BOARD
from gates.models import Review
from gates.services.decisions import decide
from gates.services.reviews import submit_review, withdraw_review
from gates.services.sign_offs import sign
from kernel.errors import NotReady
from portfolio.models import UseCase

STATES = (
    "waiting",
    "half",
    "signed",
    "waiting",
    "rejected",
    "half",
    "returned",
    "withdrawn",
    "waiting",
    "half",
    "signed",
    "waiting",
    "half",
    "left",
)


def review_now(stories: list[Story], gate_of: dict[str, str]) -> list[str]:
    """Bring the use cases that are ready into reviews of every state; returns what was not ready after all."""
    not_ready: list[str] = []
    for n, story in enumerate(s for s in stories if s.health == "ready"):
        state = STATES[n % len(STATES)]
        if state == "left":
            continue
        use_case = UseCase.objects.get(pk=story.use_case.pk)
        try:
            review = submit_review(
                use_case=use_case,
                gate=gate_of[story.stage],
                by=story.person("use_case_lead"),
                message=f"All that the gate asks of {story.name.lower()} is on record. Please look at the risks first.",
            )
        except NotReady as wrong:
            not_ready += [f"{use_case.key}: {line}" for line in (wrong.errors or {}).get("criteria", [])]
            continue
        _bring(story, review, state)
    return not_ready


def _bring(story: Story, review: Review, state: str) -> None:
    lead, manager = story.person("use_case_lead"), story.cast.everywhere["portfolio_manager"][0]
    roles = [slot["role"] for slot in review.slots]
    if state == "withdrawn":
        withdraw_review(review=review, by=lead, reason="We found a mistake in the pilot figures and measure again.")
        return
    if state == "returned":
        words = "The fairness results cover one region only. Please add the others."
        decide(review=review, outcome="return", by=manager, digest=review.digest, reason=words)
        return
    count = {"waiting": 0, "half": len(roles) // 2, "rejected": len(roles) // 2 + 1}.get(state, len(roles))
    for n, role in enumerate(roles[:count]):
        refuse = state == "rejected" and n == count - 1
        for person in _people(story, role):
            sign(
                review=review,
                role=role,
                verdict="reject" if refuse else "approve",
                digest=review.digest,
                by=person,
                reason="The residual risk of wrong output is not treated far enough for live use." if refuse else "",
            )


def _people(story: Story, role: str) -> list[User]:
    return voters(story) if role == BOARD else [story.person(role)]
