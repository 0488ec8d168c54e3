"""What differs between two policies, rule by rule, and whether it asks for more or for less than before."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from accounts.roles import role_name
from gates.criterion import plain, with_unit
from gates.policy import TIERS, Criterion, Gate, PolicyBody, Slots

STRICTNESS = {"not_applicable": 0, "advisory": 1, "mandatory": 2}
GENERAL = "general"


class Effect(StrEnum):
    TIGHTENED = "tightened"
    LOOSENED = "loosened"
    CHANGED = "changed"
    """Neither more nor less: it asks for something else."""
    REWORDED = "reworded"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``gate`` is ``general`` for what concerns no single gate; ``rule`` a criterion, or a key."""

    gate: str
    rule: str
    title: str
    what: str
    before: str
    after: str
    effect: Effect

    def plain(self) -> dict[str, str]:
        names = ("gate", "rule", "title", "what", "before", "after")
        return {**{name: getattr(self, name) for name in names}, "effect": str(self.effect)}


@dataclass(frozen=True, slots=True)
class _Rule:
    """The rule that changes are about."""

    gate: str
    rule: str
    title: str

    def change(self, what: str, pair: Iterable[Any], effect: Effect) -> Change:
        was, now = map(str, pair)
        return Change(self.gate, self.rule, self.title, what, was, now, effect)


def changes(before: PolicyBody, after: PolicyBody) -> list[Change]:
    """Every difference, gate by gate, what concerns the whole policy last."""
    found: list[Change] = []
    for key in dict.fromkeys([*before.gates, *after.gates]):
        old, new = before.gates.get(key), after.gates.get(key)
        found += _gate(key, old, new)
        found += _slots(key, before.matrix.get(key, {}), after.matrix.get(key, {}))
    return [*found, *_general(before, after)]


def _gate(key: str, old: Gate | None, new: Gate | None) -> Iterator[Change]:
    if old is None or new is None:
        there = new or old
        assert there is not None
        effect = Effect.LOOSENED if new is None else Effect.TIGHTENED
        count = f"{len(there.criteria)} criteria"
        yield Change(key, key, there.title, "gate", count if old else "", count if new else "", effect)
        return
    if old.title != new.title:
        yield Change(key, key, new.title, "title", old.title, new.title, Effect.REWORDED)
    way = [f"{', '.join(g.from_stages)} → {g.to_stage}" for g in (old, new)]
    if way[0] != way[1]:
        yield _Rule(key, key, new.title).change("stages", way, Effect.CHANGED)
    was, now = ({c.id: c for c in gate.criteria} for gate in (old, new))
    for name in dict.fromkeys([*was, *now]):
        yield from _criterion(key, was.get(name), now.get(name))


def _criterion(gate: str, old: Criterion | None, new: Criterion | None) -> Iterator[Change]:
    if old is None or new is None:
        there = new or old
        assert there is not None
        effect = Effect.LOOSENED if new is None else Effect.TIGHTENED
        modes = _modes(there.applies)
        yield Change(gate, there.id, there.title, "criterion", modes if old else "", modes if new else "", effect)
        return
    about = _Rule(gate, new.id, new.title)
    for tier in TIERS:
        if old.applies[tier] != new.applies[tier]:
            words = (m.replace("_", " ") for m in (old.applies[tier], new.applies[tier]))
            rise = STRICTNESS[new.applies[tier]] - STRICTNESS[old.applies[tier]]
            yield about.change(f"{tier} tier", words, _more(rise))
    yield from _threshold(old, new, about)
    for tier in TIERS:
        days = old.validity_days.get(tier), new.validity_days.get(tier)
        if days[0] != days[1]:
            yield about.change(f"validity, {tier} tier", map(_days, days), _shorter(*days))
    yield from _sets("voided by", old.invalidated_by, new.invalidated_by, about)
    yield from _flags(old, new, about)
    yield from _wording(old, new, about)


