"""What makes the gate from PoC to pilot pass."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from gates.demonstration.facts_rows import answer, attest, document, link, run
from gates.demonstration.idea import Maker
from gates.demonstration.story import Story
from governance.catalogue import card_sections
from governance.models import (
    AiModel,
    Dataset,
    DecisionType,
    IntegrationPoint,
    Issue,
    ModelVersion,
    RiskItem,
    VersionDataset,
)
from portfolio.models import Kpi

DATA = {
    "poc_prod_gap": Decimal("0.07"),
    "dq_completeness": Decimal("98.6"),
    "dq_validity": Decimal("99.3"),
    "dq_duplicates": Decimal("0.4"),
    "manual_steps": Decimal(1),
    "poc_criteria_met": Decimal(90),
}


def version_id(story: Story) -> UUID:
    return story.id("version")


def model(story: Story, at: datetime) -> None:
    """The model, its first version with bundle, card and data."""
    live = story.stage in ("production", "operations")
    story.rows.add(
        AiModel(
            id=story.id("model"),
            use_case=story.use_case,
            name=f"{story.name} model",
            kind=story.kind,
            provider=story.traits.vendor,
            owner=story.person("technical_lead"),
            created_at=at,
        )
    )
    went_live = story.passed.get("pilot_to_production")
    story.rows.add(
        ModelVersion(
            id=version_id(story),
            model_id=story.id("model"),
            label="1.0.0",
            number=1,
            state=ModelVersion.VersionState.LIVE if live else ModelVersion.VersionState.CANDIDATE,
            bundle={
                "code": f"git:{story.id('code').hex[:12]}",
                "data": f"sha256:{story.id('data').hex}",
                "prompts": f"git:{story.id('prompts').hex[:12]}" if story.generative else "none",
                "environment": f"image:{story.id('environment').hex[:16]}",
            },
            metrics={story.traits.metric: str(story.traits.good)},
            card={s.key: f"{s.label}: see the technical file. {s.help}" for s in card_sections()},
            author=story.person("data_scientist"),
            registered_at=at,
            live_at=went_live if live else None,
        )
    )
    _data(story, at)


def _data(story: Story, at: datetime) -> None:
    for n, (name, purpose) in enumerate((("history", "training"), ("recent cases", "test"))):
        story.rows.add(
            Dataset(
                id=story.id("dataset", n),
                unit=story.unit,
                name=f"{story.name}: {name}",
                description=f"{name.capitalize()} of two years, refreshed monthly.",
                sensitivity="personal" if story.use_case.personal_data else "internal",
                lineage="warehouse → curated layer → feature store",
                steward=story.person("data_steward"),
                registered_by=story.person("data_engineer"),
                registered_at=at,
                certified_by=story.person("data_steward"),
                certified_at=at,
                certified_until=at + timedelta(days=540),
            )
        )
        story.rows.add(VersionDataset(version_id=version_id(story), dataset_id=story.id("dataset", n), purpose=purpose))


def locked(story: Story, at: datetime) -> None:
    """The sponsor locked the success measure."""
    for row in story.rows.of(Kpi):
        if row.use_case_id == story.use_case.pk:
            row.locked_at, row.locked_by = at, story.person("business_sponsor")


def risks(story: Story, at: datetime) -> None:
    rows = (
        (
            "Wrong output is acted upon without a look",
            3,
            4,
            "high",
            "medium",
            "Review of low-confidence cases, sampling",
        ),
        ("Input changes and quality falls unnoticed", 3, 3, "medium", "low", "Drift monitors with alerts"),
        ("Supplier or platform is not available", 2, 3, "medium", "low", "Fallback to manual work, drilled"),
    )
    for n, (title, likelihood, impact, inherent, residual, treatment) in enumerate(rows):
        story.rows.add(
            RiskItem(
                id=story.id("risk", n),
                use_case=story.use_case,
                title=title,
                likelihood=likelihood,
                impact=impact,
                inherent=inherent,
                residual=residual,
                treatment=treatment,
                state=RiskItem.RiskState.ACCEPTED if residual == "medium" else RiskItem.RiskState.TREATED,
                owner=story.person("business_owner"),
                accepted_by=story.person("business_sponsor") if residual == "medium" else None,
                accepted_role="business_sponsor" if residual == "medium" else "",
                accepted_at=at if residual == "medium" else None,
                raised_by=story.person("use_case_lead"),
                raised_at=at,
            )
        )


def oversight(story: Story, at: datetime) -> None:
    tier = "human_decides" if story.judged_as == "high" else "human_reviews"
    for name in (story.use_case.decision_name, "Cases below the confidence limit"):
        story.rows.add(
            DecisionType(
                id=story.id("decision", name),
                use_case=story.use_case,
                name=name[:200],
                oversight_tier=tier,
                updated_at=at,
            )
        )


def assumptions(story: Story, at: datetime) -> None:
    """Assumptions of the PoC, settled."""
    for n, title in enumerate(
        ("History is like next year's cases", "The interface of the core system can carry the load")
    ):
        story.rows.add(
            Issue(
                id=story.id("assumption", n),
                use_case=story.use_case,
                kind=Issue.Kind.ASSUMPTION,
                severity="medium",
                title=title,
                blocking=True,
                due_gate="poc_to_pilot",
                first_seen=story.day(at - timedelta(days=25)),
                state=Issue.IssueState.CLOSED,
                owner=story.person("technical_lead"),
                raised_by=story.person("technical_lead"),
                raised_at=at - timedelta(days=25),
                resolution="Tested during the PoC; holds.",
                closed_by=story.person("use_case_lead"),
                closed_at=at,
            )
        )


def integrations(story: Story, at: datetime) -> None:
    for n, name in enumerate(("Core system", "Identity and access", "Case archive")):
        story.rows.add(
            IntegrationPoint(
                id=story.id("integration", n),
                use_case=story.use_case,
                name=name,
                critical=n < 2,
                requirement="Read cases and write the result within two seconds",
                constraint="200 requests a second, maintenance on Sunday night",
                failure_mode="Queue and retry; a person works the case",
                feasible=True,
            )
        )


def _integration_register(story: Story, at: datetime) -> None:
    integrations(story, at)
    document(story, at, "integration_register", measures={"feasible_points": "100"})


def _representative(story: Story, at: datetime) -> None:
    values = {story.traits.metric: story.wobble(story.traits.good), **DATA}
    run(story, at, "performance_representative", values, version_id=version_id(story))


FACTS: dict[str, Maker] = {
    "PP-23": model,
    "PP-02": _representative,
    "PP-04": lambda s, at: document(s, at, "post_poc_assessment"),
    "PP-05": assumptions,
    "PP-06": lambda s, at: document(s, at, "failure_mode_list", measures={"treated_failure_modes": "100"}),
    "PP-07": locked,
    "PP-08": lambda s, at: answer(s, at, "data_readiness", 4, "data_steward"),
    "PP-12": _integration_register,
    "PP-14": lambda s, at: run(
        s, at, "expert_review", role="technical_lead", reviewers=4, sample_size=160, version_id=version_id(s)
    ),
    "PP-15": lambda s, at: document(s, at, "privacy_impact_assessment"),
    "PP-16": risks,
    "PP-17": lambda s, at: document(s, at, "ai_impact_assessment"),
    "PP-18": oversight,
    "PP-19": lambda s, at: document(s, at, "pilot_plan", measures={"pilot_duration": "90"}),
    "PP-20": lambda s, at: run(
        s,
        at,
        "security_test",
        role="technical_lead",
        summary="No critical or high item is open.",
        version_id=version_id(s),
    ),
    "PP-21": lambda s, at: document(s, at, "mvp_plan"),
    "PP-22": lambda s, at: attest(
        s, at, "PP-22", "business_owner", "Future users shaped the design in three sessions.", sample_size=3
    ),
    "PP-24": lambda s, at: document(s, at, "supplier_terms", measures={"clauses_present": "100"}),
    "link": lambda s, at: link(s, at, "PP-01", "poc_result_sheet", "PoC result sheet"),
}
"""PP-01, 03, 09, 10 read metrics of the representative run; PP-11 its datasets; PP-13 fields."""
