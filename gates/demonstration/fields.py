"""The use case itself: intake, profile and commitments, as full as its stage asks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from gates.demonstration.story import STAGES, Story
from portfolio.models import OperatingPlan, Phase, Stage, StageChange, Status, UseCase
from portfolio.models.use_cases import OversightTier

PEOPLE_MATTER = frozenset({"care", "lending", "people", "health", "claims"})
PHASES = (
    ("Strategy and alignment", 14),
    ("Data readiness and infrastructure", 28),
    ("Proof of concept", 42),
    ("Pilot and integration", 70),
    ("Governance and operations", 40),
    ("Scaling and optimisation", 120),
)


def use_case(story: Story) -> UseCase:
    """The row, with every intake field unless the story is of an idea that is hardly written down."""
    ended = story.stage in ("stopped", "retired")
    thin = story.stage == "idea" and story.health in ("early", "stalled")
    since = max(story.passed.values(), default=story.created)
    if ended:
        since = story.ago(60 + story.n % 40)
    subject = story.name[0].lower() + story.name[1:]
    traits = story.traits
    row = UseCase(
        id=story.id("use case"),
        key=f"UC-{story.n:04d}",
        name=story.name,
        unit=story.unit,
        summary=f"{story.name} in {story.unit.name}: {traits.purpose}.",
        stage=story.stage,
        stage_since=since,
        status=Status.CLOSED if ended else Status.ACTIVE,
        tier="" if thin else story.tier,
        tier_source="" if thin else "questionnaire",
        problem_statement=f"Work on {subject} takes too long and its quality varies between teams.",
        target_users=f"{traits.users.capitalize()} of {story.unit.name}.",
        non_ai_alternative=""
        if thin
        else f"Today: {traits.alternative}. It was tried to improve this and did not reach the target.",
        objective="" if thin else f"Close half of the gap in the success measure of {subject} within a year.",
        strategic_goal="Service that people trust" if story.n % 2 else "Cost and quality of operations",
        decision_name=f"Which case of {subject} is worked first and how",
        third_party=bool(traits.vendor),
        personal_data=story.unit.code in PEOPLE_MATTER or story.judged_as == "high",
        affects_people=story.unit.code in PEOPLE_MATTER or story.judged_as == "high",
        generative_or_agentic=story.generative,
        jurisdictions=["EU", "CH"] if story.n % 4 == 0 else ["EU"],
        regulations=[] if thin else ["EU AI Act", "GDPR"],
        eu_role="" if thin else "deployer" if traits.vendor else "provider",
        oversight_tier=OversightTier.HUMAN_DECIDES if story.judged_as == "high" else OversightTier.HUMAN_REVIEWS,
        primary_metric=traits.metric,
        vendor=traits.vendor,
        created_by=story.person("use_case_lead"),
        created_at=story.created,
    )
    story.use_case = row
    story.rows.add(row)
    story.rows.add(
        StageChange(
            use_case=row, from_stage="", to_stage=Stage.IDEA, at=story.created, by=row.created_by, reason="Intake"
        )
    )
    return row


def plan(story: Story) -> None:
    """Money, people, support and retraining; what later gates ask is there once the use case came near them."""
    if story.stage == "idea" and story.health in ("early", "stalled"):
        return
    reached = STAGES.index(story.stage) if story.stage in STAGES else 4 if story.stage == "retired" else 1
    scale = Decimal(1 + story.n % 5)
    row = OperatingPlan(
        use_case=story.use_case,
        budget_poc=scale * 18000,
        production_cost_range="80,000 to 140,000 EUR a year",
        planned_end=story.day(story.created + timedelta(days=300)),
    )
    if reached >= 2 or (reached == 1 and story.health not in ("stalled", "early")):
        row.budget_build, row.budget_run_year1 = scale * 95000, scale * 42000
        row.team = "Product lead, two engineers, one data scientist, half a data engineer"
        row.priority_rank = story.n
        row.cost_to_date = scale * Decimal(9000) * (reached + 1)
    if reached >= 3:
        row.support_hours, row.support_targets = (
            "Mon to Fri 7:00 to 19:00, on-call at night",
            "Severity 1 in 30 minutes, 2 in 4 hours",
        )
        row.support_levels, row.support_review_calendar = (
            "Service desk, product team, supplier",
            "Monthly service review",
        )
        row.retrain_cadence_days, row.retrain_trigger = 90, "Drift alert for a week, or quality below its warn limit"
        row.retrain_data_window, row.retrain_next_date = (
            "Last 12 months",
            story.day(story.today + timedelta(days=40 + story.n % 30)),
        )
        row.budget_run, row.budget_monitoring, row.budget_people = scale * 40000, scale * 6000, scale * 55000
        row.budget_end_date = story.day(story.today + timedelta(days=500))
        row.log_retention_days = 400
    story.rows.add(row)
    _phases(story, reached)


def _phases(story: Story, reached: int) -> None:
    start = story.created
    for order, (name, days) in enumerate(PHASES):
        end = start + timedelta(days=days)
        done = order <= reached
        state = (
            Phase.State.COMPLETED
            if done
            else Phase.State.IN_PROGRESS
            if order == reached + 1
            else Phase.State.NOT_STARTED
        )
        story.rows.add(
            Phase(
                use_case=story.use_case,
                name=name,
                order=order,
                starts_on=story.day(start),
                ends_on=story.day(end),
                state=state,
                owner=story.person("transition_owner" if order > 2 else "use_case_lead"),
            )
        )
        start = end
