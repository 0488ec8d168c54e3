"""The format is documented by the code that reads it: the page is current and leaves nothing out."""

from __future__ import annotations

import dataclasses
from io import StringIO

import pytest
from django.core.management import call_command

from gates.criterion import criterion_types
from gates.policy_reading import read_policy
from gates.policy_reference import PAGE, meanings, with_reference
from gates.policy_shapes import CRITERION_KEYS, POLICY_KEYS
from tests.factories.gates import small_text


def test_the_reference_is_what_the_criterion_types_say_today() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_reference(page) == page, "run manage.py document_policy_format"


def test_the_check_says_so_too() -> None:
    out = StringIO()
    call_command("document_policy_format", "--check", stdout=out)
    assert "up to date" in out.getvalue()


@pytest.mark.parametrize("kind", list(criterion_types), ids=lambda kind: kind.key)
def test_every_parameter_has_its_meaning(kind: type) -> None:
    params = kind.accepts  # type: ignore[attr-defined]  # a criterion type
    assert set(meanings(params)) == {field.name for field in dataclasses.fields(params)}


def test_every_key_of_the_file_is_explained() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for key in POLICY_KEYS:
        assert f"`{key}`" in page, key
    for key in CRITERION_KEYS:
        assert f"{key}:" in page, key


def test_the_example_is_a_sound_criterion() -> None:
    page = PAGE.read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    indented = "".join(f"    {line}\n" for line in example.splitlines())
    body = read_policy(small_text(criteria=indented), "example.yaml")
    assert body.gates["idea_to_poc"].criteria[0].id == "PP-07"
