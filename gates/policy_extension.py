"""A business unit's extension: what it adds to the organisation's policy or tightens in it, laid over that policy.

It is a small YAML text of its own. Nothing in it can ask for less: each rule that would is named with its line and
column. The merged policy is a whole one, so everything that reads policies works with it unchanged.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from gates.policy import DAYS_TO_DECIDE, MODES, TIERS, PolicyBody
from gates.policy_changes import STRICTNESS, Effect, changes
from gates.policy_reading import policy_from, read_policy, require_size
from gates.policy_shapes import LONGEST, Shapes, number
from kernel.errors import Invalid
from kernel.located import Located, read_located
from kernel.located import Path as Place

EXTENSION_KEYS = (
    "policy",
    "extends",
    "title",
    "version",
    "least_tier",
    "gates",
    "approval_matrix",
    "review_cadence_days",
    "sign_off_validity_days",
    "waivers",
    "breach_decision_days",
)
CHANGE_KEYS = ("applies", "threshold", "validity_days", "waivable", "once", "invalidated_by")
SLOT_KEYS = ("add_signers", "decision_sla_days", "board_quorum")
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
MODE_RANK = STRICTNESS
HARMLESS = frozenset({("title", Effect.REWORDED), ("decided within", Effect.CHANGED)})


@dataclass(frozen=True, slots=True)
class Merged:
    """An extension laid over a policy. ``conflicts`` are rules of it that would loosen and were left out."""

    text: str
    body: PolicyBody
    conflicts: tuple[str, ...] = ()


def merge(source: str, base: PolicyBody, name: str, *, leave_out: bool = False, label: str = "") -> Merged:
    """``source`` laid over ``base``. ``Invalid`` names every rule that would loosen, with line and column.

    ``leave_out`` leaves such rules out instead and tells them as conflicts: the result is then as strict as ``base``
    and as every other rule of the extension. It is for a new version of ``base``, which must not wait for a unit.
    """
    require_size(source, name)
    merger = _Merger(read_located(source, name), base)
    data = merger.merged()
    if data is not None and label:
        data["version"] = label
    refused = [*merger.problems, *([] if leave_out else merger.loosened)]
    if data is None or refused:
        more = f" ({len(refused)} problems in all)" if len(refused) > 1 else ""
        raise Invalid(refused[0] + more, errors={"text": refused})
    body = policy_from(Located(name, data, merger.lines, merger.columns))
    looser = [c for c in changes(base, body) if c.effect is not Effect.TIGHTENED and (c.what, c.effect) not in HARMLESS]
    if looser:  # what no rule above foresaw
        first = looser[0]
        raise Invalid(f"{name} line 1, column 1: this would loosen {first.rule}, {first.what}.")
    text = f"# {body.title} {body.version}, laid over {base.key} {base.version}. Change the extension, not this text.\n"
    text += yaml.dump(data, Dumper=DUMPER, sort_keys=False, allow_unicode=True, width=120)
    return Merged(text, read_policy(text, name), tuple(merger.loosened))


def label_of(source: str, name: str) -> str:
    """The version that an extension's text gives itself."""
    require_size(source, name)
    data = read_located(source, name).data
    return str(data.get("version") or "") if isinstance(data, dict) else ""


def least_tier_of(source: str, name: str) -> str:
    """The tier that an extension judges its use cases by at least; empty when it names none."""
    data = read_located(source, name).data
    return str(data.get("least_tier") or "") if isinstance(data, dict) else ""