def _threshold(old: Criterion, new: Criterion, about: _Rule) -> Iterator[Change]:
    was, now = old.threshold, new.threshold
    if was is None or now is None:
        if was is not now:
            there = now or was
            assert there is not None
            shown = ", ".join(f"{tier} {there.op} {plain(there.by_tier[tier])}" for tier in TIERS)
            effect = Effect.LOOSENED if now is None else Effect.TIGHTENED
            yield about.change("threshold", (shown if was else "", shown if now else ""), effect)
        return
    if (was.measure, was.op, was.unit) != (now.measure, now.op, now.unit):
        words = (" ".join(filter(None, (t.measure, t.op, t.unit))) for t in (was, now))
        yield about.change("threshold is about", words, Effect.CHANGED)
    for tier in TIERS:
        a, b = was.by_tier[tier], now.by_tier[tier]
        if a != b:
            effect = Effect.CHANGED if now.op == "==" or was.op != now.op else _more((b - a) * _sign(now.op))
            words = (f"{t.op} {with_unit(plain(t.by_tier[tier]), t.unit)}" for t in (was, now))
            yield about.change(f"threshold, {tier} tier", words, effect)


def _flags(old: Criterion, new: Criterion, about: _Rule) -> Iterator[Change]:
    if old.waivable != new.waivable:
        flags = map(_yes, (old.waivable, new.waivable))
        yield about.change("may be waived", flags, _more(old.waivable - new.waivable))
    if old.once != new.once:
        yield about.change("judged at the gate alone", map(_yes, (old.once, new.once)), _more(old.once - new.once))
    if old.applies_if != new.applies_if:
        effect = Effect.CHANGED if old.applies_if and new.applies_if else _more(bool(old.applies_if) * 2 - 1)
        yield about.change("only where", (old.applies_if or "always", new.applies_if or "always"), effect)
    if old.type != new.type:
        yield about.change("judged by", (old.type, new.type), Effect.CHANGED)
    if old.raw_params != new.raw_params:
        yield about.change("parameters", map(_json, (old.raw_params, new.raw_params)), Effect.CHANGED)
    if old.owner != new.owner:
        yield about.change("owed by", map(role_name, (old.owner, new.owner)), Effect.CHANGED)


