"""What a draft policy would change: every use case judged by what is in force and by the draft, over the same facts.

Use cases are taken a thousand at a time: facts are loaded once for both policies, a criterion that is the same in both
is judged once, progress is what was really done, and memory does not grow with the portfolio.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from gates.criterion import Facts, Outcome
from gates.engine import FactBase, GateResult, Judged, judge, judge_gate
from gates.in_force import InForce, Rules, body_of, rules_in_force
from gates.models import GateAssurance, PolicyVersion, Simulation
from gates.policy import Gate, PolicyBody
from gates.policy_extension import merge
from kernel.errors import DomainError
from portfolio.models import UseCase

logger = logging.getLogger(__name__)
AT_ONCE = 1000
State = Simulation.State
BLOCKS, RELEASES, MORE, LESS = "blocks", "releases", "more", "less"
AT_RISK, SECURED = "at_risk", "secured"
UNSURE = frozenset({Outcome.NOT_MET, Outcome.STALE, Outcome.MISSING, Outcome.ERROR})


class Stopped(Exception):
    """Somebody stopped the run, or its draft is gone."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Before and after at one place of the organisation; None where a side does not judge."""

    before: PolicyBody | None
    after: PolicyBody | None


@dataclass(slots=True)
class Outcomes:
    """What a run has found so far."""

    judged: int = 0
    passing: list[int] = field(default_factory=lambda: [0, 0])
    signers: Counter[str] = field(default_factory=Counter)
    turns: list[dict[str, Any]] = field(default_factory=list)
    criteria: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        counts = Counter(turn["direction"] for turn in self.turns)
        names = (BLOCKS, RELEASES, MORE, LESS, AT_RISK, SECURED)
        return {
            "judged": self.judged,
            "passing_before": self.passing[0],
            "passing_after": self.passing[1],
            "counts": {name: counts[name] for name in names},
            "signers": {name: self.signers[name] for name in ("more", "fewer")},
            "criteria": sorted(self.criteria.values(), key=lambda c: (-c["closes"] - c["opens"], c["criterion"])),
            "turns": self.turns,
        }


def simulate(simulation_id: UUID) -> None:
    """Carry out a simulation that was asked for. Running it twice does nothing: the first takes it."""
    if not _turn(simulation_id, State.QUEUED, state=State.RUNNING):
        return
    simulation = Simulation.objects.select_related("draft__policy__unit").get(pk=simulation_id)
    try:
        found = _run(simulation)
    except Stopped:
        return
    except Exception as wrong:
        known = isinstance(wrong, DomainError)
        said = str(wrong) if known else f"It could not be carried out ({type(wrong).__name__}). Tell an administrator."
        _turn(simulation_id, State.RUNNING, state=State.FAILED, error=said[:300], finished_at=timezone.now())
        if not known:
            logger.exception("simulation_failed", extra={"simulation": str(simulation_id)})
        return
    now = timezone.now()
    _turn(simulation_id, State.RUNNING, state=State.DONE, result=found, done=found["judged"], finished_at=now)


def _run(simulation: Simulation) -> dict[str, Any]:
    draft, at = simulation.draft, timezone.now()
    sides = _sides(draft)
    rows = UseCase.objects.order_by("key")
    if draft.policy.unit is not None:
        rows = rows.filter(unit__path__startswith=draft.policy.unit.path)
    ids = list(rows.values_list("pk", flat=True))
    if not _turn(simulation.pk, State.RUNNING, total=len(ids), done=0, draft_digest=draft.digest):
        raise Stopped
    found = Outcomes()
    for start in range(0, len(ids), AT_ONCE):
        _judge_some(ids[start : start + AT_ONCE], rows, sides, at, found)
        if not _turn(simulation.pk, State.RUNNING, done=min(start + AT_ONCE, len(ids))):
            raise Stopped
    found.judged = len(ids)
    return found.plain()


def _turn(pk: UUID, expected: str, **values: Any) -> bool:
    """Write only while it is in the state that is expected: whoever stopped it meanwhile is not overruled."""
    return Simulation.objects.filter(pk=pk, state=expected).update(**values) == 1


class _Places:
    """The two policies at each path of a unit, worked out once a path."""

    def __init__(self, before: Rules, after: Rules, side: str = "") -> None:
        self.before, self.after, self.side = before, after, side
        self._known: dict[str, Sides] = {}

    def at(self, path: str) -> Sides:
        if path not in self._known:
            self._known[path] = Sides(_chosen(self.before, path, self.side), _chosen(self.after, path, self.side))
        return self._known[path]

    def needs(self) -> frozenset[str]:
        return frozenset({"profile"}) | self.before.needs() | self.after.needs()


