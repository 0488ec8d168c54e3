"""What governance knows by name covers what the policies ask for, and the documentation says what the code does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from governance import files
from governance.catalogue import (
    attestation_items,
    card_sections,
    completeness,
    courses,
    document_types,
    questionnaires,
    validation_kinds,
)
from governance.forms.entry import entries

ROOT = Path(__file__).parents[2]
POLICY = yaml.safe_load((ROOT / "gates" / "policies" / "default.yaml").read_text(encoding="utf-8"))
TEXT = (ROOT / "docs" / "governance.md").read_text(encoding="utf-8")


def named(key: str, node: Any = POLICY) -> Iterator[str]:
    """Every value that the policy gives to ``key``, at whatever depth."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield from value if isinstance(value, list) else [value]
            else:
                yield from named(key, value)
    elif isinstance(node, list):
        for item in node:
            yield from named(key, item)


def test_every_document_type_of_the_policy_is_known_with_its_sections() -> None:
    asked = {*named("doc_type"), *named("doc_types")}
    assert asked
    assert asked <= set(document_types())
    for criterion in criteria_of("document"):
        params = criterion.get("params") or criterion.get("check") or {}
        kinds = params.get("doc_types") or params.get("doc_type") or []
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            known = {section.key for section in document_types()[kind].sections}
            assert set(params.get("sections") or []) <= known, kind


def test_figures_that_documents_are_judged_by_can_be_stated() -> None:
    computed = {"sections_complete", "doc_completeness", "runbook_age", "elements_complete"}
    for criterion in criteria_of("document"):
        measure = (criterion.get("threshold") or {}).get("measure")
        stated = {measure.key for kind in document_types().values() for measure in kind.measures}
        assert measure is None or measure in computed | stated, criterion


def test_every_questionnaire_validation_kind_and_course_of_the_policy_is_known() -> None:
    asked = {name for criterion in criteria_of("questionnaire_score") for name in named("questionnaire", criterion)}
    assert asked
    assert asked <= set(questionnaires())
    for criterion in criteria_of("validation_result"):
        params = criterion.get("params") or criterion.get("check") or {}
        kinds = params["kinds"]
        assert set([kinds] if isinstance(kinds, str) else kinds) <= set(validation_kinds())
    assert {*named("courses")} <= set(courses())


def test_items_that_attestations_have_to_confirm_are_offered() -> None:
    for criterion in criteria_of("attestation"):
        params = criterion.get("params") or criterion.get("check") or {}
        items = params.get("items") or []
        assert set(items) <= set(attestation_items().get(criterion["id"], {})) or not items, criterion["id"]


def criteria_of(kind: str, node: Any = POLICY) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == kind:
            yield node
        for value in node.values():
            yield from criteria_of(kind, value)
    elif isinstance(node, list):
        for item in node:
            yield from criteria_of(kind, item)


def test_sections_that_are_not_required_do_not_count() -> None:
    assert completeness(card_sections(), {s.key: "x" for s in card_sections() if s.required}) == 100
    assert completeness((), {}) == 100


def test_documentation_names_every_form_about_a_use_case() -> None:
    forms = [form for form in entries if form.subject_model is None]
    plain = [form.key for form in forms if not form.key.startswith(("document-", "questionnaire-"))]
    assert [key for key in plain if f"`{key}`" not in TEXT] == []
    asked = [form.key.removeprefix("questionnaire-") for form in forms if form.key.startswith("questionnaire-")]
    assert [key for key in asked if f"`{key}`" not in TEXT] == []


def test_documentation_names_every_accepted_type_of_file() -> None:
    words = TEXT.replace(",", " ").replace(".", " ").split()
    assert [name for name in files.TYPES if name not in words] == []