def _wording(old: Criterion, new: Criterion, about: _Rule) -> Iterator[Change]:
    for name in ("title", "question", "slug", "evidence", "requirements", "standards"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            words = (", ".join(v) if isinstance(v, tuple) else v for v in (was, now))
            yield about.change(name, words, Effect.REWORDED)


def _slots(gate: str, old: Mapping[str, Slots], new: Mapping[str, Slots]) -> Iterator[Change]:
    for tier in TIERS:
        was, now = old.get(tier), new.get(tier)
        if was == now:
            continue
        about = _Rule(gate, f"matrix.{tier}", f"Signatures, {tier} tier")
        if was is None or now is None:
            names = [", ".join(map(role_name, s.signers)) if s else "" for s in (was, now)]
            yield about.change("signers", names, Effect.LOOSENED if now is None else Effect.TIGHTENED)
            continue
        yield from _sets("signers", was.signers, now.signers, about, role_name)
        if was.decision_sla_days != now.decision_sla_days:
            days = map(_days, (was.decision_sla_days, now.decision_sla_days))
            yield about.change("decided within", days, Effect.CHANGED)
        if was.board_quorum != now.board_quorum:
            effect = _more(now.board_quorum - was.board_quorum)
            yield about.change("board quorum", map(_yes, (was.board_quorum, now.board_quorum)), effect)


def _sets(
    what: str, old: Collection[str], new: Collection[str], about: _Rule, shown: Callable[[str], str] = str
) -> Iterator[Change]:
    """Two changes where some were added and others taken away: the one does not make up for the other."""
    gone, came = [w for w in old if w not in new], [w for w in new if w not in old]
    if gone:
        yield about.change(what, (", ".join(map(shown, gone)), ""), Effect.LOOSENED)
    if came:
        yield about.change(what, ("", ", ".join(map(shown, came))), Effect.TIGHTENED)


def _general(before: PolicyBody, after: PolicyBody) -> Iterator[Change]:
    if before.title != after.title:
        yield _whole("title").change("title", (before.title, after.title), Effect.REWORDED)
    scopes = (("primary", before.primary, after.primary), ("stages", before.stages, after.stages))
    for name, a, b in scopes:
        if a != b:
            yield _whole(name).change(name, map(_json, (a, b)), Effect.CHANGED)
    for name in sorted({*before.judges, *after.judges}):
        yield from _scope(name, before.judges.get(name, ()), after.judges.get(name, ()))
    for name, old, new in (
        ("review cadence", before.cadence_days, after.cadence_days),
        ("longest waiver", before.waiver_days, after.waiver_days),
        ("breach decided within", before.breach_days, after.breach_days),
    ):
        for tier in TIERS:
            if old.get(tier) != new.get(tier):
                days = old.get(tier), new.get(tier)
                yield _whole(name).change(f"{name}, {tier} tier", map(_days, days), _shorter(*days))
    if before.sign_off_validity_days != after.sign_off_validity_days:
        counted = before.sign_off_validity_days, after.sign_off_validity_days
        name = "a signature counts for"
        yield _whole("sign-off validity").change(name, map(_days, counted), _shorter(*counted))
    yield from _duties(before, after)
    yield from _other_texts(before, after)


def _whole(rule: str, title: str = "") -> _Rule:
    return _Rule(GENERAL, rule, title)


def _scope(name: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[Change]:
    """Whom it judges: an empty list is everybody."""
    if set(old) == set(new):
        return
    wider = not new or (bool(old) and set(old) < set(new))
    narrower = not old or (bool(new) and set(new) < set(old))
    effect = Effect.TIGHTENED if wider else Effect.LOOSENED if narrower else Effect.CHANGED
    pair = [", ".join(names) or "every one" for names in (old, new)]
    yield _whole("judges").change(f"judges {name}", pair, effect)


def _duties(before: PolicyBody, after: PolicyBody) -> Iterator[Change]:
    was, now = ({d.id: d for d in body.duties} for body in (before, after))
    for key in dict.fromkeys([*was, *now]):
        old, new = was.get(key), now.get(key)
        if old is None or new is None:
            name = next(d.name for d in (new, old) if d is not None)
            effect = Effect.LOOSENED if new is None else Effect.TIGHTENED
            yield _whole(key, name).change("duty", (name if old else "", name if new else ""), effect)
            continue
        about = _whole(key, new.name)
        yield from _sets("holds for the tiers", old.tiers, new.tiers, about)
        if old.effect != new.effect:
            yield about.change("effect", (old.effect, new.effect), _more(1 if new.effect == "block" else -1))
        if old.name != new.name:
            yield about.change("name", (old.name, new.name), Effect.REWORDED)
        if old.rule != new.rule:
            yield about.change("rule", (old.rule, new.rule), Effect.REWORDED)


def _other_texts(before: PolicyBody, after: PolicyBody) -> Iterator[Change]:
    old, new = before.data, after.data
    triggers = [_words(data.get("out_of_cycle_triggers")) for data in (old, new)]
    yield from _sets("out-of-cycle triggers", triggers[0], triggers[1], _whole("triggers"))
    raw = [data.get("board_quorum") for data in (old, new)]
    was, now = (dict(found) if isinstance(found, Mapping) else {} for found in raw)
    for key in dict.fromkeys([*was, *now]):
        a, b = was.get(key), now.get(key)
        if a != b:
            effect = _more(b - a) if type(a) is int and type(b) is int else Effect.CHANGED
            words = str(key).replace("_", " ")
            yield _whole("board_quorum", "Board quorum").change(words, map(_json, (a, b)), effect)
    for name in ("risk_acceptance_authority", "decisions"):
        if old.get(name) != new.get(name):
            pair = map(_json, (old.get(name), new.get(name)))
            yield _whole(name).change(name.replace("_", " "), pair, Effect.CHANGED)


def _words(raw: Any) -> list[str]:
    return [str(word) for word in raw] if isinstance(raw, list) else []


def _more(rise: int | Decimal) -> Effect:
    return Effect.TIGHTENED if rise > 0 else Effect.LOOSENED


def _shorter(was: int | None, now: int | None) -> Effect:
    """Fewer days ask for more; no limit at all asks for least."""
    if was is None or now is None:
        return Effect.TIGHTENED if was is None else Effect.LOOSENED
    return _more(was - now)


def _sign(op: str) -> int:
    return 1 if op == ">=" else -1


def _days(days: int | None) -> str:
    return "no limit" if days is None else f"{days} day" if days == 1 else f"{days} days"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _modes(applies: Mapping[str, str]) -> str:
    return ", ".join(f"{tier} {applies[tier].replace('_', ' ')}" for tier in TIERS)


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)
