"""A policy text is read, or refused with every problem named by file, line and key."""

from __future__ import annotations

import copy
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gates.policy_reading import read_policy
from kernel.errors import Invalid
from tests.factories.gates import small_text

POLICIES = Path("gates/policies")


def problems(text: str) -> list[str]:
    with pytest.raises(Invalid) as refused:
        read_policy(text, "own.yaml")
    found = refused.value.errors.get("text", [refused.value.message])
    assert all("own.yaml" in line for line in found)
    return found


def refused(old: str, new: str, *words: str) -> None:
    """The small policy with one thing replaced is refused once, at the line of that thing."""
    text = small_text()
    assert old in text
    changed = text.replace(old, new, 1)
    [line] = problems(changed)
    number = text[: text.index(old)].count("\n") + 1
    assert f"own.yaml line {number}," in line
    for word in words:
        assert word in line


def test_a_sound_policy_is_read() -> None:
    body = read_policy(small_text(), "own.yaml")
    assert (body.key, body.primary, body.sign_off_validity_days) == ("small", True, 30)
    assert [c.id for c in body.gates["idea_to_poc"].criteria] == ["IP-01", "IP-02", "IP-03", "IP-09"]
    assert body.matrix["idea_to_poc"]["limited"].signers == ("business_owner", "technical_lead")


def test_an_unknown_criterion_type_is_named_with_line_and_key() -> None:
    refused("type: field_present", "type: field_pressent", "criteria.0.type", "'field_pressent'", "field_present")


def test_an_unknown_parameter_is_named() -> None:
    refused("params: {metric: f1}", "params: {metric: f1, sample: 3}", "params.sample", "unknown parameter 'sample'")


def test_a_parameter_of_the_wrong_kind_is_named() -> None:
    refused("params: {fields: [problem_statement]}", "params: {fields: problem_statement}", "params.fields", "a list")


def test_a_missing_parameter_is_named() -> None:
    refused("params: {metric: f1}", "params: {min_sample: 3}", "params", "'metric' is required")


def test_an_unknown_key_is_named() -> None:
    refused("question: Which problem is it about?", "questoin: Which?", "unknown key 'questoin'")


def test_an_unknown_role_is_named() -> None:
    refused("owner: technical_lead", "owner: tech_lead", "owner", "unknown role 'tech_lead'")


def test_a_role_that_does_not_sign_cannot_stand_in_the_matrix() -> None:
    refused("{signers: [business_owner]", "{signers: [use_case_lead]", "does not sign")


def test_an_unknown_gate_in_the_matrix_is_named() -> None:
    text = small_text().replace("approval_matrix:\n", "approval_matrix:\n  pilot_to_moon: {}\n")
    number = text[: text.index("  pilot_to_moon")].count("\n") + 1
    [line] = problems(text)
    assert f"line {number}, column 18, approval_matrix.pilot_to_moon: there is no gate" in line


def test_a_matrix_that_lacks_a_tier_is_refused() -> None:
    text = small_text().replace("    minimal: {signers: [business_owner], decision_sla_days: 5}\n", "", 1)
    assert "lacks minimal" in problems(text)[0]


def test_a_missing_threshold_is_named() -> None:
    text = "\n".join(line for line in small_text().splitlines() if "measure: f1" not in line)
    assert "needs a threshold" in problems(text)[0]


@pytest.mark.parametrize("number", ["many", ".nan", ".inf", "[1]"])
def test_a_limit_that_is_no_number_is_named(number: str) -> None:
    refused("limited: 0.8,", f"limited: {number},", "threshold.limited", "needs a number")


def test_a_limit_that_is_looser_for_a_higher_tier_is_contradictory() -> None:
    refused("limited: 0.8, high: 0.9", "limited: 0.8, high: 0.75", "contradictory")


def test_a_criterion_that_applies_to_no_tier_is_refused() -> None:
    never = "{minimal: not_applicable, limited: not_applicable, high: not_applicable}"
    refused("{minimal: not_applicable, limited: advisory, high: mandatory}", never, "applies to no tier")


