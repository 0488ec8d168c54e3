"""What makes the gate from pilot to production pass."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gates.demonstration.facts_rows import attest, document, run, training
from gates.demonstration.idea import KPIS, Maker
from gates.demonstration.poc import version_id
from gates.demonstration.story import Story
from governance.catalogue import attestation_items
from governance.models import IntegrationPoint, IntegrationTest, OversightPlan
from portfolio.models import KpiMeasurement


def measured(story: Story, at: datetime, *, days: int = 35, closed: str = "0.66") -> None:
    """The KPI over a window that ended three days before, with the share of the gap that is closed."""
    _name, _unit, baseline, target, _formula = KPIS[story.kpi]
    start, goal = Decimal(baseline), Decimal(target)
    end = at - timedelta(days=3)
    story.rows.add(
        KpiMeasurement(
            kpi_id=story.id("kpi"),
            window_start=story.day(end - timedelta(days=days)),
            window_end=story.day(end),
            value=(start + (goal - start) * Decimal(closed)).quantize(Decimal("0.001")),
            sample_size=800 + 13 * story.n,
            source="Operational reporting",
            recorded_by=story.person("business_owner"),
            recorded_at=end + timedelta(days=1),
        )
    )


def full_validation(story: Story, at: datetime) -> None:
    metric, good = story.traits.metric, story.traits.good
    quality = {"f1": Decimal("0.893"), metric: good}
    own: dict[str, Any] = {"version_id": version_id(story)}
    run(story, at, "performance_historical", {**quality}, **own)
    run(story, at, "performance_live", {**quality, "disagreement": Decimal("3.1")}, sample_size=420, **own)
    run(story, at, "stability", {"repro_delta": Decimal("0.4"), "stability_cv": Decimal("2.9")}, **own)
    load = {"latency_p95": Decimal(640), "error_rate": Decimal("0.3"), "throughput_of_need": Decimal(135)}
    run(story, at, "stress", load, **own)


def fairness(story: Story, at: datetime) -> None:
    values = {"disparate_impact": Decimal("0.91"), "perf_gap": Decimal("3.4"), "bias_drift": Decimal("0.6")}
    run(story, at, "fairness", values, version_id=version_id(story))


def generative(story: Story, at: datetime) -> None:
    values = {
        "challenge_list_pass": Decimal("98.9"),
        "task_success": Decimal("92.4"),
        "groundedness": Decimal("0.93"),
        "prompt_injection_asr": Decimal("1.2"),
    }
    run(story, at, "generative_tests", values, version_id=version_id(story))


def acceptance(story: Story, at: datetime) -> None:
    values = {
        "uat_pass": Decimal("97.2"),
        "usefulness": Decimal("4.1"),
        "active_users": Decimal(64),
        "trust_score": Decimal("3.8"),
    }
    run(story, at, "user_acceptance", values, role="technical_lead", version_id=version_id(story))


def integration_tests(story: Story, at: datetime) -> None:
    for point in story.rows.of(IntegrationPoint):
        if point.use_case_id == story.use_case.pk:
            story.rows.add(
                IntegrationTest(
                    point_id=point.pk,
                    version_id=version_id(story),
                    cases_run=40,
                    cases_passed=40,
                    environment="pre-production",
                    performed_at=at,
                    recorded_by=story.person("technical_lead"),
                )
            )


def drills(story: Story, at: datetime) -> None:
    for kind in ("rollback_drill", "fallback_drill"):
        run(story, at, kind, {"time_to_rollback": Decimal(22)}, role="it_operations", version_id=version_id(story))


def oversight_approved(story: Story, at: datetime) -> None:
    story.rows.add(
        OversightPlan(
            use_case=story.use_case,
            reviewers="Reviewers of the unit, two per shift, named in the rota",
            override_path="Every case screen offers “decide otherwise” with a reason",
            stop_control="Feature switch, held by the duty manager; stops within one minute",
            updated_by=story.person("business_owner"),
            updated_at=at,
        )
    )
    for role in ("business_owner", "risk_compliance"):
        attest(story, at, "PR-13", role, "Oversight tiers, reviewers and the stop are approved and were tried.")


def documents(story: Story, at: datetime) -> None:
    document(story, at, "model_card", describes_id=version_id(story))
    document(story, at, "instructions_for_use")
    document(story, at, "technical_file")


def _notices(story: Story, at: datetime) -> None:
    items = list(attestation_items().get("PR-23", {}))
    attest(story, at, "PR-23", "legal_privacy", "Notices, worker information and appeals are ready.", items=items)


def _legal(story: Story, at: datetime) -> None:
    items = list(attestation_items().get("PR-24", {}))
    attest(story, at, "PR-24", "legal_privacy", "Legal release conditions are settled and on file.", items=items)


def _independent(story: Story, at: datetime) -> None:
    more: dict[str, Any] = {"role": "independent_validator", "independent": True, "version_id": version_id(story)}
    run(story, at, "independent_review", summary="Data, method, limits and results re-tested; agreed.", **more)


FACTS: dict[str, Maker] = {
    "PR-01": measured,
    "PR-02": full_validation,
    "PR-05": fairness,
    "PR-06": _independent,
    "PR-08": generative,
    "PR-09": integration_tests,
    "PR-10": acceptance,
    "PR-12": drills,
    "PR-13": oversight_approved,
    "PR-14": lambda s, at: run(
        s,
        at,
        "security_test",
        role="technical_lead",
        summary="Nothing critical or high is open.",
        version_id=version_id(s),
    ),
    "PR-18": documents,
    "PR-20": lambda s, at: document(s, at, "release_plan", measures={"first_exposure": "10"}),
    "PR-21": lambda s, at: document(s, at, "support_plan"),
    "PR-22": lambda s, at: training(s, at, ("user", "overseer", "responsible_ai")),
    "PR-23": _notices,
    "PR-24": _legal,
}
"""PR-03, 04, 07, 19 read metrics of these runs; PR-11 the series; PR-15 to 17 rest on the gate before."""
