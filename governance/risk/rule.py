"""From answers to a tier: a pure, deterministic function. The same answers always give the same classification.

The tier is the highest floor over all rules that fire; the band of the score is one of them. An unknown factor counts
as 4, an unknown legal answer as yes: not knowing never makes a use case look safer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from governance.risk.questions import TIERS, Questionnaire, questionnaire

MOST = 4
YES_OR_UNSURE = ("yes", "unsure")
CONDITIONS = ("a", "b", "c", "d")


@dataclass(frozen=True, slots=True)
class Trigger:
    """A rule that fired, the floor it sets, and whether law (not our own score) sets it."""

    code: str
    floor: str
    legal: bool = True
    detail: str = ""
    duties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Classification:
    tier: str
    score: int
    provisional: bool
    legal_hold: bool
    unknown_count: int
    prohibited_hits: int
    reasons: tuple[str, ...]
    contributing: tuple[str, ...]
    flags: tuple[str, ...]
    duties: tuple[str, ...]
    triggers: tuple[Trigger, ...]

    @property
    def legal_floor(self) -> str:
        """The tier that law alone gives; nobody may set a lower one."""
        return max((t.floor for t in self.triggers if t.legal), key=rank, default=TIERS[0])


def rank(tier: str) -> int:
    """Place of a tier in the order of severity; an unclassified use case ("") counts as high."""
    return TIERS.index(tier or "high")


def classify(answers: Mapping[str, Any]) -> Classification:
    """The classification of normalised answers (``governance.risk.answers.normalise``)."""
    questions = questionnaire()
    values = {factor.key: _value(answers, factor.key) for factor in questions.factors}
    score = score_of(values, questions)
    triggers = tuple(_triggers(answers, values, score, questions))
    tier = max((trigger.floor for trigger in triggers), key=rank)
    unknown = unknown_count(answers)
    prohibited = answers.get("prohibited", {})
    return Classification(
        tier=tier,
        score=score,
        provisional=unknown > 0,
        legal_hold="unsure" in prohibited.values(),
        unknown_count=unknown,
        prohibited_hits=sum(answer == "yes" for answer in prohibited.values()),
        reasons=tuple(t.code for t in triggers if t.floor == tier),
        contributing=tuple(t.code for t in triggers if t.floor != tier),
        flags=tuple(_flags(answers, questions)),
        duties=tuple(dict.fromkeys([*questions.duties["base"], *(d for t in triggers for d in t.duties)])),
        triggers=triggers,
    )


def score_of(values: Mapping[str, int], questions: Questionnaire) -> int:
    """0 to 100, half rounded up: floor(100 * sum(weight * value) / (4 * sum of weights) + 0.5)."""
    most = MOST * sum(factor.weight for factor in questions.factors)
    total = sum(factor.weight * values[factor.key] for factor in questions.factors)
    return (200 * total + most) // (2 * most)


def band(score: int, questions: Questionnaire) -> str:
    reached = [tier for tier, least in questions.bands.items() if score >= least]
    return max(reached, key=rank, default=TIERS[0])


def unknown_count(answers: Mapping[str, Any]) -> int:
    """How many answers are not known: unsure legal answers, and factors that were not answered."""
    count: int = sum(answer == "unsure" for answer in answers.get("prohibited", {}).values())
    count += sum(answers.get(key) == "unsure" for key in ("annex_i", "principal_basis"))
    if answers.get("annex_iii"):
        count += sum(answers.get(key) in (None, "", "unsure") for key in ("profiling", "material_influence"))
    return count + len(_unanswered(answers))


def _unanswered(answers: Mapping[str, Any]) -> list[str]:
    factors = answers.get("factors", {})
    return [factor.key for factor in questionnaire().factors if factors.get(factor.key) is None]


def _value(answers: Mapping[str, Any], key: str) -> int:
    value = answers.get("factors", {}).get(key)
    return MOST if value is None else int(value)


def _triggers(
    answers: Mapping[str, Any], values: Mapping[str, int], score: int, questions: Questionnaire
) -> Iterator[Trigger]:
    yield from _prohibited(answers, questions)
    yield from _annexes(answers, questions)
    yield from _transparency(answers, questions)
    yield from _general_purpose(answers, questions)
    yield from _high_impact(answers)
    yield Trigger("SCORE", band(score, questions), legal=False)
    for escalator in questions.escalators:
        if all(values[factor] >= least for factor, least in escalator.when.items()):
            yield Trigger(escalator.code, escalator.floor, legal=False)


def _prohibited(answers: Mapping[str, Any], questions: Questionnaire) -> Iterator[Trigger]:
    given = answers.get("prohibited", {})
    for question in questions.prohibited:
        answer = given.get(question.key, "no")
        if answer == "yes":
            yield Trigger(f"PROHIBITED-{question.key}", "prohibited")
        elif answer == "unsure":
            yield Trigger(f"HOLD-{question.key}", "high")
        elif answer != "no":
            yield Trigger(f"EXCEPTION-{question.key}", "high")


def _annexes(answers: Mapping[str, Any], questions: Questionnaire) -> Iterator[Trigger]:
    if answers.get("annex_i") in YES_OR_UNSURE:
        yield Trigger("ANNEX-I", "high", duties=questions.duties["ANNEX-I"])
    points = answers.get("annex_iii") or []
    if not points:
        return
    obstacle = _exemption_obstacle(answers)
    if not obstacle:
        yield Trigger("ANNEX-III-EXEMPT", "limited", duties=questions.duties["ANNEX-III-EXEMPT"])
        return
    rights_assessment = () if set(points) == {"2"} else ("EU-27.1",)
    yield Trigger("ANNEX-III", "high", detail=obstacle, duties=questions.duties["ANNEX-III"] + rights_assessment)


def _exemption_obstacle(answers: Mapping[str, Any]) -> str:
    """What keeps an Annex III use from being exempt under Article 6(3); empty when it is exempt."""
    if answers.get("profiling") != "no":
        return "profiling"
    if answers.get("material_influence") != "no":
        return "material_influence"
    if answers.get("exemption") not in CONDITIONS:
        return "no_condition"
    return "" if answers.get("exemption_documented") == "yes" else "not_documented"


def _transparency(answers: Mapping[str, Any], questions: Questionnaire) -> Iterator[Trigger]:
    chosen = answers.get("transparency") or []
    for item in questions.transparency:
        if item.key in chosen:
            yield Trigger(f"ART50-{item.key}", "limited", duties=(item.duty,))


def _general_purpose(answers: Mapping[str, Any], questions: Questionnaire) -> Iterator[Trigger]:
    if answers.get("gpai") == "own_model":
        yield Trigger("GPAI-PROVIDER", "limited", duties=questions.duties["GPAI-PROVIDER"])
    elif answers.get("gpai") == "systemic":
        yield Trigger("GPAI-SYSTEMIC", "high", duties=questions.duties["GPAI-SYSTEMIC"])


def _high_impact(answers: Mapping[str, Any]) -> Iterator[Trigger]:
    basis = answers.get("principal_basis")
    if basis in YES_OR_UNSURE and answers.get("effects"):
        yield Trigger("HIGH-IMPACT", "high")
    presumed = answers.get("presumed") or []
    if any(not key.startswith("x") for key in presumed):
        if answers.get("rebuttal") == "written_determination" and basis == "no":
            yield Trigger("PRESUMED-REBUTTED", "limited")
        else:
            yield Trigger("PRESUMED", "high")
    if any(key.startswith("x") for key in presumed):
        yield Trigger("PRESUMED-2024", "high" if basis in YES_OR_UNSURE else "limited")


def _flags(answers: Mapping[str, Any], questions: Questionnaire) -> Iterator[str]:
    if answers.get("gpai") == "api_use":
        yield "GPAI-USED"
    if answers.get("gpai") == "fine_tuned":
        yield "GPAI-MODIFIED"
    for key in _unanswered(answers):
        yield f"UNKNOWN-{key}"
