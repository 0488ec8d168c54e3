"""The risk questionnaire as data: questions, options, weights and floors, read once from ``questionnaire.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).with_name("questionnaire.yaml")
TIERS = ("minimal", "limited", "high", "prohibited")
YES_NO_UNSURE = {"no": "No", "yes": "Yes", "unsure": "Not sure"}


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its options (value to label) and the provision it comes from."""

    key: str
    text: str
    options: Mapping[str, str]
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list where any number may be chosen."""

    key: str
    text: str
    reference: str = ""
    duty: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Factor:
    """An internal factor, answered 0 (least) to 4 (most)."""

    key: str
    text: str
    weight: int
    options: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Escalator:
    """Sets a floor when every named factor has at least the named value."""

    code: str
    floor: str
    when: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Questionnaire:
    version: str
    prohibited: tuple[Question, ...]
    scope: tuple[Question, ...]
    product_safety: tuple[Question, ...]
    annex_iii: tuple[Item, ...]
    exemption: tuple[Question, ...]
    transparency: tuple[Item, ...]
    gpai: tuple[Question, ...]
    high_impact: tuple[Question, ...]
    effects: tuple[Item, ...]
    presumed: tuple[Item, ...]
    factors: tuple[Factor, ...]
    bands: Mapping[str, int]
    escalators: tuple[Escalator, ...]
    duties: Mapping[str, tuple[str, ...]]
    flags: Mapping[str, str]
    review_days: Mapping[str, int]
    tier_effects: Mapping[str, Mapping[str, Any]]

    @property
    def single(self) -> tuple[Question, ...]:
        """Every question with exactly one answer, the prohibited practices aside."""
        return self.scope + self.product_safety + self.exemption + self.gpai + self.high_impact

    @property
    def multiple(self) -> Mapping[str, tuple[Item, ...]]:
        return {
            "annex_iii": self.annex_iii,
            "transparency": self.transparency,
            "effects": self.effects,
            "presumed": self.presumed,
        }


@cache
def questionnaire() -> Questionnaire:
    raw = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return Questionnaire(
        version=raw["version"],
        prohibited=tuple(_prohibited(row) for row in raw["prohibited"]),
        scope=_questions(raw["scope"]),
        product_safety=_questions(raw["product_safety"]),
        annex_iii=_items(raw["annex_iii"]),
        exemption=_questions(raw["exemption"]),
        transparency=_items(raw["transparency"]),
        gpai=_questions(raw["gpai"]),
        high_impact=_questions(raw["high_impact"]),
        effects=_items(raw["effects"]),
        presumed=_items(raw["presumed"]),
        factors=tuple(Factor(**row) for row in raw["factors"]),
        bands=raw["bands"],
        escalators=tuple(Escalator(**row) for row in raw["escalators"]),
        duties={code: tuple(duties) for code, duties in raw["duties"].items()},
        flags=raw["flags"],
        review_days=raw["review_days"],
        tier_effects=raw["tier_effects"],
    )


def _questions(rows: list[dict[str, Any]]) -> tuple[Question, ...]:
    return tuple(Question(**row) for row in rows)


def _items(rows: list[dict[str, Any]]) -> tuple[Item, ...]:
    return tuple(Item(**row) for row in rows)


def _prohibited(row: dict[str, Any]) -> Question:
    options = dict(YES_NO_UNSURE)
    if row["exception"]:
        options[row["exception"]["value"]] = row["exception"]["label"]
    return Question(row["key"], row["text"], options, row["reference"])