def _sides(draft: PolicyVersion) -> _Places:
    """What is in force, and what would be if the draft were published now."""
    rules, body = rules_in_force(), body_of(draft)
    mine: InForce = (draft, body)
    if draft.policy.unit is not None:
        return _Places(rules, replace(rules, extensions={**rules.extensions, draft.policy.unit.path: mine}))
    others = [row for row in rules.policies if row[0].policy_id != draft.policy_id]
    if not draft.policy.is_primary:
        return _Places(rules, Rules((*others, mine), {}), side=draft.policy.key)
    extensions = {
        path: (version, merge(version.source, body, version.policy.key, leave_out=True, label=version.label).body)
        for path, (version, _body) in rules.extensions.items()
    }
    return _Places(rules, Rules((mine, *others), extensions))


def _chosen(rules: Rules, path: str, side: str) -> PolicyBody | None:
    if side:
        return next((body for version, body in rules.policies if version.policy.key == side), None)
    return rules.primary_at(path)[1]


def _judge_some(ids: Sequence[UUID], rows: QuerySet[UseCase], places: _Places, at: datetime, found: Outcomes) -> None:
    base = FactBase(ids, places.needs(), at)
    names = {row["pk"]: row for row in rows.filter(pk__in=ids).values("pk", "key", "name", "unit__name", "unit__path")}
    passed: dict[UUID, list[str]] = {}
    kept = GateAssurance.objects.filter(use_case__in=ids).order_by("decision__decided_at", "pk")
    for pk, gate in kept.values_list("use_case_id", "gate"):
        passed.setdefault(pk, []).append(gate)
    for pk in base.ids:
        sides = places.at(names[pk]["unit__path"])
        if sides.before is sides.after:
            continue
        facts = base.of(pk)
        about = _Case(pk, names[pk], facts, sides, at)
        for turn in (*about.next_gate(found), *about.assurance(passed.get(pk, []))):
            found.turns.append(turn)
            _count(found, turn)


