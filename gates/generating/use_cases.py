"""Synthetic use cases with what belongs to the portfolio: history, KPIs, measurements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from accounts.services.bulk import Grant
from gates.generating.names import KPIS, STAGES, TASKS, TIERS, TRACK
from gates.generating.organisation import Division, Organisation
from gates.generating.rows import Chance, Rows
from ledger import state
from portfolio.models import Kpi, KpiMeasurement, StageChange, UseCase

SHOWN = (
    "key", "name", "unit", "summary", "stage", "status", "tier", "tier_source", "third_party", "personal_data",
    "affects_people", "generative_or_agentic", "jurisdictions", "problem_statement", "objective",
)  # fmt: skip
KPI_SHOWN = ("key", "version", "name", "unit", "direction", "baseline", "target", "window_days", "is_primary")
MEASURED = ("window_start", "window_end", "value", "sample_size", "source")
_YES_NO_UNKNOWN = ((True, 40), (False, 45), (None, 15))


@dataclass(frozen=True, slots=True)
class Made:
    """A use case that was made, and the people it was given."""

    use_case: UseCase
    technical_lead: User
    business_owner: User
    lead: User

    def reached(self, stage: str) -> bool:
        """Whether it has come at least as far as that stage."""
        at = self.use_case.stage
        if at not in TRACK:
            return stage != "operations"
        return TRACK.index(at) >= TRACK.index(stage)

    def grants(self) -> list[Grant]:
        held = (
            ("technical_lead", self.technical_lead),
            ("business_owner", self.business_owner),
            ("use_case_lead", self.lead),
        )
        return [Grant(user, role, self.use_case) for role, user in held]


def make_use_case(number: int, organisation: Organisation, chance: Chance, rows: Rows) -> Made:
    division = chance.choice(organisation.divisions)
    made = _with_people(_use_case(number, division, chance), division, chance)
    use_case = rows.add(made.use_case)
    rows.tell("use_case.created", use_case, use_case, state(use_case, SHOWN))
    _add_history(use_case, chance, rows)
    if made.reached("poc") and chance.happens(0.92):
        _add_kpi(made, chance, rows)
    return made


def _with_people(use_case: UseCase, division: Division, chance: Chance) -> Made:
    return Made(
        use_case,
        technical_lead=chance.choice(division.technical_leads),
        business_owner=chance.choice(division.business_owners),
        lead=chance.choice(division.leads),
    )


def _use_case(number: int, division: Division, chance: Chance) -> UseCase:
    unit = chance.choice(division.departments)
    task, summary = chance.choice(TASKS)
    area = unit.name.rpartition(": ")[2]
    stage, tier = chance.one(STAGES), chance.one(TIERS)
    created = chance.ago(900, 120)
    use_case = UseCase(
        id=chance.key(),
        key=f"SYN-{number:05d}",
        name=f"{area.capitalize()} {task} {number}",
        unit=unit,
        summary=summary,
        stage=stage,
        stage_since=created,
        status="closed" if stage in {"retired", "stopped"} else "on_hold" if chance.happens(0.04) else "active",
        tier=tier,
        tier_source="questionnaire" if tier else "",
        created_at=created,
        jurisdictions=chance.choice((["EU"], ["EU", "CH"], ["EU", "US"], [])),
        **{name: chance.one(_YES_NO_UNKNOWN) for name in ("third_party", "personal_data", "affects_people")},
        generative_or_agentic=task in {"assistant", "summaries", "translation", "code review", "search"},
    )
    if chance.happens(0.8):
        _add_intake(use_case, area, task)
    return use_case


def _add_intake(use_case: UseCase, area: str, task: str) -> None:
    use_case.problem_statement = f"In {area}, {task} is done by hand: slowly, and differently by everybody."
    use_case.target_users = f"Everybody who works in {area}"
    use_case.non_ai_alternative = "A rule book and more people"
    use_case.objective = f"Halve the time that {area} spends on it within a year"
    use_case.strategic_goal = "Faster, with the same care"


def _add_history(use_case: UseCase, chance: Chance, rows: Rows) -> None:
    """The stages it went through, up to the one it is in; that one since the last change."""
    end = use_case.stage
    path = (
        list(TRACK[: TRACK.index(end) + 1])
        if end in TRACK
        else ["idea", "poc", *(["pilot"] if chance.happens(0.5) else []), end]
    )
    at, before = use_case.created_at, ""
    step = max((chance.morning - at).days // (len(path) + 1), 1)
    for stage in path:
        rows.add(StageChange(use_case=use_case, from_stage=before, to_stage=stage, at=at, reason="Synthetic portfolio"))
        use_case.stage_since, before = at, stage
        at += timedelta(days=chance.randint(1, step), minutes=chance.randrange(1440))


def _add_kpi(made: Made, chance: Chance, rows: Rows) -> None:
    key, name, unit, direction, baseline, target = chance.choice(KPIS)
    locked = made.reached("pilot")
    kpi = rows.add(
        Kpi(
            id=chance.key(),
            use_case=made.use_case,
            key=key,
            name=name,
            unit=unit,
            direction=direction,
            baseline=Decimal(baseline),
            baseline_date=made.use_case.created_at.date(),
            baseline_source="Time study",
            target=Decimal(target),
            target_date=(chance.morning + timedelta(days=chance.randint(30, 400))).date(),
            window_days=28,
            is_primary=True,
            locked_at=made.use_case.stage_since if locked else None,
            created_at=made.use_case.created_at,
        )
    )
    rows.tell("kpi.defined", kpi, made.use_case, state(kpi, KPI_SHOWN))
    if locked:
        _add_measurements(kpi, made, chance, rows)


def _add_measurements(kpi: Kpi, made: Made, chance: Chance, rows: Rows) -> None:
    """Four weeks each, closing part of the gap; as the last window ended a few days ago or a few months."""
    end: datetime = chance.ago(120, 3)
    baseline, target = kpi.baseline or Decimal(0), kpi.target or Decimal(0)
    for back in reversed(range(chance.randint(1, 3))):
        until = (end - timedelta(days=28 * back)).date()
        share = Decimal(chance.randint(10, 120)) / 100
        measurement = rows.add(
            KpiMeasurement(
                kpi=kpi,
                window_start=until - timedelta(days=27),
                window_end=until,
                value=(baseline + (target - baseline) * share).quantize(Decimal("0.01")),
                sample_size=chance.randint(80, 4000),
                source="Data warehouse",
                recorded_by=made.business_owner,
                recorded_at=end,
            )
        )
        after: dict[str, Any] = {"kpi": kpi.key, "version": kpi.version, "unit": kpi.unit}
        rows.tell("kpi.measured", measurement, made.use_case, {**after, **state(measurement, MEASURED)})
