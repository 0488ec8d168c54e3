"""One use case of the demonstration: what it is, what happened when, and who was there."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from accounts.models import User
from gates.demonstration.cast import Cast
from gates.demonstration.rows import Rows, stable_id
from portfolio.models import BusinessUnit, UseCase

GATES = ("idea_to_poc", "poc_to_pilot", "pilot_to_production", "production_to_operations")
STAGES = ("idea", "poc", "pilot", "production", "operations")
GENERATIVE = frozenset({"llm", "agent", "speech"})


@dataclass(slots=True)
class Kind:
    """What a kind of system is like: its metric, its purpose, what it is built on."""

    metric: str
    good: Decimal
    purpose: str
    users: str
    alternative: str
    vendor: str = ""


KINDS = {
    "llm": Kind(
        "task_success",
        Decimal("93.5"),
        "drafts or finds text that people check",
        "case handlers",
        "templates and search",
        "Model supplier with full terms",
    ),
    "agent": Kind(
        "task_success",
        Decimal("91.2"),
        "carries out steps in other systems on request",
        "customers and staff",
        "forms and call centre",
        "Model supplier with full terms",
    ),
    "classifier": Kind(
        "f1", Decimal("0.893"), "sorts cases so that the right one is seen first", "specialists", "manual rules"
    ),
    "forecaster": Kind("f1", Decimal("0.881"), "warns or plans ahead of time", "planners", "last year's figures"),
    "vision": Kind("f1", Decimal("0.902"), "looks at pictures before a person does", "inspectors", "visual inspection"),
    "speech": Kind(
        "f1", Decimal("0.887"), "turns speech into text or a decision about it", "call handlers", "typing by hand"
    ),
    "extraction": Kind("f1", Decimal("0.934"), "reads fields from documents", "back office", "keying by hand"),
    "recommender": Kind("f1", Decimal("0.872"), "suggests the next step", "advisers", "experience"),
    "optimiser": Kind("f1", Decimal("0.889"), "plans work under constraints", "dispatchers", "spreadsheets"),
}


@dataclass(slots=True)
class Story:
    """Everything that the row makers need to know of one use case."""

    n: int
    name: str
    kind: str
    tier: str
    stage: str
    kpi: str
    health: str
    unit: BusinessUnit
    cast: Cast
    rows: Rows
    today: datetime
    rng: random.Random
    use_case: UseCase = field(init=False)
    passed: dict[str, datetime] = field(default_factory=dict)
    """Gate -> when it was decided."""
    created: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._dates()

    @property
    def traits(self) -> Kind:
        return KINDS[self.kind]

    @property
    def generative(self) -> bool:
        return self.kind in GENERATIVE

    @property
    def judged_as(self) -> str:
        return self.tier if self.tier in ("minimal", "limited", "high") else "high"

    def id(self, *parts: object) -> UUID:
        return stable_id(self.n, *parts)

    def person(self, role: str, n: int | None = None) -> User:
        return self.cast.one(self.unit.code, role, self.n if n is None else n)

    def ago(self, days: float) -> datetime:
        return self.today - timedelta(days=days)

    def latest(self, hour: int) -> datetime:
        """The last time that the clock (UTC) struck this hour."""
        struck = self.today.replace(hour=hour, minute=0, second=0, microsecond=0)
        return struck if struck <= self.today else struck - timedelta(days=1)

    def wobble(self, value: Decimal, share: float = 0.01) -> Decimal:
        """A value near ``value``, the same every time."""
        factor = Decimal(str(round(1 + self.rng.uniform(-share, share), 4)))
        return (value * factor).quantize(Decimal("0.001"))

    def day(self, moment: datetime) -> date:
        return moment.date()

    def _dates(self) -> None:
        """From the stage back: how long each stage took. Long enough for the gates, recent enough for the evidence."""
        if self.tier == "prohibited":  # the intake screen stopped it
            self.created = self.ago(self.rng.randint(90, 140))
            return
        reached = {"retired": 4, "stopped": 1}.get(self.stage)
        if reached is None:
            reached = STAGES.index(self.stage)
        in_stage = self.rng.randint(22, 48)
        if self.health in ("stalled", "stopped"):
            in_stage = self.rng.randint(150, 210)
        if self.stage == "retired":
            in_stage = self.rng.randint(200, 260)
        lengths = {"idea_to_poc": 40, "poc_to_pilot": 55, "pilot_to_production": 75, "production_to_operations": 80}
        moment = self.ago(in_stage).replace(hour=14, minute=self.rng.randint(0, 59))
        if reached == 0:
            self.created = self.ago(self.rng.randint(8, 40) if self.health != "stalled" else 190)
            return
        for gate in reversed(GATES[:reached]):
            self.passed[gate] = moment
            moment -= timedelta(days=lengths[gate] + self.rng.randint(0, 20))
        self.created = moment
