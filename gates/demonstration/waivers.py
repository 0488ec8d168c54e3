"""Two waivers of criteria that are open now, made by the services that people use: one in force, one asked for."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from gates.assessment import assess
from gates.criterion import Outcome
from gates.demonstration.story import Story
from gates.models import Waiver
from gates.services.waivers import request_waiver, vote_on_waiver
from gates.standing import judge_now
from gates.waiving import why_never
from portfolio.models import UseCase

REASON = "The specialist who has to confirm this is away until the end of next month; nobody else is qualified for it."
CONTROL = "The head of the unit looks through a sample of ten results every day, and keeps the list of what was wrong."
BOARD_REASON = "The figures of the second region arrive with the quarter; the first region alone meets the limit."
BOARD_CONTROL = "The system stays switched off in the second region, and the operations team checks that every week."
WANTED = (Outcome.NOT_MET, Outcome.MISSING, Outcome.STALE)


def waive_now(stories: list[Story], gate_of: dict[str, str]) -> list[str]:
    """Returns what the story wanted and the policy did not give (nothing, if all is well)."""
    granted = _ask(stories, gate_of, "limited", REASON, CONTROL, days=75)
    asked = _ask(stories, gate_of, "high", BOARD_REASON, BOARD_CONTROL, days=60)
    if granted is not None:
        vote_on_waiver(
            waiver=granted,
            verdict="approve",
            by=stories[0].cast.everywhere["risk_compliance"][0],
            reason="The sample is enough for a pilot of this size.",
        )
    assess([w.use_case_id for w in (granted, asked) if w is not None])
    return [f"no {tier} use case has anything to waive" for tier, w in (("limited", granted), ("high", asked)) if not w]


def _ask(
    stories: list[Story], gate_of: dict[str, str], tier: str, reason: str, control: str, *, days: int
) -> Waiver | None:
    """Asked for by the lead of the first use case whose next gate has something that can be waived."""
    for story in stories:
        if (story.health, story.tier) != ("nearly", tier) or story.stage not in ("poc", "pilot"):
            continue
        use_case = UseCase.objects.select_related("unit").get(pk=story.use_case.pk)
        result = next(r for r in judge_now(use_case, gate_of[story.stage]) if r.policy.primary)
        open_now = [j for j in result.open() if j.finding.outcome in WANTED and not why_never(j.criterion)]
        if open_now and not result.blockers:
            return request_waiver(
                use_case=use_case,
                gate=result.gate.key,
                criterion=open_now[0].criterion.id,
                reason=reason,
                compensating_control=control,
                expires_at=(timezone.now() + timedelta(days=days)).replace(hour=23, minute=59, second=59),
                by=story.person("use_case_lead"),
            )
    return None
