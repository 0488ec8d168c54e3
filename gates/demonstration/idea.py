"""What makes the intake gate pass, criterion by criterion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gates.demonstration.facts_rows import answer, attest, document
from gates.demonstration.story import Story
from governance.models import DataAccessRequest, RiskClassification, SpecialistReview
from governance.risk.answers import normalise
from governance.risk.rule import classify
from portfolio.models import Kpi
from portfolio.models.kpis import Direction

KPIS: dict[str, tuple[str, str, str, str, str]] = {
    "cycle_time": ("Process cycle time", "hours", "40", "30", "median time from request to completion"),
    "forecast_mape": ("Forecast error (MAPE)", "%", "28", "22", "mean absolute percentage error against actuals"),
    "fraud_loss_rate": ("Fraud loss per 10,000 transactions", "EUR", "120", "90", "fraud loss / transactions x 10,000"),
    "customer_response_time": ("Customer response time", "minutes", "45", "20", "median first-response time"),
    "resolution_rate": ("Query resolution rate", "%", "62", "72", "queries resolved / queries received"),
    "handling_time": ("Average handling time", "minutes", "11.5", "9", "total handling time / cases"),
    "escalation_rate": ("Escalation rate", "%", "18", "13", "cases escalated / cases"),
    "csat": ("Customer satisfaction", "score 1-5", "3.9", "4.2", "mean survey score"),
    "cost_per_case": ("Cost per case", "EUR", "14", "10.5", "fully loaded cost / cases"),
    "throughput_cases": (
        "Cases per person per day",
        "cases",
        "22",
        "28",
        "completed cases / full-time equivalent / day",
    ),
    "error_rework_rate": ("Rework caused by error", "%", "7", "4", "cases redone / cases"),
    "revenue_uplift": ("Revenue against control", "%", "0", "3", "(treated - control) / control"),
    "hours_saved": ("Staff hours saved per month", "hours", "0", "400", "baseline hours - actual hours, measured"),
}
Maker = Callable[[Story, datetime], None]


def risk_answers(story: Story) -> dict[str, Any]:
    """Answers that give the tier of the story by the rule, not by hand."""
    base = {"annex_iii": [], "transparency": [], "gpai": "none", "principal_basis": "no", "us_fed": "no"}
    low = dict.fromkeys(("F-AUTONOMY", "F-SEVERITY", "F-REVERSE", "F-DATA", "F-EXPLAIN", "F-EXPOSE", "F-WORKFORCE"), 1)
    factors: dict[str, int] = {**low, "F-VULN": 0, "F-SCALE": 2, "F-CRITICAL": 2, "F-THIRD": 0, "F-NOVEL": 0}
    given: dict[str, Any] = {key: value for key, value in base.items() if key != "us_fed"}
    if story.generative:
        given["gpai"] = "api_use"
        factors |= {"F-THIRD": 2, "F-NOVEL": 3}
    if story.tier == "limited":
        given["transparency"] = ["synthetic"] if story.generative else ["interaction"]
        factors |= {"F-SCALE": 3, "F-DATA": 2}
    if story.tier in ("high", "prohibited"):
        given |= {
            "annex_iii": ["5b"],
            "principal_basis": "yes",
            "effects": [],
            "profiling": "yes",
            "material_influence": "yes",
        }
        factors |= {"F-SEVERITY": 3, "F-DATA": 3, "F-SCALE": 4, "F-REVERSE": 2, "F-CRITICAL": 3, "F-EXPLAIN": 2}
    if story.tier == "prohibited":
        given["prohibited"] = {"f" if story.kind == "vision" else "c": "yes"}
    return {**given, "factors": factors}


def classification(story: Story, at: datetime, *, current: bool = True, confirmed: bool = True) -> None:
    """The risk questionnaire, answered and confirmed; an idea that nobody has classified yet has none."""
    if not story.use_case.tier:
        return
    answers = normalise(risk_answers(story))
    result = classify(answers)
    story.rows.add(
        RiskClassification(
            id=story.id("classification", at.date()),
            use_case=story.use_case,
            rule_version="1.0.0",
            answers=answers,
            tier=result.tier,
            score=result.score,
            provisional=result.provisional,
            legal_hold=result.legal_hold,
            unknown_count=result.unknown_count,
            prohibited_hits=result.prohibited_hits,
            reasons=list(result.reasons),
            contributing=list(result.contributing),
            flags=list(result.flags),
            duties=list(result.duties),
            is_current=current,
            classified_by=story.person("use_case_lead"),
            classified_at=at,
            confirmed_by=story.person("risk_compliance") if confirmed else None,
            confirmed_role="risk_compliance" if confirmed else "",
            confirmed_at=at if confirmed else None,
        )
    )


def kpi(story: Story, at: datetime) -> None:
    """The primary success measure, drafted at intake."""
    name, unit, baseline, target, formula = KPIS[story.kpi]
    story.rows.add(
        Kpi(
            id=story.id("kpi"),
            use_case=story.use_case,
            key=story.kpi,
            name=name,
            unit=unit,
            direction=Direction.HIGHER if Decimal(target) > Decimal(baseline) else Direction.LOWER,
            formula=formula,
            baseline=Decimal(baseline),
            baseline_date=story.day(at),
            baseline_source="Operational reporting, quarter before intake",
            target=Decimal(target),
            target_date=story.day(at + timedelta(days=400)),
            window_days=90,
            is_primary=True,
            created_at=at,
        )
    )


def data_access(story: Story, at: datetime) -> None:
    story.rows.add(
        DataAccessRequest(
            id=story.id("data access"),
            use_case=story.use_case,
            purpose=f"History of the last two years for {story.name.lower()}, pseudonymised, in the sandbox only.",
            state=DataAccessRequest.RequestState.APPROVED,
            requested_by=story.person("data_scientist"),
            requested_at=at - timedelta(days=3),
            decided_by=story.person("data_steward"),
            decided_role="data_steward",
            decided_at=at,
            decision_note="Approved for the stated purpose.",
        )
    )


def specialist_reviews(story: Story, at: datetime) -> None:
    openers = {"privacy": "legal_privacy", "security": "security", "compliance": "risk_compliance"}
    for area, role in openers.items():
        story.rows.add(
            SpecialistReview(
                use_case=story.use_case,
                area=area,
                opened_by=story.person(role),
                opened_at=at,
                due_on=story.day(at + timedelta(days=90)),
            )
        )


def _accepted(story: Story, at: datetime) -> None:
    attest(story, at, "IP-03", "business_sponsor", "I fund this and answer for its strategic fit.")
    attest(story, at, "IP-03", "business_owner", "I accept lasting accountability for process and outcome.")


FACTS: dict[str, Maker] = {
    "IP-03": _accepted,
    "IP-04": kpi,
    "IP-05": lambda s, at: attest(
        s, at, "IP-05", "business_owner", "The named decision will change because of the output."
    ),
    "IP-06": lambda s, at: answer(s, at, "prioritisation", 3, "business_owner"),
    "IP-08": classification,
    "IP-09": specialist_reviews,
    "IP-10": lambda s, at: answer(s, at, "data_readiness", 3, "data_steward"),
    "IP-11": data_access,
    "IP-12": lambda s, at: answer(s, at, "infrastructure", 3, "it_operations"),
    "IP-13": lambda s, at: document(s, at, "poc_charter", measures={"poc_timebox": "42"}),
    "IP-14": lambda s, at: attest(s, at, "IP-14", "it_operations", "The PoC runs in an isolated environment."),
    "IP-16": lambda s, at: answer(s, at, "skills", 3, "technical_lead"),
    "IP-18": lambda s, at: attest(
        s, at, "IP-18", "use_case_lead", "The inventory was searched; nothing similar exists."
    ),
    "IP-19": lambda s, at: answer(s, at, "supplier", 3, "vendor_manager"),
}
"""IP-01, 02, 15 and 17 are fields of the use case itself; IP-07 follows from the classification."""
