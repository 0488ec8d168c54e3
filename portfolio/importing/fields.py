"""The fields of a use case that an inventory may state, and what a value of each looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from django.db.models import CharField

from portfolio.importing.profile import Kind
from portfolio.models import Stage, Status, Tier, UseCase
from portfolio.models.use_cases import OversightTier

FIELDS: Mapping[str, Kind] = {
    "name": Kind.TEXT,
    "summary": Kind.TEXT,
    "stage": Kind.CHOICE,
    "stage_since": Kind.DATE,
    "status": Kind.CHOICE,
    "tier": Kind.CHOICE,
    "legal_hold": Kind.BOOLEAN,
    "problem_statement": Kind.TEXT,
    "target_users": Kind.TEXT,
    "non_ai_alternative": Kind.TEXT,
    "objective": Kind.TEXT,
    "strategic_goal": Kind.TEXT,
    "decision_name": Kind.TEXT,
    "third_party": Kind.BOOLEAN,
    "personal_data": Kind.BOOLEAN,
    "affects_people": Kind.BOOLEAN,
    "generative_or_agentic": Kind.BOOLEAN,
    "jurisdictions": Kind.LIST,
    "regulations": Kind.LIST,
    "eu_role": Kind.TEXT,
    "oversight_tier": Kind.CHOICE,
    "primary_metric": Kind.TEXT,
    "vendor": Kind.TEXT,
}

CHOICES: Mapping[str, Mapping[str, str]] = {
    "stage": {value: str(label) for value, label in Stage.choices},
    "status": {value: str(label) for value, label in Status.choices},
    "tier": {value: str(label) for value, label in Tier.choices if value},
    "oversight_tier": {value: str(label) for value, label in OversightTier.choices if value},
}

SETTLED_BY_GATES = frozenset({"stage", "stage_since"})
"""Fields that an import no longer touches once a gate has decided about the use case."""


def max_length(name: str) -> int | None:
    """The longest text that a field takes; None where there is no limit or the field holds no text."""
    if FIELDS.get(name) not in {Kind.TEXT, Kind.CHOICE}:
        return None
    field = UseCase._meta.get_field(name)
    return cast("CharField[str, str]", field).max_length


def is_one_line(name: str) -> bool:
    """Fields of limited length are shown on one line: a line break in them becomes a space."""
    return max_length(name) is not None