class _Merger(Shapes):
    """Walks the extension and changes a copy of the base as it goes; places of the base point into the extension."""

    def __init__(self, located: Located, base: PolicyBody) -> None:
        super().__init__(located)
        self.base = base
        self.data: dict[str, Any] = copy.deepcopy(dict(base.data))
        self.loosened: list[str] = []
        self.lines: dict[Place, int] = {(): 1}
        self.columns: dict[Place, int] = {(): 1}

    def merged(self) -> dict[str, Any] | None:
        raw = self.located.data
        if not isinstance(raw, dict):
            self.problem((), "an extension is a mapping with policy, extends, version and what it adds or tightens")
            return None
        self.mapping(raw, (), EXTENSION_KEYS)
        for key in ("policy", "extends", "version"):
            if not raw.get(key):
                self.problem((), f"the key {key!r} is required")
        if raw.get("extends") and raw["extends"] != self.base.key:
            self.problem(("extends",), f"extends {raw['extends']!r}, but the primary policy is {self.base.key!r}")
        self.data["policy"] = self.text(raw.get("policy"), ("policy",))
        self.data["version"] = self.text(raw.get("version"), ("version",))
        self.data["title"] = self.text(raw.get("title"), ("title",), f"{self.base.title}, extended")
        self._gates(self.mapping(raw.get("gates"), ("gates",)))
        self._matrix(self.mapping(raw.get("approval_matrix"), ("approval_matrix",)))
        self._days_by_tier(raw.get("review_cadence_days"), ("review_cadence_days",), self.data, "review_cadence_days")
        self._breach_days(raw.get("breach_decision_days"))
        waivers = self.mapping(raw.get("waivers"), ("waivers",), ("max_days",))
        if waivers.get("max_days") is not None:
            here = self.data.setdefault("waivers", {})
            self._days_by_tier(waivers["max_days"], ("waivers", "max_days"), here, "max_days")
        self._sign_off_days(raw.get("sign_off_validity_days"))
        self._least_tier(raw.get("least_tier"))
        return self.data

    def looser(self, place: Place, rule: str, was: object, now: object) -> None:
        self.loosened.append(
            self.located.problem(place, f"this would loosen {rule}: the organisation asks for {was}, not {now}")
        )

    # gates and criteria

    def _gates(self, rows: dict[str, Any]) -> None:
        for gate, raw in rows.items():
            place: Place = ("gates", gate)
            if gate not in self.data["gates"]:
                self._gone(place, f"there is no gate {gate!r} in {self.base.key} {self.base.version}")
                continue
            row = self.mapping(raw, place, ("add", "change"))
            criteria: list[dict[str, Any]] = self.data["gates"][gate]["criteria"]
            known = {c["id"]: position for position, c in enumerate(criteria)}
            for name, changed in self.mapping(row.get("change"), (*place, "change")).items():
                here: Place = (*place, "change", name)
                if name not in known:
                    self._gone(here, f"the gate {gate} has no criterion {name!r} to change")
                    continue
                self._from_source(here, ("gates", gate, "criteria", known[name]))
                self._criterion(self.mapping(changed, here, CHANGE_KEYS), criteria[known[name]], here, f"{name}")
            self._added(row.get("add"), (*place, "add"), gate, criteria, known)

    def _added(self, raw: Any, place: Place, gate: str, criteria: list[dict[str, Any]], known: dict[str, int]) -> None:
        if raw is None:
            return
        if not isinstance(raw, list):
            self.problem(place, "has to be a list of criteria")
            return
        for position, row in enumerate(raw):
            here: Place = (*place, position)
            name = row.get("id") if isinstance(row, dict) else None
            if name in known:
                self._gone((*here, "id"), f"the organisation has a criterion {name!r} of its own: choose another id")
                continue
            self._from_source(here, ("gates", gate, "criteria", len(criteria)))
            criteria.append(copy.deepcopy(row))

    def _criterion(self, changed: dict[str, Any], target: dict[str, Any], place: Place, rule: str) -> None:
        self._modes(changed.get("applies"), target, (*place, "applies"), rule)
        self._threshold(changed.get("threshold"), target, (*place, "threshold"), rule)
        self._days_by_tier(changed.get("validity_days"), (*place, "validity_days"), target, "validity_days", rule)
        for key in ("waivable", "once"):
            if key not in changed:
                continue
            now = self.flag(changed[key], (*place, key), default=False)
            was = target.get(key, key == "waivable")
            if now and not was:
                self.looser((*place, key), f"{rule}, {key}", "no", "yes")
            else:
                target[key] = now
        for word in self.words(changed.get("invalidated_by"), (*place, "invalidated_by")):
            voided = target.setdefault("invalidated_by", [])
            if word not in voided:
                target["invalidated_by"] = [*voided, word]

    def _modes(self, raw: Any, target: dict[str, Any], place: Place, rule: str) -> None:
        for tier, mode in self.mapping(raw, place, TIERS).items():
            if tier not in TIERS:
                continue
            if mode not in MODES:
                self.problem((*place, tier), f"has to be one of {', '.join(MODES)}")
            elif MODE_RANK[mode] < MODE_RANK[target["applies"][tier]]:
                self.looser((*place, tier), f"{rule} on the {tier} tier", target["applies"][tier], mode)
            else:
                target["applies"] = {**target["applies"], tier: mode}

    def _threshold(self, raw: Any, target: dict[str, Any], place: Place, rule: str) -> None:
        if raw is None:
            return
        limit = target.get("threshold")
        if limit is None:
            self._gone(place, f"{rule} has no threshold to tighten")
            return
        for tier, value in self.mapping(raw, place, TIERS).items():
            now, was = number(value), number(limit.get(tier))
            if tier not in TIERS:
                continue
            if now is None or was is None:
                self.problem((*place, tier), "has to be a number")
            elif limit["op"] == "==" and now != was:
                self.looser((*place, tier), f"{rule}, threshold on the {tier} tier", f"== {was}", now)
            elif (now < was) if limit["op"] == ">=" else (now > was):
                self.looser((*place, tier), f"{rule}, threshold on the {tier} tier", f"{limit['op']} {was}", now)
            else:
                limit = target["threshold"] = {**limit, tier: value}

    # signatures, days, tiers

    def _matrix(self, rows: dict[str, Any]) -> None:
        for gate, raw in rows.items():
            place: Place = ("approval_matrix", gate)
            if gate not in self.data.get("approval_matrix", {}):
                self._gone(place, f"the approval matrix of {self.base.key} has no gate {gate!r}")
                continue
            for tier, changed in self.mapping(raw, place, TIERS).items():
                here: Place = (*place, tier)
                slots = self.data["approval_matrix"][gate].get(tier)
                if tier not in TIERS or slots is None:
                    continue
                self._from_source(here, here)
                self._from_source((*here, "add_signers"), (*here, "signers"))
                self._slots(self.mapping(changed, here, SLOT_KEYS), slots, here, f"{gate} on the {tier} tier")

    def _slots(self, changed: dict[str, Any], slots: dict[str, Any], place: Place, rule: str) -> None:
        added = self.words(changed.get("add_signers"), (*place, "add_signers"))
        slots["signers"] = [*slots["signers"], *(role for role in added if role not in slots["signers"])]
        if "decision_sla_days" in changed:
            slots["decision_sla_days"] = self.days(changed["decision_sla_days"], (*place, "decision_sla_days"), 10)
        if "board_quorum" in changed:
            now = self.flag(changed["board_quorum"], (*place, "board_quorum"), default=False)
            if slots.get("board_quorum") and not now:
                self.looser((*place, "board_quorum"), f"{rule}, board quorum", "yes", "no")
            else:
                slots["board_quorum"] = now

    def _days_by_tier(self, raw: Any, place: Place, target: dict[str, Any], key: str, rule: str = "") -> None:
        self._from_source(place, place if not rule else ())
        for tier, value in self.mapping(raw, place, TIERS).items():
            if tier not in TIERS:
                continue
            days = self.days(value, (*place, tier), LONGEST)
            was = (target.get(key) or {}).get(tier)
            if was is not None and days > was:
                words = f"{rule + ', ' if rule else ''}{key.replace('_', ' ')} on the {tier} tier"
                self.looser((*place, tier), words, f"at most {was} days", days)
            else:
                target[key] = {**(target.get(key) or {}), tier: days}

    def _breach_days(self, raw: Any) -> None:
        """Where the organisation says nothing, its days are those that hold without a word."""
        if raw is not None:
            self._all_breach_days()
            self._days_by_tier(raw, ("breach_decision_days",), self.data, "breach_decision_days")

    def _all_breach_days(self) -> None:
        self.data["breach_decision_days"] = {**DAYS_TO_DECIDE, **(self.data.get("breach_decision_days") or {})}

    def _sign_off_days(self, raw: Any) -> None:
        if raw is None:
            return
        days = self.days(raw, ("sign_off_validity_days",), 1)
        if days > self.base.sign_off_validity_days:
            was = f"at most {self.base.sign_off_validity_days} days"
            self.looser(("sign_off_validity_days",), "how long a signature counts", was, days)
        else:
            self.data["sign_off_validity_days"] = days

    def _least_tier(self, raw: Any) -> None:
        """Every tier below the least is judged by the rules of the least where those are stricter."""
        if raw is None:
            return
        if raw not in TIERS:
            self.problem(("least_tier",), f"has to be one of {', '.join(TIERS)}")
            return
        self._all_breach_days()
        for tier in TIERS[: TIERS.index(raw)]:
            for gate in self.data["gates"].values():
                for criterion in gate["criteria"]:
                    _raise_criterion(criterion, tier, raw)
            for tiers in (self.data.get("approval_matrix") or {}).values():
                _raise_slots(tiers, tier, raw)
            for days in (
                self.data.get("review_cadence_days"),
                self.data.get("breach_decision_days"),
                (self.data.get("waivers") or {}).get("max_days"),
            ):
                _stricter(days, tier, raw, min)

    def _gone(self, place: Place, message: str) -> None:
        """What a rule was about is not there, or not free: a conflict once published, an error while it is written."""
        self.loosened.append(self.located.problem(place, message))

    def _from_source(self, here: Place, there: Place) -> None:
        """Errors found later at ``there`` in the merged policy are told at ``here`` in the extension."""
        if not there:
            return
        for path, line in self.located.lines.items():
            if path[: len(here)] == here:
                place = (*there, *path[len(here) :])
                self.lines[place] = line
                self.columns[place] = self.located.columns.get(path, 1)


