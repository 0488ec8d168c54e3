"""Outputs that people review, made by the services in use: a calm queue, a long one, a version that fails."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from gates.demonstration.story import Story
from governance.models import ModelVersion
from ledger import SYSTEM
from monitoring import review_measures
from monitoring.models import ReviewItem
from monitoring.services import claim_next, push_outputs, review_output, set_sampling_plan
from portfolio.models import UseCase

SEED = 41
SEGMENTS = ("private customers", "small firms", "large firms")
SAID = {
    "llm": (
        "Draft answer to a complaint about a late delivery",
        "Summary of a call about a contract",
        "Reply about fees",
    ),
    "agent": ("Address is changed in the customer record", "Refund of 48 euro is prepared", "Appointment is moved"),
    "classifier": ("Case goes to fast settlement", "Case goes to a specialist", "Case needs more papers"),
    "extraction": ("Invoice total is read as 1,284.50", "Contract end is read as 31 March", "Supplier is read as new"),
}
OTHER = ("Suggestion is ranked first", "Forecast is raised by a tenth", "Alarm is raised for the night shift")
WRONG = (
    ("wrong_outcome", "The limit in the terms of 2025 was not applied."),
    ("incomplete", "The second page was left out, and it changes the outcome."),
    ("wrong_fact", "The date is the one of the letter, not of the event."),
    ("bad_input", "The attachment could not be read, so nothing was known."),
)
PLAN: dict[str, Any] = {
    "random_percent": 60.0,
    "below_confidence": 0.6,
    "segment_quotas": {"large firms": 3},
    "most_per_day": 200,
    "double_percent": 25.0,
    "min_sample": 100,
}


def review_outputs(stories: list[Story]) -> None:
    """One running use case whose outputs are judged well, one whose version fails, one whose queue waits."""
    running = [s for s in stories if s.stage in ("operations", "production")]
    healthy = [s for s in running if s.health == "good"]
    troubled = [s for s in running if s.health in ("drifting", "breached")]
    for found, each, reviews, least in (
        (healthy[:1], 30, 60, 100),
        (troubled[:1], 4, 60, 25),
        (healthy[1:2], 6, 12, 100),
    ):
        for story in found:
            _review(story, each, reviews, least, random.Random(SEED + story.n))  # noqa: S311  # the same every time


def _review(story: Story, each: int, reviews: int, least: int, rng: random.Random) -> None:
    """So many reviews, of which one in ``each`` finds the output wrong."""
    use_case = UseCase.objects.select_related("unit").get(pk=story.use_case.pk)
    reviewer, expert = story.person("human_reviewer"), story.person("domain_expert")
    set_sampling_plan(use_case=use_case, plan={**PLAN, "min_sample": least}, by=story.person("technical_lead"))
    received = story.today - timedelta(hours=30)
    push_outputs(batch=list(_outputs(story, use_case, reviewer, rng, received)), by=SYSTEM, received_at=received)
    people = [reviewer, expert]
    for n in range(reviews):
        person = people[n % 2]
        item = claim_next(by=person, use_case=use_case)
        if item is None:
            break
        read = timezone.now() - timedelta(seconds=rng.randint(25, 140))
        ReviewItem.objects.filter(pk=item.pk).update(claimed_at=read)  # nobody reads that fast
        _say(item, person, rng, is_wrong=n % each == each - 2 + n // each % 2, may_override=person == reviewer)
    review_measures.measure(use_case.pk)


def _say(item: ReviewItem, person: User, rng: random.Random, *, is_wrong: bool, may_override: bool) -> None:
    if not is_wrong:
        review_output(item=item, answer="agree", by=person)
        return
    code, reason = rng.choice(WRONG)
    said = {"answer": "disagree", "reason_code": code, "reason": reason}
    if may_override:
        said |= {"answer": "override", "corrected": "To be handled by a specialist."}
    review_output(item=item, by=person, **said)


def _outputs(
    story: Story, use_case: UseCase, reviewer: User, rng: random.Random, received: datetime
) -> Iterator[dict[str, Any]]:
    versions = ModelVersion.objects.filter(model__use_case=use_case).order_by("state", "-number")
    live = next((v for v in versions if v.state == "live"), None) or versions.first()
    said = SAID.get(story.kind, OTHER)
    for n in range(90):
        yield {
            "use_case": use_case.key,
            "version": live.label if live else "",
            "external_id": f"{use_case.key.lower()}-{received:%m%d}-{n:03}",
            "at": received - timedelta(minutes=7 * n),
            "segment": rng.choice(SEGMENTS),
            "confidence": round(rng.betavariate(8, 2), 3),
            "summary": f"{rng.choice(said)} (no. {n + 1})",
            "payload": {
                "input": f"Request {n + 1} as it came in, without names and numbers.",
                "output": f"{rng.choice(said)}.",
                "grounds": "Terms of contract, section 4; two earlier cases like it.",
            },
            "redacted": ["name", "customer number"],
            "acted_by": reviewer.email if n % 9 == 0 else "case.handler@example.net",
        }
