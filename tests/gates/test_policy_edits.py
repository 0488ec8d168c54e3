"""Single values of a policy text are changed in place: what is not meant stays as its author wrote it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gates.policy_edits import REMOVE, edited
from gates.policy_reading import read_policy
from kernel.errors import Invalid
from kernel.located import read_located

DEFAULT = Path("gates/policies/default.yaml").read_text(encoding="utf-8")
TEXT = """\
# A policy   (kept)
policy: x   # its key
version: 1.0.0
gates:
  a:
    criteria:
    - id: A-1   # the first
      applies: {minimal: advisory,  limited: mandatory}  # two spaces
      threshold:
        op: '>='
        high: 0.8   # from the pilot
    # between two criteria
    - id: A-2
      applies: {}
      source:
matrix:
  signers: [one, two]  # the pair
  block:
  - one
  - two
# the end
"""


def lines_changed(before: str, after: str) -> list[tuple[str, str]]:
    return [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]


def test_one_value_changes_and_its_comment_stays() -> None:
    after = edited(TEXT, [(("gates", "a", "criteria", 0, "threshold", "high"), Decimal("0.85"))])
    assert lines_changed(TEXT, after) == [
        ("        high: 0.8   # from the pilot", "        high: 0.85   # from the pilot")
    ]


def test_a_key_that_is_missing_is_added_in_the_style_of_its_mapping() -> None:
    after = edited(TEXT, [(("gates", "a", "criteria", 0, "applies", "high"), "mandatory")])
    assert "{minimal: advisory,  limited: mandatory, high: mandatory}  # two spaces" in after
    after = edited(TEXT, [(("gates", "a", "criteria", 0, "waivable"), False)])
    assert "high: 0.8   # from the pilot\n      waivable: false\n    # between two criteria" in after


def test_an_empty_mapping_and_an_empty_value_are_filled() -> None:
    after = edited(TEXT, [(("gates", "a", "criteria", 1, "applies", "high"), "mandatory")])
    assert "applies: {high: mandatory}" in after
    after = edited(TEXT, [(("gates", "a", "criteria", 1, "source", "standards"), ["A.5"])])
    assert "source: {standards: [A.5]}" in after


def test_lists_are_replaced_whole_in_either_style() -> None:
    after = edited(TEXT, [(("matrix", "signers"), ["one"]), (("matrix", "block"), ["three"])])
    assert "signers: [one]  # the pair" in after
    assert "# the end" in after
    assert read_located(after, "x").data["matrix"] == {"signers": ["one"], "block": ["three"]}


def test_a_key_is_removed_with_its_line_or_with_its_comma() -> None:
    after = edited(TEXT, [(("gates", "a", "criteria", 0, "threshold"), REMOVE)])
    assert "threshold" not in after
    assert "# between two criteria" in after
    place = ("gates", "a", "criteria", 0, "applies")
    assert "applies: {limited: mandatory}" in edited(TEXT, [((*place, "minimal"), REMOVE)])
    assert "applies: {minimal: advisory}" in edited(TEXT, [((*place, "limited"), REMOVE)])


def test_what_is_not_there_is_removed_already() -> None:
    assert edited(TEXT, [(("matrix", "nothing"), REMOVE), (("nowhere", "at", "all"), REMOVE)]) == TEXT


@pytest.mark.parametrize("value", ["a: b", "#no", "yes", "1.10", "it's", 'say "x"', "", "[", "- a", "ü ✓", "null"])
def test_words_that_yaml_would_read_differently_come_back_as_they_were(value: str) -> None:
    assert read_located(edited(TEXT, [(("version",), value)]), "x").data["version"] == value


def test_the_first_key_of_an_item_is_left_to_the_text() -> None:
    with pytest.raises(Invalid, match="change it in the text"):
        edited(TEXT, [(("gates", "a", "criteria", 0, "id"), REMOVE)])


def places() -> list[tuple[Any, ...]]:
    data = read_located(DEFAULT, "default").data
    found: list[tuple[Any, ...]] = []
    for gate, row in data["gates"].items():
        for at, criterion in enumerate(row["criteria"]):
            place = ("gates", gate, "criteria", at)
            found += [(*place, "applies", tier) for tier in criterion["applies"]]
            found += [(*place, "validity_days", tier) for tier in ("minimal", "limited", "high")]
            if "threshold" in criterion:
                found += [(*place, "threshold", tier) for tier in ("minimal", "limited", "high")]
    return found


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(places()), st.one_of(st.integers(0, 999), st.decimals(0, 1, places=3), st.text(max_size=30)))
def test_whatever_is_set_anywhere_in_the_default_policy_nothing_else_changes(place: Any, value: Any) -> None:
    try:
        after = edited(DEFAULT, [(place, value)])
    except Invalid:  # signs that YAML has no way to write: refused, never half done
        assert isinstance(value, str)
        return
    assert sum(1 for a, b in zip(DEFAULT.splitlines(), after.splitlines(), strict=False) if a != b) <= 1


def test_the_default_policy_stays_sound_after_the_common_edits() -> None:
    place = ("gates", "poc_to_pilot", "criteria", 2)
    edits = [
        ((*place, "threshold", "limited"), Decimal("0.2")),
        ((*place, "applies", "minimal"), "mandatory"),
        ((*place, "validity_days", "high"), 30),
        ((*place, "waivable"), False),
        (("approval_matrix", "idea_to_poc", "high", "signers"), ["business_owner", "security"]),
        (("review_cadence_days", "high"), 60),
        (("version",), "1.1.0"),
    ]
    body = read_policy(edited(DEFAULT, edits), "default")
    criterion = body.gates["poc_to_pilot"].criteria[2]
    assert criterion.threshold is not None
    assert criterion.threshold.by_tier["limited"] == Decimal("0.2")
    assert (criterion.waivable, criterion.applies["minimal"], criterion.validity_days["high"]) == (
        False,
        "mandatory",
        30,
    )
    assert body.matrix["idea_to_poc"]["high"].signers == ("business_owner", "security")
    assert (body.version, body.cadence_days["high"]) == ("1.1.0", 60)
