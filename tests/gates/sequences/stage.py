"""Where the sequences play: a policy of three gates, one use case, and a cast with every role there is to abuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import time_machine
from django.db.models import Model
from django.utils import timezone

import ledger
from accounts.models import User
from portfolio.models import UseCase
from portfolio.services import set_tier
from tests.factories.accounts import PersonFactory, ServiceAccountFactory, give, person_with
from tests.factories.gates import publish
from tests.factories.portfolio import UnitFactory, UseCaseFactory, organisation

GATES = (
    ("idea_to_poc", "idea", "poc"),
    ("poc_to_pilot", "poc", "pilot"),
    ("pilot_to_production", "pilot", "production"),
)
SIGNERS = {
    "minimal": ("business_owner",),
    "limited": ("business_owner", "technical_lead"),
    "high": ("business_owner", "technical_lead", "risk_compliance", "ai_governance_board"),
}
FIELDS = {"1": "problem_statement", "2": "target_users"}
"""Criteria by their last figure, and the field that each asks for."""
EVERYWHERE = "{minimal: mandatory, limited: mandatory, high: mandatory}"
START = datetime(2026, 11, 21, 10, tzinfo=timezone.get_current_timezone())


def policy_text() -> str:
    lines = ["policy: walk", "title: Walk", "version: 1.0.0", "primary: true", "gates:"]
    for gate, source, target in GATES:
        lines += [f"  {gate}:", f"    title: {gate}", f"    from: {source}", f"    to: {target}", "    criteria:"]
        for figure, name in FIELDS.items():
            params, waivable = f"{{fields: [{name}]}}", "true" if figure == "1" else "false"
            lines += _criterion(f"{_prefix(gate)}-0{figure}", "field_present", params, waivable)
        lines += _criterion(f"{_prefix(gate)}-09", "approval", "{matrix: tier}", "false")
    lines.append("approval_matrix:")
    for gate, _source, _target in GATES:
        lines.append(f"  {gate}:")
        for tier, roles in SIGNERS.items():
            lines.append(f"    {tier}: {{signers: [{', '.join(roles)}], decision_sla_days: 10}}")
    lines += ["review_cadence_days: {minimal: 365, limited: 180, high: 90}", "sign_off_validity_days: 30"]
    lines += ["waivers:", "  max_days: {minimal: 365, limited: 365, high: 90}"]
    return "\n".join(lines) + "\n"


def _criterion(key: str, kind: str, params: str, waivable: str) -> list[str]:
    return [
        f"    - id: {key}",
        f"      title: {key}",
        f"      type: {kind}",
        f"      params: {params}",
        f"      applies: {EVERYWHERE}",
        f"      waivable: {waivable}",
        "      owner: business_owner",
    ]


def _prefix(gate: str) -> str:
    return {"idea_to_poc": "IP", "poc_to_pilot": "PP", "pilot_to_production": "PR"}[gate]


def criteria_of(gate: str) -> list[str]:
    return [f"{_prefix(gate)}-0{figure}" for figure in ("1", "2", "9")]


@dataclass
class Stage:
    """The use case, its people, and what the walk remembers of it."""

    use_case: UseCase
    people: list[User]
    by_role: dict[str, list[User]]
    random: Random
    done: list[str] = field(default_factory=list)
    """What succeeded, in order: how a failing sequence is read."""
    digests: list[str] = field(default_factory=list)
    """Digests that were ever current, to be tried again on what they no longer belong to."""
    closed: dict[UUID, str] = field(default_factory=dict)
    """Reviews that closed, with their state: none of them ever changes again."""
    seen_decisions: set[UUID] = field(default_factory=set)

    def one(self, role: str) -> User:
        """Somebody of a role, or sooner or later anybody."""
        if self.random.random() < 0.15:
            return self.anybody()
        return fresh(self.random.choice(self.by_role[role]))

    def anybody(self) -> User:
        return fresh(self.random.choice(self.people))

    def now(self) -> UseCase:
        return UseCase.objects.select_related("unit").get(pk=self.use_case.pk)


def fresh(user: User) -> User:
    """Somebody without what an earlier request remembered of their rights."""
    return User.objects.get(pk=user.pk)


@dataclass(frozen=True)
class Cast:
    """The use case and everybody who has, or wants to have, to do with it; made once for many sequences."""

    use_case: UseCase
    people: list[User]
    by_role: dict[str, list[User]]

    def enter(self, random: Random) -> Stage:
        """A sequence begins: at a tier of its own, with everything as it was."""
        tier = random.choice(("minimal", "limited", "limited", "high"))
        set_tier(use_case=self.use_case, tier=tier, source="questionnaire", legal_hold=False, by=ledger.SYSTEM)
        return Stage(self.use_case, self.people, self.by_role, random)


@time_machine.travel(START - timedelta(days=30), tick=False)
def make_cast() -> Cast:
    """The same people every time; the walk shuffles what they do. Several hold two roles, to try to use both."""
    publish(policy_text())
    use_case = UseCaseFactory.create(
        unit=UnitFactory.create(), problem_statement="Letters take two weeks.", target_users="Clerks"
    )
    root = organisation()
    by_role: dict[str, list[User]] = {}

    def cast(role: str, on: Model, count: int) -> None:
        by_role[role] = [person_with(role, on) for _n in range(count)]

    cast("use_case_lead", use_case, 2)
    cast("business_owner", use_case, 2)
    cast("technical_lead", use_case, 2)
    cast("business_sponsor", use_case, 1)
    cast("risk_compliance", root, 2)
    cast("ai_governance_board", root, 5)
    cast("portfolio_manager", root, 2)
    give(by_role["use_case_lead"][0], "business_owner", use_case)
    give(by_role["business_owner"][1], "technical_lead", use_case)
    give(by_role["ai_governance_board"][4], "technical_lead", use_case)
    machine = ServiceAccountFactory.create()
    give(machine, "service_account", use_case)
    administrator = person_with("system_admin", root)
    people = list({p.pk: p for group in by_role.values() for p in group}.values())
    return Cast(use_case, [*people, machine, administrator, PersonFactory.create()], by_role)


def later(moment: datetime, days: float) -> datetime:
    return moment + timedelta(days=days)