def _raise_criterion(criterion: Any, tier: str, least: str) -> None:
    if not isinstance(criterion, dict) or not isinstance(criterion.get("applies"), dict):
        return
    applies = criterion["applies"]
    if {tier, least} <= set(applies) and {applies[tier], applies[least]} <= set(MODES):
        criterion["applies"] = {**applies, tier: max(applies[tier], applies[least], key=MODE_RANK.__getitem__)}
    limit = criterion.get("threshold")
    if isinstance(limit, dict) and limit.get("op") in (">=", "<="):
        criterion["threshold"] = limit = dict(limit)
        _stricter(limit, tier, least, max if limit["op"] == ">=" else min)
    if isinstance(criterion.get("validity_days"), dict):
        criterion["validity_days"] = dict(criterion["validity_days"])
        _stricter(criterion["validity_days"], tier, least, min)


def _raise_slots(tiers: dict[str, Any], tier: str, least: str) -> None:
    low, high = tiers.get(tier), tiers.get(least)
    if not low or not high:
        return
    more = [role for role in high["signers"] if role not in low["signers"]]
    tiers[tier] = {**low, "signers": [*low["signers"], *more]}
    if high.get("board_quorum"):
        tiers[tier]["board_quorum"] = True


def _stricter(values: Any, tier: str, least: str, choose: Callable[..., Any]) -> None:
    if isinstance(values, dict) and isinstance(values.get(least), (int, float)):
        was = values.get(tier)
        values[tier] = choose(was, values[least]) if isinstance(was, (int, float)) else values[least]
