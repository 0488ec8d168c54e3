"""Make the demonstration portfolio, all of it or nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from django.utils import timezone

from accounts.models import RoleAssignment
from accounts.services.bulk import assign_roles_bulk
from gates.assessment import assess
from gates.assurance import reassess
from gates.demonstration import (
    alerts,
    board,
    breaches,
    calls,
    comparisons,
    dashboards,
    drift,
    fields,
    idea,
    metrics,
    outputs,
    past,
    people_rows,
    pilot,
    poc,
    present,
    production,
    waivers,
)
from gates.demonstration.cast import Cast, make_cast
from gates.demonstration.rows import Rows
from gates.demonstration.story import GATES, STAGES, Story
from gates.in_force import primary
from gates.services.policies import install_policies
from governance.models import (
    AiModel,
    Dataset,
    Document,
    Evidence,
    IntegrationPoint,
    ModelVersion,
    QuestionnaireResponse,
)
from kernel.errors import Conflict
from ledger import SYSTEM, UnitOfWork, unit_of_work
from monitoring.judging import judge
from monitoring.models import Point, Rule, Series
from portfolio.models import BusinessUnit, Kpi, OperatingPlan, StageChange, UseCase
from portfolio.services import create_unit

SOURCE = Path(__file__).with_name("portfolio.yaml")
SEED = 20260101
FACTS = {
    "idea_to_poc": idea.FACTS,
    "poc_to_pilot": poc.FACTS,
    "pilot_to_production": pilot.FACTS,
    "production_to_operations": production.FACTS,
    "operations_review": production.REVIEW,
}
NEXT: dict[str, str] = {**dict(zip(STAGES, GATES, strict=False)), "operations": "operations_review"}
KEPT_BACK = {"nearly": 0.15, "early": 0.65, "stalled": 0.45, "drifting": 0.4, "breached": 0.4, "good": 0.3}
NEVER_KEPT_BACK = frozenset({"PP-23", "PP-07"})
"""Later rows point to these."""


@dataclass(slots=True)
class Made:
    """What came out, and what did not fit the policy although the story says so (nothing, if all is well)."""

    use_cases: int
    people: int
    points: int
    misfits: list[str]


def is_made() -> bool:
    return UseCase.objects.exists()


def make_demonstration(*, today: datetime | None = None, say: Callable[[str], Any] = lambda _text: None) -> Made:
    """Write the whole demonstration. ``Conflict`` when there are use cases already: nothing of anybody's is touched."""
    if is_made():
        raise Conflict("There are use cases already; a demonstration is made in an empty installation only.")
    now = today or timezone.now()
    raw = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    install_policies()
    version, policy = primary()
    with unit_of_work(by=SYSTEM) as uow:
        say("people and units")
        stories, cast, rows = _stories(raw, now)
        say("use cases, evidence and metrics")
        points = _write(stories, rows, uow)
        say("past decisions")
        misfits = past.decide_past(stories, version, policy, uow)
        past.end(stories)
    say("alerts")
    judge(Series.objects.values_list("pk", flat=True))
    alerts.see_to_alerts()
    say("profiles and drift")
    drift.profile_inputs(stories)
    say("reviews of outputs")
    outputs.review_outputs(stories)
    say("versions beside each other")
    comparisons.compare_versions(stories)
    judge(Series.objects.filter(judge_asked_at__isnull=False).values_list("pk", flat=True))
    say("gates")
    assess()
    misfits += waivers.waive_now(stories, NEXT)
    misfits += present.review_now(stories, NEXT)
    say("the board")
    misfits += board.meet(stories, cast, NEXT)
    calls.call_reviews(stories)
    breaches.decide(stories)
    reassess()
    dashboards.arrange(stories, cast)
    people = sum(len(p) for roles in (cast.everywhere, *cast.by_unit.values()) for p in roles.values())
    return Made(len(stories), people, points, misfits)


def _stories(raw: dict[str, Any], now: datetime) -> tuple[list[Story], Cast, Rows]:
    root = BusinessUnit.objects.filter(parent__isnull=True).first() or create_unit(
        code="organisation", name=raw["organisation"], by=SYSTEM
    )
    units = [create_unit(code=u["code"], name=u["name"], parent=root, by=SYSTEM) for u in raw["units"]]
    cast = make_cast(root, units, raw["names"]["given"], raw["names"]["family"])
    rows = Rows()
    stories: list[Story] = []
    for unit, lines in zip(units, (u["use_cases"] for u in raw["units"]), strict=True):
        for name, kind, tier, stage, kpi, health in lines:
            n = len(stories) + 1
            rng = random.Random(SEED + n)  # noqa: S311  # a story has to be the same every time; nothing is secret
            stories.append(Story(n, name, kind, tier, stage, kpi, health, unit, cast, rows, now, rng))
    return stories, cast, rows


def _write(stories: list[Story], rows: Rows, uow: UnitOfWork) -> int:
    for story in stories:
        use_case = fields.use_case(story)
        fields.plan(story)
        _facts(story)
        metrics.watch(story)
        uow.record(
            "use_case.created",
            subject=use_case,
            use_case=use_case,
            after={"key": use_case.key, "name": use_case.name, "stage": use_case.stage},
            note="Demonstration history",
        )
    _newest_is_current(rows)
    points = len(rows.of(Point))
    rows.save(
        UseCase,
        OperatingPlan,
        StageChange,
        Kpi,
        AiModel,
        ModelVersion,
        Dataset,
        Evidence,
        Document,
        IntegrationPoint,
        Series,
        Rule,
    )
    grants = [grant for story in stories for grant in people_rows.grants(story)]
    assign_roles_bulk(grants=grants, by=SYSTEM, reason="Demonstration organisation")
    RoleAssignment.objects.filter(scope_kind="unit").update(
        starts_at=min(s.created for s in stories) - timedelta(days=200)
    )
    for story in stories:
        RoleAssignment.objects.filter(scope_id=story.use_case.pk).update(starts_at=story.created)
    return points


def _newest_is_current(rows: Rows) -> None:
    """Of two answer sets to the same questionnaire the later one counts."""
    newest: dict[tuple[Any, str], QuestionnaireResponse] = {}
    for row in sorted(rows.of(QuestionnaireResponse), key=lambda r: r.answered_at):
        key = (row.use_case_id, row.questionnaire)
        if key in newest:
            newest[key].is_current = False
        row.is_current = True
        newest[key] = row


def _facts(story: Story) -> None:
    """Facts of every gate passed, a few days before its decision; then as much of the next gate as the story says."""
    for gate, when in sorted(story.passed.items(), key=lambda pair: pair[1]):
        for make in FACTS[gate].values():
            make(story, when - timedelta(days=5, hours=3))
    following = NEXT.get(story.stage)
    if following is None:
        return
    at = story.ago(120 if story.health == "stalled" else 4)
    for criterion, make in FACTS[following].items():
        share = 0.0 if criterion in NEVER_KEPT_BACK else KEPT_BACK.get(story.health, 0.0)
        if story.rng.random() >= share:
            make(story, max(at, story.created + timedelta(hours=2)))