def test_a_tier_without_a_word_is_refused() -> None:
    refused("{minimal: not_applicable, limited: advisory, high: mandatory}", "{high: mandatory}", "applies")


def test_a_bad_expression_is_refused_with_line_and_column() -> None:
    expr = "type: custom_expression\n      params: {expr: 'days_in_stage >= open(1)'}"
    text = small_text().replace("type: field_present\n      params: {fields: [problem_statement]}", expr, 1)
    number = text[: text.index("open(1)")].count("\n") + 1
    column = text.splitlines()[number - 1].index("open(1)") + 1
    [line] = problems(text)
    assert f"own.yaml line {number}, column {column}, gates.idea_to_poc.criteria.0.params.expr:" in line
    assert "'open'" in line


def test_an_id_that_stands_twice_is_named() -> None:
    refused("id: IP-02", "id: IP-01", "stands twice")


def test_an_unknown_change_is_named() -> None:
    refused("owner: technical_lead", "invalidated_by: [weather]\n      owner: technical_lead", "'weather'")


def test_an_unknown_stage_is_named() -> None:
    refused("to: pilot", "to: moon", "unknown stage 'moon'")


def test_a_gate_that_nothing_leads_to_can_never_be_reached() -> None:
    refused("from: poc", "from: production", "never be reached")


def test_a_second_gate_of_one_stage_can_never_be_reached() -> None:
    refused("from: poc", "from: idea", "never be reached", "idea_to_poc")


def test_an_empty_list_is_refused() -> None:
    refused("{fields: [problem_statement]}", "{fields: []}", "cannot be empty")


def test_every_problem_is_told_at_once() -> None:
    text = small_text().replace("type: metric_threshold", "type: metric").replace("owner: use_case_lead", "owner: x")
    found = problems(text)
    assert len(found) == 2
    with pytest.raises(Invalid, match="2 problems in all"):
        read_policy(text, "own.yaml")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "mapping"),
        ("- 1", "mapping"),
        ("policy: [", "not valid YAML"),
        ("policy: x\npolicy: y", "stands twice"),
        ("a: &a [1]\nb: *a", "aliases"),
        ("policy: !!python/object/apply:os.system ['true']", "tags"),
        ("policy: !secret x", "tags"),
        ("[" * 60 + "]" * 60, "nest"),
        ("[" * 20_000, "nest"),
        ("title: !!binary aGVsbG8=\npolicy: x\nversion: 1\ngates: {}", "tags such as"),
        ("x" * 1_000_001, "larger"),
    ],
)
def test_what_is_no_policy_at_all_is_refused(text: str, word: str) -> None:
    with pytest.raises(Invalid) as wrong:
        read_policy(text, "own.yaml")
    assert any(word in line for line in [wrong.value.message, *wrong.value.errors.get("text", [])])


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    rows = ["a0: &a0 [x, x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]
    with pytest.raises(Invalid, match="aliases"):
        read_policy("\n".join(rows), "own.yaml")


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in plain data."""
    rows = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for key, value in rows for found in places(value, (*path, key)))]


SOUND = yaml.safe_load(small_text())
PLACES = [path for path in places(SOUND) if path]
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, -1, 1.5, True, "x", "", [], [1], ["x"], {}, {"x": 1}, [[]], 10**30, "2026-01-01"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PLACES), JUNK)
def test_junk_in_any_place_is_read_or_refused_never_a_crash(path: tuple[Any, ...], junk: Any) -> None:
    data = copy.deepcopy(SOUND)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    with suppress(Invalid):
        read_policy(yaml.safe_dump(data), "own.yaml")


def test_the_digest_is_over_what_is_said_not_over_how_it_is_written() -> None:
    body = read_policy(small_text(), "own.yaml")
    rewritten = read_policy(yaml.safe_dump(yaml.safe_load(small_text()), sort_keys=True), "other.yaml")
    assert rewritten.digest == body.digest
    assert read_policy(small_text().replace("0.8,", "0.81,"), "own.yaml").digest != body.digest


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_policies_are_sound(path: Path) -> None:
    assert read_policy(path.read_text(encoding="utf-8"), path.name).gates