class _Case:
    """One use case on both sides."""

    def __init__(self, pk: UUID, named: Mapping[str, Any], facts: Facts, sides: Sides, at: datetime) -> None:
        self.pk, self.named, self.facts, self.sides, self.at = pk, named, facts, sides, at
        profile = facts["profile"]
        self.stage = profile["stage"]
        self.bodies = [body if body and body.judges_facts(profile) else None for body in (sides.before, sides.after)]

    def next_gate(self, found: Outcomes) -> Iterator[dict[str, Any]]:
        gates = [body.next_gate(self.stage) if body else None for body in self.bodies]
        self._signers(gates, found)
        few = self._where_they_differ(gates)
        if few is not None and not any(_differences(*few, _blocking)):
            ready = self._ready(gates, few[0])
            found.passing[0] += ready
            found.passing[1] += ready
            return
        before, after = self._both(gates)
        found.passing[0] += bool(before and before.ready)
        found.passing[1] += bool(after and after.ready)
        closed, opened = _differences(before, after, _blocking)
        was, now = (result.ready if result else True for result in (before, after))
        if was != now:
            yield self._turn(after or before, BLOCKS if was else RELEASES, closed if was else opened, before, after)
        elif closed or opened:
            yield self._turn(after or before, MORE if closed else LESS, closed or opened, before, after)

    def assurance(self, gates: list[str]) -> Iterator[dict[str, Any]]:
        """Gates already passed, which stay judged."""
        for position, key in enumerate(gates):
            newest = position == len(gates) - 1
            there = [body.gates.get(key) if body else None for body in self.bodies]

            def at_risk(result: GateResult, *, newest: bool = newest) -> dict[str, Judged]:
                counted = UNSURE if newest else {Outcome.NOT_MET}
                rows = (j for j in result.judged if j.blocks and not j.signs and not j.criterion.once)
                return {j.criterion.id: j for j in rows if j.finding.outcome in counted}

            few = self._where_they_differ(there)
            if few is not None and not any(_differences(*few, at_risk)):
                continue
            before, after = self._both(there)
            closed, opened = _differences(before, after, at_risk)
            was = bool(before and at_risk(before))
            now = bool(after and at_risk(after))
            if was != now:
                yield self._turn(after or before, AT_RISK if now else SECURED, closed if now else opened, before, after)

    def _where_they_differ(self, gates: list[Gate | None]) -> tuple[GateResult, GateResult] | None:
        """Both results over the criteria that are not the same: where none of them turns, nothing does.

        None when one side does not have the gate.
        """
        before, after = gates
        if before is None or after is None or before.key != after.key or not self.bodies[0] or not self.bodies[1]:
            return None
        sides = zip(_differing(_Pair(before, after)), self.bodies, strict=True)
        was, now = (judge_gate(self.pk, self.facts, gate, body, self.at) for gate, body in sides if body)
        return was, now

    def _ready(self, gates: list[Gate | None], few: GateResult) -> bool:
        """Whether a gate passes, asked criterion by criterion and only until one stands against it."""
        gate = gates[0]
        if gate is None or few.blockers or few.open():
            return False
        judged = (
            Judged(c, mandatory=True, finding=judge(c, self.facts, gate.key, few.tier, self.at))
            for c in gate.criteria
            if c.applies[few.tier] == "mandatory"
        )
        return not any(j.blocks and not j.signs for j in judged)

    def _both(self, gates: list[Gate | None]) -> tuple[GateResult | None, GateResult | None]:
        """Both results; what is the same criterion on both sides is judged once."""
        before = (
            judge_gate(self.pk, self.facts, gates[0], self.bodies[0], self.at) if gates[0] and self.bodies[0] else None
        )
        if not gates[1] or not self.bodies[1]:
            return before, None
        if before is None or gates[0] is None or gates[0].key != gates[1].key:
            return before, judge_gate(self.pk, self.facts, gates[1], self.bodies[1], self.at)
        same = _same(_Pair(gates[0], gates[1]))
        known = {j.criterion.id: j for j in before.judged}
        judged = tuple(
            known[c.id]
            if c.id in same
            else Judged(
                c, c.applies[before.tier] == "mandatory", judge(c, self.facts, gates[1].key, before.tier, self.at)
            )
            for c in gates[1].criteria
        )
        return before, replace(before, policy=self.bodies[1], gate=gates[1], judged=judged)

    def _signers(self, gates: list[Gate | None], found: Outcomes) -> None:
        tier = self.facts["profile"]["tier"]
        slots = [b.slots(g.key, tier) if b and g else None for b, g in zip(self.bodies, gates, strict=True)]
        was, now = (set(s.signers) if s else set() for s in slots)
        if was != now:
            found.signers["more" if now - was else "fewer"] += 1

    def _turn(
        self,
        result: GateResult | None,
        direction: str,
        criteria: list[str],
        before: GateResult | None,
        after: GateResult | None,
    ) -> dict[str, Any]:
        old = {j.criterion.id: j for j in before.judged} if before else {}
        new = {j.criterion.id: j for j in after.judged} if after else {}
        return {
            "use_case": str(self.pk),
            "key": self.named["key"],
            "name": self.named["name"],
            "unit": self.named["unit__name"],
            "tier": self.facts["profile"]["tier"],
            "stage": self.stage,
            "gate": result.gate.key if result else "",
            "gate_title": result.gate.title if result else "",
            "direction": direction,
            "criteria": [_said(name, old.get(name), new.get(name)) for name in criteria],
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Two gates, compared by identity: policies are parsed once a process."""

    before: Gate
    after: Gate

    def __hash__(self) -> int:
        return hash((id(self.before), id(self.after)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pair) and self.before is other.before and self.after is other.after


@lru_cache(maxsize=256)
def _same(pair: _Pair) -> frozenset[str]:
    """Criteria that are the same on both sides."""
    known = {c.id: c for c in pair.before.criteria}
    return frozenset(c.id for c in pair.after.criteria if known.get(c.id) == c)


@lru_cache(maxsize=256)
def _differing(pair: _Pair) -> tuple[Gate, Gate]:
    """Both gates with only the criteria that are not the same on both sides."""
    same = _same(pair)
    before, after = (
        replace(gate, criteria=tuple(c for c in gate.criteria if c.id not in same))
        for gate in (pair.before, pair.after)
    )
    return before, after


def _blocking(result: GateResult) -> dict[str, Judged]:
    return {j.criterion.id: j for j in result.open()}


def _differences(before: GateResult | None, after: GateResult | None, which: Any) -> tuple[list[str], list[str]]:
    """Criteria that come to stand against it, and those that no longer do."""
    old = which(before) if before else {}
    new = which(after) if after else {}
    return [name for name in new if name not in old], [name for name in old if name not in new]


def _said(name: str, before: Judged | None, after: Judged | None) -> dict[str, Any]:
    there = after or before
    assert there is not None
    return {
        "id": name,
        "title": there.criterion.title,
        "before": _outcome(before),
        "after": _outcome(after),
        "reason": (there.finding.reason if after else "No longer asked.")[:200],
    }


def _outcome(judged: Judged | None) -> str:
    if judged is None:
        return ""
    return str(judged.finding.outcome) if judged.mandatory else f"{judged.finding.outcome}, advisory"


def _count(found: Outcomes, turn: Mapping[str, Any]) -> None:
    closes = turn["direction"] in (BLOCKS, MORE, AT_RISK)
    for row in turn["criteria"]:
        key = (turn["gate"], row["id"])
        counted = found.criteria.setdefault(
            key, {"gate": turn["gate"], "criterion": row["id"], "title": row["title"], "closes": 0, "opens": 0}
        )
        counted["closes" if closes else "opens"] += 1
