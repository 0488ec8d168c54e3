"""What makes the handover from production to operations pass, and what a recurring review asks."""

from __future__ import annotations

from datetime import datetime

from gates.demonstration.facts_rows import attest, document, run, training
from gates.demonstration.idea import Maker
from gates.demonstration.pilot import measured
from gates.demonstration.poc import version_id
from gates.demonstration.story import Story
from governance.models import AccessReview
from portfolio.models import Phase


def waves(story: Story, at: datetime) -> None:
    for n, name in enumerate(("First site", "Half of the users", "Everybody")):
        story.rows.add(
            Phase(
                use_case=story.use_case,
                kind=Phase.Kind.WAVE,
                name=f"Rollout: {name}",
                order=10 + n,
                starts_on=story.day(at),
                ends_on=story.day(at),
                state=Phase.State.COMPLETED,
                exit_check="Error rate and override rate inside limits for five days",
            )
        )


def access_review(story: Story, at: datetime) -> None:
    story.rows.add(
        AccessReview(
            use_case=story.use_case,
            reviewed_by=story.person("security"),
            reviewed_at=at,
            removed=story.n % 3,
            note="Rights re-certified, leavers removed.",
        )
    )


def _takeover(story: Story, at: datetime) -> None:
    for role in ("it_operations", "business_owner"):
        attest(story, at, "OP-05", role, "The operating team takes over from this day.")


def _runbook(story: Story, at: datetime) -> None:
    document(story, at, "runbook", tested=True, describes_id=version_id(story))


def _oversight_reviewed(story: Story, at: datetime) -> None:
    for role in ("business_owner", "risk_compliance"):
        attest(story, at, "RV-10", role, "The oversight tiers still fit.")


FACTS: dict[str, Maker] = {
    "OP-02": lambda s, at: measured(s, at, days=65, closed="0.78"),
    "OP-05": _takeover,
    "OP-06": _runbook,
    "OP-10": lambda s, at: run(s, at, "incident_drill", role="it_operations", version_id=version_id(s)),
    "OP-14": lambda s, at: training(s, at, ("ml_operations",)),
    "OP-15": lambda s, at: document(s, at, "communication_plan"),
    "OP-20": waves,
    "OP-21": lambda s, at: document(s, at, "post_market_plan"),
}
REVIEW: dict[str, Maker] = {
    "RV-01": lambda s, at: measured(s, at, days=95, closed="0.86"),
    "RV-03": lambda s, at: document(s, at, "drift_analysis", measures={"drift_share": "8"}),
    "RV-08": lambda s, at: attest(
        s, at, "RV-08", "business_owner", "I looked at samples; it behaves as meant.", sample_size=30
    ),
    "RV-10": _oversight_reviewed,
    "RV-14": access_review,
    "RV-15": lambda s, at: run(s, at, "security_test", role="technical_lead", version_id=version_id(s)),
}
