"""Read and check a policy text. Every error says file, line and key, and all of them are given at once."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from accounts.roles import catalogue
from gates.criterion import criterion_types
from gates.expressions import ExpressionError
from gates.params import ParamError, parse_params
from gates.policy import (
    CHANGES,
    CONDITIONS,
    DAYS_TO_DECIDE,
    MODES,
    OPERATORS,
    TIERS,
    Criterion,
    Duty,
    Gate,
    PolicyBody,
    Slots,
    Threshold,
    policy_digest,
)
from gates.policy_shapes import (
    CRITERION_KEYS,
    DUTY_KEYS,
    GATE_KEYS,
    JUDGES_KEYS,
    POLICY_KEYS,
    SLOT_KEYS,
    SOURCE_KEYS,
    THRESHOLD_KEYS,
    WAIVER_KEYS,
    Shapes,
    number,
)
from gates.quorum import rule_of
from gates.waiving import MOST_DAYS
from kernel.errors import Invalid
from kernel.located import Located, read_located
from kernel.located import Path as Place
from portfolio.models import Stage

MAX_BYTES = 1_000_000


def read_policy_file(path: Path) -> PolicyBody:
    return read_policy(path.read_text(encoding="utf-8"), path.name)


def read_policy(text: str, name: str) -> PolicyBody:
    """The policy in ``text``. Raises ``Invalid`` with every problem found, each with its line."""
    require_size(text, name)
    return policy_from(read_located(text, name))


def policy_from(located: Located) -> PolicyBody:
    """The policy in plain data whose places are known; raises like ``read_policy``."""
    reader = _Reader(located)
    body = reader.policy()
    if body is None or reader.problems:
        more = f" ({len(reader.problems)} problems in all)" if len(reader.problems) > 1 else ""
        raise Invalid(reader.problems[0] + more, errors={"text": reader.problems})
    return body


def require_size(text: str, name: str) -> None:
    """``Invalid`` for a text that is larger than any policy, before anything of it is read."""
    if len(text) > MAX_BYTES or len(text.encode()) > MAX_BYTES:
        kept = text.encode()[:MAX_BYTES].decode(errors="ignore")
        line, column = kept.count("\n") + 1, len(kept) - kept.rfind("\n")
        raise Invalid(
            f"{name} line {line}, column {column}: the text is larger than {MAX_BYTES // 1000} kB, "
            "which no policy needs; nothing after this place was read."
        )


class _Reader(Shapes):
    def policy(self) -> PolicyBody | None:
        data = self.located.data
        if not isinstance(data, dict):
            self.problem((), "a policy is a mapping with policy, title, version and gates")
            return None
        self.mapping(data, (), POLICY_KEYS)
        for key in ("policy", "title", "version", "gates"):
            if not data.get(key):
                self.problem((), f"the key {key!r} is required")
        stages = self.known_words(data.get("stages"), ("stages",), Stage.values, "stage") or tuple(Stage.values)
        primary = self.flag(data.get("primary"), ("primary",), default=False)
        gates = self._gates(data.get("gates"), stages)
        self._reachable(gates, stages, primary=primary)
        body: dict[str, Any] = {
            "key": self.text(data.get("policy"), ("policy",)),
            "title": self.text(data.get("title"), ("title",)),
            "version": self.text(data.get("version"), ("version",)),
            "primary": primary,
            "stages": stages,
            "gates": gates,
            "matrix": self._matrix(data.get("approval_matrix"), gates),
            "duties": tuple(self._duties(data.get("separation_of_duties"))),
            "cadence_days": self.days_by_tier(data.get("review_cadence_days"), ("review_cadence_days",)),
            "sign_off_validity_days": self.days(data.get("sign_off_validity_days"), ("sign_off_validity_days",), 30),
            "judges": self._judges(data.get("judges")),
            "waiver_days": self._waiver_days(data.get("waivers")),
            "breach_days": {
                **DAYS_TO_DECIDE,
                **self.days_by_tier(data.get("breach_decision_days"), ("breach_decision_days",)),
            },
        }
        self._board_quorum(data)
        try:
            sealed = policy_digest(data)
        except (TypeError, ValueError) as wrong:
            self.problem((), f"holds a value that has no canonical form: {wrong}")
            return None
        return PolicyBody(**body, data=data, digest=sealed)

    def _judges(self, raw: Any) -> dict[str, tuple[str, ...]]:
        rows = self.mapping(raw, ("judges",), JUDGES_KEYS)
        known = {"tiers": self.known_words(rows.get("tiers"), ("judges", "tiers"), TIERS, "tier")}
        return {**known, "jurisdictions": self.words(rows.get("jurisdictions"), ("judges", "jurisdictions"))}

    def _waiver_days(self, raw: Any) -> dict[str, int]:
        place: Place = ("waivers", "max_days")
        found = self.days_by_tier(self.mapping(raw, ("waivers",), WAIVER_KEYS).get("max_days"), place)
        for tier, days in found.items():
            if days > MOST_DAYS[tier]:
                self.problem((*place, tier), f"a waiver ends after {MOST_DAYS[tier]} days at the latest on this tier")
        return found

    def _board_quorum(self, data: Mapping[str, Any]) -> None:
        try:
            rule_of(data)
        except ValueError as wrong:
            self.problem(("board_quorum",), str(wrong))

    def _gates(self, raw: Any, stages: tuple[str, ...]) -> dict[str, Gate]:
        found: dict[str, Gate] = {}
        for key, value in self.mapping(raw, ("gates",)).items():
            place: Place = ("gates", key)
            row = self.mapping(value, place, GATE_KEYS)
            start = row.get("from")
            leaves = self.words(start if isinstance(start, list) else [start], (*place, "from"))
            for name, stage in (*(("from", s) for s in leaves), ("to", row.get("to"))):
                if stage not in stages:
                    self.problem((*place, name), f"unknown stage {stage!r} (known: {', '.join(stages)})")
            criteria = tuple(self._criteria(row.get("criteria"), place))
            title = self.text(row.get("title"), (*place, "title"), key)
            found[key] = Gate(key, title, leaves, str(row.get("to")), criteria)
        return found

    def _reachable(self, gates: Mapping[str, Gate], stages: tuple[str, ...], *, primary: bool) -> None:
        """Nobody would ever be judged at a second gate of one stage, nor at a gate that no way leads to."""
        taken: dict[str, str] = {}
        for gate in gates.values():
            for stage in gate.from_stages:
                if stage in taken:
                    self.problem(
                        ("gates", gate.key, "from"),
                        f"this gate can never be reached: the gate {taken[stage]!r} leads on from {stage!r} already",
                    )
                taken.setdefault(stage, gate.key)
        arrived = {stages[0], *(gate.to_stage for gate in gates.values() if not gate.is_recurring)}
        for gate in gates.values():
            if primary and gate.from_stages and not arrived & set(gate.from_stages):
                text = f"this gate can never be reached: no gate leads to {', '.join(gate.from_stages)}"
                self.problem(("gates", gate.key, "from"), text)

    def _criteria(self, raw: Any, place: Place) -> list[Criterion]:
        if not isinstance(raw, list) or not raw:
            self.problem((*place, "criteria"), "a gate needs a list of criteria")
            return []
        found: list[Criterion] = []
        seen: set[str] = set()
        for position, row in enumerate(raw):
            here = (*place, "criteria", position)
            if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"]:
                self.problem(here, "a criterion is a mapping with an id")
                continue
            if row["id"] in seen:
                self.problem((*here, "id"), f"the id {row['id']!r} stands twice in this gate")
            seen.add(row["id"])
            found.append(self._criterion(row, here))
        return found

    def _criterion(self, row: dict[str, Any], place: Place) -> Criterion:
        self.mapping(row, place, CRITERION_KEYS)
        threshold = self._threshold(row.get("threshold"), (*place, "threshold"))
        self._needs_threshold(row, place)
        source = self.mapping(row.get("source"), (*place, "source"), SOURCE_KEYS)
        condition = self.text(row.get("applies_if"), (*place, "applies_if"))
        if condition and condition not in CONDITIONS:
            self.problem((*place, "applies_if"), f"has to be one of {', '.join(CONDITIONS)}")
        return Criterion(
            id=row["id"],
            slug=self.text(row.get("slug"), (*place, "slug"), row["id"].lower()),
            title=self.text(row.get("title"), (*place, "title"), row["id"]),
            question=self.text(row.get("question"), (*place, "question")),
            type=str(row.get("type")),
            params=self._params(row, place),
            raw_params=row["params"] if isinstance(row.get("params"), dict) else {},
            applies=self._applies(row.get("applies"), (*place, "applies")),
            owner=self._owner(row.get("owner"), (*place, "owner")),
            applies_if=condition,
            threshold=threshold,
            evidence=self.words(row.get("evidence"), (*place, "evidence")),
            requirements=self.words(source.get("requirements"), (*place, "source", "requirements")),
            standards=self.words(source.get("standards"), (*place, "source", "standards")),
            validity_days=self.days_by_tier(row.get("validity_days"), (*place, "validity_days")),
            invalidated_by=self.known_words(row.get("invalidated_by"), (*place, "invalidated_by"), CHANGES, "change"),
            waivable=self.flag(row.get("waivable"), (*place, "waivable"), default=True),
            once=self.flag(row.get("once"), (*place, "once"), default=False),
        )

    def _owner(self, raw: Any, place: Place) -> str:
        owner = self.text(raw, place)
        if owner not in catalogue().roles:
            self.problem(place, f"unknown role {owner!r}")
        return owner

    def _needs_threshold(self, row: Mapping[str, Any], place: Place) -> None:
        name = row.get("type")
        known = isinstance(name, str) and name in criterion_types
        if known and criterion_types.get(str(name)).needs_bound and row.get("threshold") is None:
            self.problem(place, f"the type {name!r} needs a threshold")

    def _params(self, row: Mapping[str, Any], place: Place) -> Any:
        name = row.get("type")
        if not isinstance(name, str) or name not in criterion_types:
            known = ", ".join(criterion_types.keys())
            self.problem((*place, "type"), f"unknown criterion type {name!r} (known: {known})")
            return None
        raw = row.get("params")
        if raw is not None and not isinstance(raw, dict):
            self.problem((*place, "params"), "has to be a mapping")
            return None
        try:
            return parse_params(criterion_types.get(name).accepts, raw or {})
        except ParamError as wrong:
            self._wrong_params(wrong, place)
            return None

    def _wrong_params(self, wrong: ParamError, place: Place) -> None:
        """At the parameter; at the very sign of an expression."""
        inner = wrong.__cause__.__cause__ if wrong.__cause__ else None
        if isinstance(inner, ExpressionError):
            self.problem((*place, "params", "expr"), inner.message, inside=(inner.line, inner.column))
        else:
            self.problem((*place, "params", wrong.key) if wrong.key else (*place, "params"), wrong.message)

    def _applies(self, raw: Any, place: Place) -> dict[str, str]:
        if not isinstance(raw, dict) or set(raw) != set(TIERS):
            self.problem(place, f"has to say {', '.join(MODES)} for each of {', '.join(TIERS)}")
            return {}
        for tier, mode in raw.items():
            if mode not in MODES:
                self.problem((*place, tier), f"{mode!r} is not one of {', '.join(MODES)}")
        if all(mode == "not_applicable" for mode in raw.values()):
            self.problem(place, "this criterion applies to no tier")
        return {str(tier): str(mode) for tier, mode in raw.items()}

    def _threshold(self, raw: Any, place: Place) -> Threshold | None:
        if raw is None:
            return None
        row = self.mapping(raw, place, THRESHOLD_KEYS)
        if not row.get("measure"):
            self.problem(place, "a threshold has measure, op and a value for each tier")
            return None
        if row.get("op") not in OPERATORS:
            self.problem((*place, "op"), f"{row.get('op')!r} is not one of {', '.join(OPERATORS)}")
        by_tier: dict[str, Decimal] = {}
        for tier in TIERS:
            limit = number(row.get(tier))
            if limit is None:
                self.problem((*place, tier), f"needs a number for the tier {tier}")
            else:
                by_tier[tier] = limit
        self._tightens(by_tier, str(row.get("op")), place)
        measure = self.text(row["measure"], (*place, "measure"))
        return Threshold(measure, str(row.get("op")), by_tier, self.text(row.get("unit"), (*place, "unit")))

    def _tightens(self, by_tier: Mapping[str, Decimal], op: str, place: Place) -> None:
        """A higher tier may not have a looser limit than a lower one."""
        if len(by_tier) < len(TIERS) or op not in (">=", "<="):
            return
        low, mid, high = (by_tier[tier] for tier in TIERS)
        ordered = low <= mid <= high if op == ">=" else low >= mid >= high
        if not ordered:
            self.problem(place, f"contradictory: the limit ({op}) is looser for a higher tier than for a lower one")

    def _matrix(self, raw: Any, gates: Mapping[str, Gate]) -> dict[str, dict[str, Slots]]:
        found: dict[str, dict[str, Slots]] = {}
        for gate, tiers in self.mapping(raw, ("approval_matrix",)).items():
            place: Place = ("approval_matrix", gate)
            if gate not in gates:
                self.problem(place, f"there is no gate {gate!r}")
                continue
            rows = self.mapping(tiers, place, TIERS)
            found[gate] = {tier: self._slots(rows[tier], (*place, tier)) for tier in TIERS if tier in rows}
        for key, asking in gates.items():
            asks = any(c.type == "approval" and c.raw_params.get("matrix") for c in asking.criteria)
            if asks and any(tier not in found.get(key, {}) for tier in TIERS):
                lacks = ", ".join(tier for tier in TIERS if tier not in found.get(key, {}))
                self.problem(("approval_matrix",), f"the gate {key} asks for approval but the matrix lacks {lacks}")
        return found

    def _slots(self, raw: Any, place: Place) -> Slots:
        row = self.mapping(raw, place, SLOT_KEYS)
        signers = self.words(row.get("signers"), (*place, "signers"))
        if not signers:
            self.problem(place, "nobody signs: name at least one role in signers")
        for key in signers:
            if key not in catalogue().roles:
                self.problem((*place, "signers"), f"unknown role {key!r}")
            elif not catalogue().roles[key].signs:
                self.problem((*place, "signers"), f"the role {key!r} does not sign gates")
        if len(set(signers)) < len(signers):
            self.problem((*place, "signers"), "a role stands twice")
        days = self.days(row.get("decision_sla_days"), (*place, "decision_sla_days"), 10)
        return Slots(signers, days, self.flag(row.get("board_quorum"), (*place, "board_quorum"), default=False))

    def _duties(self, raw: Any) -> list[Duty]:
        if raw is not None and not isinstance(raw, list):
            self.problem(("separation_of_duties",), "has to be a list of rules")
            return []
        return [self._duty(row, ("separation_of_duties", position)) for position, row in enumerate(raw or ())]

    def _duty(self, raw: Any, place: Place) -> Duty:
        row = self.mapping(raw, place, DUTY_KEYS)
        for key in ("id", "name", "rule"):
            if not row.get(key):
                self.problem(place, f"the key {key!r} is required")
        words = {key: self.text(row.get(key), (*place, key)) for key in ("id", "name", "rule")}
        tiers = self.known_words(row.get("tiers"), (*place, "tiers"), TIERS, "tier")
        return Duty(**words, tiers=tiers, effect=self.text(row.get("effect"), (*place, "effect"), "block"))
