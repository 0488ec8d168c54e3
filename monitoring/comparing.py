"""Comparing a profile with its reference: what each feature shows, and whether the data set as a whole has drifted.

A feature drifts when the difference is both significant and large: its p-value lies below alpha divided by the number
of features (Bonferroni), and its effect reaches the limit. With very many rows every difference is significant, so the
effect decides and the p-value only guards small samples; below a least number of rows nothing is said at all. Apart
from that a feature drifts when its share of missing values moved, when values came that the reference does not know, or
when the column is gone or of another type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from monitoring.profiles import Numbers, Profile
from monitoring.profiles.columns import Column
from monitoring.profiles.shares import comparable
from monitoring.statistic import PEERS, Measured, statistics

EFFECTS = ("psi", "js", "hellinger", "wasserstein_norm", "ks", "linf", "chi2")
FALLBACK = "js"
"""The effect of a feature to which the chosen one does not apply."""
WRONG_SHARE = 0.5
"""From this share of texts that are no numbers on, a column of numbers has become one of texts."""


class Role(StrEnum):
    """What a column is to the model."""

    FEATURE = "feature"
    PREDICTION = "prediction"
    SCORE = "score"
    """A prediction that is a calibrated probability, so that performance can be estimated without labels."""
    IGNORED = "ignored"


OUTPUTS = frozenset({Role.PREDICTION, Role.SCORE})


class State(StrEnum):
    """What is said of a feature, the gravest first."""

    GONE = "gone"
    TYPE_CHANGED = "type_changed"
    DRIFTED = "drifted"
    MISSING = "missing"
    NEW_VALUES = "new_values"
    STABLE = "stable"
    EMPTY = "empty"
    """Too few values on one side or on both: nothing can be said."""
    IGNORED = "ignored"
    ADDED = "added"
    """A column that the reference does not have."""


COUNTS_AS_DRIFT = frozenset({State.GONE, State.TYPE_CHANGED, State.DRIFTED, State.MISSING, State.NEW_VALUES})
NOT_COMPARED = frozenset({State.IGNORED, State.ADDED})
ORDER = {state: place for place, state in enumerate(State)}


class Verdict(StrEnum):
    STABLE = "stable"
    WATCH = "watch"
    DRIFT = "drift"
    NOTHING = "nothing"
    """There was nothing to compare."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a comparison holds against. ``roles`` and ``weights`` are by column."""

    effect: str = "psi"
    limit: float = 0.1
    alpha: float = 0.05
    missing_points: float = 2.0
    new_share: float = 1.0
    least_rows: int = 30
    warn_share: float = 30.0
    act_share: float = 50.0
    by: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    watched: Sequence[str] = ()
    """Features whose PSI becomes a series of its own."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"watched": list(self.watched)}

    def problems(self) -> dict[str, str]:
        """Names of settings that make no sense, with what would."""
        found = {}
        if self.effect not in EFFECTS:
            found["effect"] = ", ".join(EFFECTS)
        if self.by and self.by not in PEERS:
            found["by"] = ", ".join(PEERS)
        ranges = {
            "limit": (0, 100),
            "alpha": (0, 1),
            "missing_points": (0, 100),
            "new_share": (0, 100),
            "least_rows": (1, 1_000_000),
            "warn_share": (0, 100),
            "act_share": (0, 100),
        }
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if not least <= value <= most:
                found[name] = f"{least}–{most}"
        if "warn_share" not in found and "act_share" not in found and self.warn_share > self.act_share:
            found["warn_share"] = f"0–{self.act_share:g}"
        if unknown := [name for name, role in self.roles.items() if role not in set(Role)]:
            found["roles"] = f"{unknown[0]}: {', '.join(Role)}"
        if not all(0 <= weight <= 1e6 for weight in self.weights.values()):
            found["weights"] = "0–1000000"
        return found


@dataclass(slots=True)
class Feature:
    """One column compared. ``effect`` is what was held against the limit; ``reasons`` are keys of ``State``."""

    name: str
    kind: str
    role: str
    state: State
    weight: float = 1.0
    measured: dict[str, Measured] = field(default_factory=dict)
    effect_key: str = ""
    effect: float | None = None
    p_value: float | None = None
    reasons: list[State] = field(default_factory=list)

    @property
    def drifted(self) -> bool:
        return self.state in COUNTS_AS_DRIFT


@dataclass(slots=True)
class Comparison:
    """Features ranked, the gravest first; ``share`` is in percent of the weight of those compared."""

    features: list[Feature]
    verdict: Verdict
    share: float
    compared: int
    drifted: int
    rows: int
    reference_rows: int

    def outputs(self) -> list[Feature]:
        """What the model says, rather than what it sees."""
        return [feature for feature in self.features if feature.role in OUTPUTS]


def compare(reference: Profile, current: Profile, terms: Terms) -> Comparison:
    """Raises ``SchemaMismatch`` when the current profile was counted against another reference."""
    judged = [name for name in reference.columns if terms.roles.get(name) != Role.IGNORED]
    alpha = terms.alpha / max(1, len(judged))
    features = [_compared(name, column, current, terms, alpha) for name, column in reference.columns.items()]
    features += [
        Feature(name, "", terms.roles.get(name, Role.FEATURE), State.ADDED) for name in sorted(current.unframed)
    ]
    features.sort(key=_rank)
    counted = [f for f in features if f.state not in NOT_COMPARED and f.role == Role.FEATURE]
    drifted = [f for f in counted if f.drifted]
    weight = sum(f.weight for f in counted)
    share = 100 * sum(f.weight for f in drifted) / weight if weight else 0.0
    verdict = _verdict(counted, current, share, terms)
    return Comparison(features, verdict, share, len(counted), len(drifted), current.rows, reference.rows)


def _verdict(counted: list[Feature], current: Profile, share: float, terms: Terms) -> Verdict:
    if not counted or not current.rows or all(f.state is State.EMPTY for f in counted):
        return Verdict.NOTHING
    if share >= terms.act_share:
        return Verdict.DRIFT
    return Verdict.WATCH if share >= terms.warn_share else Verdict.STABLE


def _compared(name: str, before: Column, current: Profile, terms: Terms, alpha: float) -> Feature:
    role = Role(terms.roles.get(name, Role.FEATURE))
    feature = Feature(name, before.frame.kind.value, role, State.STABLE, terms.weights.get(name, 1.0))
    now = current.columns.get(name)
    if role is Role.IGNORED:
        feature.state = State.IGNORED
        return feature
    if now is None:
        feature.state, feature.reasons = State.GONE, [State.GONE]
        return feature
    comparable(before, now)
    feature.reasons = _reasons(feature, before, now, terms, alpha)
    feature.state = min(feature.reasons, key=lambda state: ORDER[state], default=State.STABLE)
    few = min(before.n, now.n) < terms.least_rows
    if feature.state is State.STABLE and (few or feature.effect is None):
        feature.state = State.EMPTY
    return feature


def _reasons(feature: Feature, before: Column, now: Column, terms: Terms, alpha: float) -> list[State]:
    """Why this feature counts as drifted; what was measured is written to the feature."""
    reasons = []
    if _type_changed(before, now):
        reasons.append(State.TYPE_CHANGED)
    if now.rows and before.rows:
        shift = statistics.get("missing_shift")().measure(before, now)
        feature.measured["missing_shift"] = shift
        if abs(shift.value or 0) >= terms.missing_points:
            reasons.append(State.MISSING)
    if not (before.n and now.n):
        return reasons
    _measure(feature, before, now, terms.by)
    feature.effect_key = terms.effect if terms.effect in feature.measured else FALLBACK
    feature.effect = feature.measured[feature.effect_key].value
    tested = feature.measured.get("ks") or feature.measured.get("chi2")
    feature.p_value = tested.p_value if tested else None
    enough = min(before.n, now.n) >= terms.least_rows
    significant = enough and (feature.p_value is None or feature.p_value < alpha)
    if significant and feature.effect is not None and feature.effect >= terms.limit:
        reasons.append(State.DRIFTED)
    new = feature.measured.get("new_values")
    if new and new.value is not None and new.value >= terms.new_share and new.value > 0:
        reasons.append(State.NEW_VALUES)
    return reasons


def _measure(feature: Feature, before: Column, now: Column, by: str) -> None:
    for statistic in statistics:
        if statistic.for_scores and feature.role != Role.SCORE:
            continue
        measured = statistic().measure(before, now, by)
        if measured.value is not None or measured.note:
            feature.measured[statistic.key] = measured


def _type_changed(before: Column, now: Column) -> bool:
    if isinstance(now, Numbers) and now.wrong and now.wrong >= WRONG_SHARE * (now.n + now.wrong):
        return True
    return len(before.seen_as) > 0 and not now.seen_as <= before.seen_as


def _rank(feature: Feature) -> tuple[int, float, str]:
    """Drifted first, the largest effect first; what was not compared comes last."""
    group = 0 if feature.drifted else 2 if feature.state in NOT_COMPARED else 1
    if feature.state in {State.GONE, State.TYPE_CHANGED}:
        return (group, -math.inf, feature.name)
    return (group, -(feature.effect if feature.effect is not None else -1.0), feature.name)
