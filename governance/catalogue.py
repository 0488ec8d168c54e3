"""What governance knows by name: document types, questionnaires, sections of the model card, validation kinds.

All of it is YAML beside this file, read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Section:
    """A named text of a document or a card."""

    key: str
    label: str
    help: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that a document states. ``computed`` says what it is taken from when nobody states it."""

    key: str
    label: str
    unit: str
    help: str = ""
    computed: str = ""


@dataclass(frozen=True, slots=True)
class DocumentType:
    key: str
    title: str
    purpose: str
    approvers: tuple[str, ...]
    sections: tuple[Section, ...]
    measures: tuple[Measure, ...] = ()
    action: str = "evidence.upload"
    describes_version: bool = False
    tested: bool = False

    def completeness(self, sections: Mapping[str, str]) -> int:
        """Share of the required sections that hold text, in whole percent, rounded down."""
        return completeness(self.sections, sections)


@dataclass(frozen=True, slots=True)
class Dimension:
    key: str
    label: str
    weight: int
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoredQuestionnaire:
    key: str
    title: str
    purpose: str
    action: str
    dimensions: tuple[Dimension, ...]

    @property
    def size(self) -> int:
        return sum(len(dimension.questions) for dimension in self.dimensions)


@dataclass(frozen=True, slots=True)
class ValidationKind:
    key: str
    label: str
    help: str = ""
    metrics: tuple[str, ...] = field(default_factory=tuple)


@cache
def document_types() -> Mapping[str, DocumentType]:
    rows = _read("documents.yaml")["types"]
    types = [
        DocumentType(
            **{
                **row,
                "approvers": tuple(row["approvers"]),
                "sections": tuple(Section(**section) for section in row["sections"]),
                "measures": tuple(Measure(**measure) for measure in row["measures"]),
            }
        )
        for row in rows
    ]
    return {kind.key: kind for kind in types}


@cache
def questionnaires() -> Mapping[str, ScoredQuestionnaire]:
    rows = _read("questionnaires.yaml")["questionnaires"]
    found = [
        ScoredQuestionnaire(
            **{
                **row,
                "dimensions": tuple(
                    Dimension(**{**dimension, "questions": tuple(dimension["questions"])})
                    for dimension in row["dimensions"]
                ),
            }
        )
        for row in rows
    ]
    return {questionnaire.key: questionnaire for questionnaire in found}


@cache
def scale() -> Mapping[int, str]:
    """The words of the answers 0 to 4."""
    return dict(_read("questionnaires.yaml")["scale"])


@cache
def card_sections() -> tuple[Section, ...]:
    return tuple(Section(**row) for row in _read("model_card.yaml")["sections"])


@cache
def bundle_parts() -> tuple[Section, ...]:
    return tuple(Section(**row) for row in _read("model_card.yaml")["bundle"])


def card_completeness(card: Mapping[str, str]) -> int:
    """Share of the required sections of a model card that hold text, in whole percent."""
    return completeness(card_sections(), card)


@cache
def validation_kinds() -> Mapping[str, ValidationKind]:
    rows = [{**row, "metrics": tuple(row["metrics"])} for row in _read("controls.yaml")["validation_kinds"]]
    return {row["key"]: ValidationKind(**row) for row in rows}


@cache
def courses() -> Mapping[str, str]:
    return {row["key"]: row["label"] for row in _read("controls.yaml")["courses"]}


@cache
def attestation_items() -> Mapping[str, Mapping[str, str]]:
    """Criterion -> item -> label, for attestations that confirm several things."""
    rows = _read("controls.yaml")["attestation_items"]
    return {criterion: {item["key"]: item["label"] for item in items} for criterion, items in rows.items()}


def completeness(sections: tuple[Section, ...], texts: Mapping[str, str]) -> int:
    required = [section.key for section in sections if section.required]
    if not required:
        return 100
    return 100 * sum(bool(str(texts.get(key, "")).strip()) for key in required) // len(required)


def _read(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((HERE / name).read_text(encoding="utf-8")))
